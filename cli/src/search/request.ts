import { EXIT } from '../errors';
import { Clock, Io } from '../io';
import { Undo } from '../undo';
import { Indexed, indexEvidence } from './index-evidence';
import { Credentials, SignedClient } from './signed-client';

/** What `search index` is asked, on a folder or in a one-off task: it travels as JSON. */
export interface IndexRequest {
  readonly root: string;
  readonly endpoint: string;
  readonly index: string;
  /** That of the collection, for which every request is signed. */
  readonly region: string;
  readonly json: boolean;
}

/** Lines, or whole files, that are not in the index (EX_DATAERR). */
const INCOMPLETE = 65;

/** Indexes and says how it went. Returns the exit code. */
export async function runIndex(request: IndexRequest, credentials: Credentials, io: Io, clock: Clock): Promise<number> {
  const { root, endpoint, index, region, json } = request;
  const result = await Undo.guard(io, async (_undo, signal) => {
    const client = new SignedClient(endpoint, region, credentials, clock, signal, (why) => io.note(why));
    return indexEvidence(root, client, index, io, clock);
  });
  tell(io, result, json);
  return result.problems.length > 0 ? INCOMPLETE : EXIT.ok;
}

function tell(io: Io, result: Indexed, json: boolean): void {
  const { files, unchanged, others, documents, deleted, problems, moreProblems } = result;
  problems.forEach(({ file, line, text }) => io.note(`${file}${line === undefined ? '' : `:${line}`}: ${text}`));
  if (moreProblems > 0) {
    io.note(`… and ${moreProblems} more like these.`);
  }
  if (json) {
    io.out(JSON.stringify(result));
    return;
  }
  io.out(
    `${files} file(s) indexed with ${documents} document(s), ${unchanged} unchanged; ${deleted} document(s) of earlier contents taken out first.`,
  );
  if (others > 0) {
    io.out(
      `${others} file(s) of other kinds were left out: text is read from .md, .txt, .json, .jsonl, .csv, .tsv and .gz of these.`,
    );
  }
  if (problems.length > 0) {
    io.out('What is named above is not in the index; its files are read again next time.');
  }
}
