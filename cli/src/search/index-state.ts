import { CliError } from '../errors';
import { firstWords, SignedClient } from './signed-client';
import { wayOut } from './bulk';

/** Only what is named here is indexed: a column of some report must not become a field. */
const MAPPING = {
  mappings: {
    dynamic: false,
    properties: {
      id: { type: 'keyword' },
      kind: { type: 'keyword' },
      path: { type: 'keyword' },
      dataset: { type: 'keyword' },
      month: { type: 'keyword' },
      run: { type: 'keyword' },
      line: { type: 'integer' },
      sha256: { type: 'keyword' },
      title: { type: 'text' },
      text: { type: 'text' },
    },
  },
};
const PAGE = 1000;

interface Hit<T> {
  readonly _id: string;
  readonly _source: T;
  readonly sort: unknown[];
}

/** What the index itself knows of what was indexed: there is no other state, on any machine. */
export class IndexState {
  constructor(
    private readonly client: SignedClient,
    private readonly index: string,
  ) {}

  /** Makes the index unless it is there. Whether it is new. */
  public async create(): Promise<boolean> {
    const { status, body } = await this.client.request('PUT', `/${this.index}`, JSON.stringify(MAPPING));
    if (status >= 300 && !body.includes('resource_already_exists_exception')) {
      throw this.refused('It could not be made', status, body);
    }
    return status < 300;
  }

  /** The SHA-256 of every file that was indexed whole, by its name. */
  public async indexedFiles(): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    const query = { term: { kind: 'file' } };
    for await (const { _source } of this.hits<{ path: string; sha256: string }>(query, ['path', 'sha256'])) {
      files.set(_source.path, _source.sha256);
    }
    return files;
  }

  /** The ids of what is left of other contents of a file. */
  public async leftOvers(name: string, sha256: string): Promise<string[]> {
    const query = {
      bool: { filter: [{ term: { kind: 'document' } }, { term: { path: name } }], must_not: [{ term: { sha256 } }] },
    };
    const ids: string[] = [];
    for await (const { _id } of this.hits(query, [])) {
      ids.push(_id);
    }
    return ids;
  }

  private async *hits<T>(query: object, fields: string[]): AsyncGenerator<Hit<T>> {
    const sort = [{ id: 'asc' }];
    let after: unknown[] | undefined;
    for (;;) {
      const asked = { size: PAGE, query, sort, _source: fields, ...(after && { search_after: after }) };
      const { status, body } = await this.client.request('POST', `/${this.index}/_search`, JSON.stringify(asked));
      // Serverless shows an index some seconds after it was made.
      if (status === 404 && body.includes('index_not_found_exception')) {
        return;
      }
      if (status !== 200) {
        throw this.refused('It could not be asked what is indexed', status, body);
      }
      const { hits } = (JSON.parse(body) as { hits: { hits: Hit<T>[] } }).hits;
      yield* hits;
      if (hits.length < PAGE) {
        return;
      }
      after = hits[hits.length - 1].sort;
    }
  }

  private refused(what: string, status: number, body: string): CliError {
    return new CliError(`index ${this.index}`, `${what}: ${status} ${firstWords(body)}.`, wayOut(status));
  }
}
