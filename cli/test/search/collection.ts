import { createHash, createHmac } from 'crypto';
import * as http from 'http';
import { AddressInfo } from 'net';

export const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
export const REGION = 'ap-southeast-2';

export interface Reply {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

/** Answers what a collection answers, once the signature is right. */
export type Backend = (method: string, path: string, body: string) => Promise<Reply> | Reply;

/** Answers in the place of the backend, as long as it has one. */
export type Fault = (method: string, path: string, body: string) => Reply | 'hang up' | 'later' | undefined;

const hmac = (key: string | Uint8Array, text: string) =>
  new Uint8Array(createHmac('sha256', key).update(text).digest());
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Signature Version 4, written from its specification, to hold the client's against: what is wrong, or undefined. */
export function signatureFault(request: http.IncomingMessage, body: string): string | undefined {
  const { authorization = '', ...headers } = request.headers as Record<string, string>;
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!found) {
    return `no signature: ${authorization}`;
  }
  const [, key, day, region, service, signed, signature] = found;
  const at = headers['x-amz-date'];
  if (key !== KEYS.accessKeyId || region !== REGION || service !== 'aoss') {
    return `signed for ${key} ${region} ${service}`;
  }
  if (
    !at.startsWith(day) ||
    Math.abs(Date.now() - Date.parse(at.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))) > 300_000
  ) {
    return `signed at ${at}`;
  }
  if (headers['x-amz-content-sha256'] !== sha256(body)) {
    return 'x-amz-content-sha256 is not that of the body';
  }
  const names = signed.split(';');
  if (!['host', 'x-amz-date', 'x-amz-content-sha256'].every((name) => names.includes(name))) {
    return `only ${signed} are signed`;
  }
  const [path, query = ''] = request.url!.split('?');
  const canonical = [
    request.method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name].trim()}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const secret = ['aws4_request'].reduce(
    hmac,
    [region, service].reduce(hmac, hmac(`AWS4${KEYS.secretAccessKey}`, day)),
  );
  const expected = hex(hmac(secret, ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')));
  return expected === signature ? undefined : `the signature is wrong for\n${canonical}`;
}

/** Where a collection answers: checks every signature, has no _refresh and nothing at /, as OpenSearch Serverless. */
export class Collection {
  public readonly requests: { method: string; path: string; body: string }[] = [];
  public readonly refusedSignatures: string[] = [];
  public fault: Fault = () => undefined;

  private constructor(
    private readonly server: http.Server,
    public readonly endpoint: string,
  ) {}

  public static async open(backend: Backend): Promise<Collection> {
    const server = http.createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      request.on(
        'end',
        () => void collection.answer(request, response, Buffer.concat(chunks).toString('utf8'), backend),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const collection = new Collection(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return collection;
  }

  public async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    body: string,
    backend: Backend,
  ): Promise<void> {
    const { method = '', url = '' } = request;
    const wrong = signatureFault(request, body);
    if (wrong) {
      this.refusedSignatures.push(wrong);
    }
    this.requests.push({ method, path: url, body });
    const fault = this.fault(method, url, body);
    if (fault === 'hang up') {
      request.socket.destroy();
      return;
    }
    const missing = url === '/' || url.includes('_refresh');
    const reply: Reply = wrong
      ? { status: 403, body: { message: 'The request signature we calculated does not match' } }
      : missing
        ? { status: 404, body: {} }
        : typeof fault === 'object'
          ? fault
          : await backend(method, url, body);
    if (fault === 'later') {
      // It did the work, and the answer is lost.
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(JSON.stringify(reply.body));
  }
}

type Doc = Record<string, unknown>;

/**
 * The few calls that the indexer makes, in memory: bulk by id, sorted pages of a filter. As there, a search does not see
 * what was written just now: only what was there when the run began.
 */
export function inMemory(documents: Map<string, Doc>): Backend {
  let made = false;
  let visible = new Map<string, Doc>();
  return (method, path, body) => {
    if (method === 'PUT') {
      visible = new Map(documents);
      const known = made;
      made = true;
      return known
        ? { status: 400, body: { error: { type: 'resource_already_exists_exception' } } }
        : { status: 200, body: { acknowledged: true } };
    }
    if (path.endsWith('/_bulk')) {
      return { status: 200, body: { items: bulk(documents, body) } };
    }
    if (path.endsWith('/_search')) {
      const {
        query,
        search_after: after,
        size,
      } = JSON.parse(body) as { query: object; search_after?: [string]; size: number };
      const hits = [...visible]
        .filter(([id, one]) => matches(one, query) && (after === undefined || id > after[0]))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, size);
      return { status: 200, body: { hits: { hits: hits.map(([_id, _source]) => ({ _id, _source, sort: [_id] })) } } };
    }
    return { status: 404, body: { error: `${method} ${path}` } };
  };
}

function bulk(documents: Map<string, Doc>, body: string): object[] {
  const lines = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Doc);
  const items: object[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [[action, head]] = Object.entries(lines[at]) as [string, { _id: string }][];
    if (action === 'delete') {
      items.push({ delete: { _id: head._id, status: documents.delete(head._id) ? 200 : 404 } });
    } else {
      const created = !documents.has(head._id);
      documents.set(head._id, lines[++at]);
      items.push({ index: { _id: head._id, status: created ? 201 : 200 } });
    }
  }
  return items;
}

function matches(document: Doc, query: object): boolean {
  const [[kind, inner]] = Object.entries(query) as [string, Record<string, unknown>][];
  if (kind === 'term') {
    const [[field, value]] = Object.entries(inner);
    return document[field] === value;
  }
  const { filter = [], must_not: not = [] } = inner as { filter?: object[]; must_not?: object[] };
  return filter.every((one) => matches(document, one)) && !not.some((one) => matches(document, one));
}
