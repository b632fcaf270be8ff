import { createHash } from 'crypto';
import { CliError } from '../errors';
import { Clock, Io } from '../io';
import { Bulk } from './bulk';
import { piecesOf, Problem, stateOf } from './documents';
import { EvidenceFile, evidenceFiles, sha256Of } from './files';
import { IndexState } from './index-state';
import { SignedClient } from './signed-client';

export interface Indexed {
  /** Files that were indexed now, and those that were already, unchanged. */
  readonly files: number;
  readonly unchanged: number;
  /** Files of kinds that hold no text. */
  readonly others: number;
  readonly documents: number;
  readonly deleted: number;
  readonly problems: Problem[];
  /** More problems of one file than are shown. */
  readonly moreProblems: number;
}

/** So many problems of one file are shown; the rest is counted. */
const SHOWN = 20;

const digest = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/**
 * Brings the index to what the files are. A document's id is the hash of its file's name and its text, so that indexing
 * it again changes nothing; a file that was indexed whole is noted in the index, so that it is not read again until it
 * changes. Killed at any moment, the next run goes on where this one ended.
 */
export async function indexEvidence(
  root: string,
  client: SignedClient,
  index: string,
  io: Io,
  clock: Clock,
): Promise<Indexed> {
  const { files, others } = evidenceFiles(root);
  const state = new IndexState(client, index);
  const isNew = await state.create();
  const known = await state.indexedFiles();
  const bulk = new Bulk(client, index, clock);
  const result = { files: 0, unchanged: 0, others, documents: 0, deleted: 0, moreProblems: 0 };
  const problems: Problem[] = [];
  for (const [at, file] of files.entries()) {
    io.status?.(`${at + 1} of ${files.length} files, ${result.documents} documents: ${file.name}`);
    const own: Problem[] = [];
    try {
      const before = stateOf(file.file);
      const sha256 = await sha256Of(file.file);
      if (known.get(file.name) === sha256) {
        result.unchanged++;
        continue;
      }
      // Before the new contents: a search shows what was written some seconds ago, and would name them as well.
      result.deleted += isNew ? 0 : await deleteLeftOvers(state, bulk, file, sha256);
      result.documents += await indexFile(file, sha256, bulk, own);
      if (stateOf(file.file) !== before) {
        own.push({ file: file.name, text: 'it grew or changed while it was read: run the command again' });
      }
      // Only a file without problems is noted: one with problems is read, and told of, again.
      if (own.length === 0) {
        const id = digest('file', file.name);
        const document = { id, kind: 'file', path: file.name, sha256 };
        await bulk.add({ id, document, refused: (text) => own.push({ file: file.name, text }) });
      }
      await bulk.flush();
      result.files++;
    } catch (error) {
      own.push({ file: file.name, text: `it cannot be read: ${ofFile(error).message}` });
    }
    problems.push(...own.slice(0, SHOWN));
    result.moreProblems += Math.max(0, own.length - SHOWN);
  }
  io.status?.('');
  return { ...result, problems };
}

/** A damaged .gz, a line without end, no permission. What the service refuses, or Ctrl-C, is no fault of the file. */
function ofFile(error: unknown): NodeJS.ErrnoException {
  if (error instanceof CliError) {
    throw error;
  }
  return error as NodeJS.ErrnoException;
}

async function indexFile(file: EvidenceFile, sha256: string, bulk: Bulk, problems: Problem[]): Promise<number> {
  const { name, dataset, month, run } = file;
  const problem = (line: number | undefined, text: string) => problems.push({ file: name, line, text });
  let documents = 0;
  try {
    for await (const { line, title, text } of piecesOf(file.file, file.format, problem)) {
      documents++;
      const id = digest(name, text);
      const document = { id, kind: 'document', path: name, dataset, month, run, line, sha256, title, text };
      await bulk.add({ id, document, refused: (why) => problem(line, why) });
    }
  } catch (error) {
    const { code, message } = ofFile(error);
    problem(undefined, `it cannot be read to its end: ${code === 'Z_BUF_ERROR' ? 'the .gz is cut off' : message}`);
  }
  await bulk.flush();
  return documents;
}

async function deleteLeftOvers(state: IndexState, bulk: Bulk, file: EvidenceFile, sha256: string): Promise<number> {
  const ids = await state.leftOvers(file.name, sha256);
  for (const id of ids) {
    await bulk.add({ id, refused: () => undefined });
  }
  await bulk.flush();
  return ids.length;
}
