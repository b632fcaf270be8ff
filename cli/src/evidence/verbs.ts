import * as fs from 'fs';
import { usageError } from '../errors';
import { Io } from '../io';
import { EngineLimits } from './engine';
import { listEvidence } from './listing';
import { bytesText, counted, table } from './output';
import { problemLine } from './problems';
import { query, QueryRequest } from './query';
import { Head, verify } from './verify';

/** What `evidence` is asked, on a folder or in a one-off task: it travels as JSON. */
export type EvidenceRequest =
  | ({ readonly verb: 'query' } & QueryRequest)
  | ({ readonly verb: 'ls'; readonly root: string; readonly json: boolean; readonly cache?: string } & EngineLimits)
  | { readonly verb: 'verify'; readonly root: string; readonly json: boolean; readonly anchors: Head[] };

/** How `evidence verify` ends, besides the codes of every command. */
export const VERIFY_EXIT = {
  /** What is there is not what was written. The collector's code for it. */
  changed: 1,
  /** There is no run: nothing to verify. */
  noData: 66,
  /** Something could not be read. */
  unreadable: 74,
} as const;

/** Does what was asked. Returns the exit code. */
export async function runEvidence(request: EvidenceRequest, io: Io, now: Date): Promise<number> {
  switch (request.verb) {
    case 'query':
      return query(request, io);
    case 'ls':
      return ls(request, io, now);
    case 'verify':
      return runVerify(request, io);
  }
}

async function ls(request: EvidenceRequest & { verb: 'ls' }, io: Io, now: Date): Promise<number> {
  const month = now.toISOString().slice(0, 7);
  const { datasets, problems, scans } = await listEvidence(
    request.root,
    { ...request, month },
    (text) => io.note(text),
    (name) => io.status?.(name),
  );
  io.status?.('');
  problems.forEach((problem) => io.note(problemLine(problem)));
  if (request.json) {
    datasets.forEach((dataset) => io.out(JSON.stringify(dataset)));
    io.out(JSON.stringify({ scans }));
  } else {
    const rows = datasets.map(({ dataset, month: own, focus, files, rows: count, bytes, leftOut }) => {
      return [dataset, own, focus, `${files}`, `${count}`, bytesText(bytes), leftOut > 0 ? `${leftOut}` : ''];
    });
    const head = ['dataset', 'month', 'FOCUS', 'files', 'rows', 'size', 'lines left out'];
    table(head, rows, [false, false, false, true, true, true, true]).forEach(io.out);
    const said = new Map<string, string>();
    datasets.forEach(({ dataset, month: own, differences }) =>
      differences.forEach((text) => said.set(text, said.get(text) ?? `${dataset} ${own}`.trim())),
    );
    said.forEach((first, text) => io.note(`differs from FOCUS: ${text} (${first})`));
    io.out('');
    io.out(`Queries of ${scans.month} read ${bytesText(scans.bytes)} in ${counted(scans.queries, 'run')}.`);
  }
  if (datasets.length === 0) {
    io.note(`[${request.root}] There is no data file that can be read.`);
    return 66;
  }
  return problems.length > 0 || datasets.some(({ leftOut }) => leftOut > 0) ? 65 : 0;
}

async function runVerify(request: EvidenceRequest & { verb: 'verify' }, io: Io): Promise<number> {
  const result = await verify(request.root, request.anchors, (name) => io.status?.(name));
  io.status?.('');
  const { findings, heads, folders, runs, files, bytes, unfinished, unsealed } = result;
  if (request.json) {
    heads.forEach((head) => io.out(JSON.stringify(head)));
    findings.forEach((finding) => io.out(JSON.stringify(finding)));
    io.out(JSON.stringify({ folders, runs, files, bytes, unfinished, unsealed, unchanged: findings.length === 0 }));
  } else {
    findings.forEach(({ file, text }) => io.out(`${file} ${text}`));
    io.out(
      `${counted(folders, 'folder')}, ${counted(runs, 'run')}, ${counted(files, 'file')}, ${bytesText(bytes)}: ${findings.length === 0 ? 'unchanged' : counted(findings.length, 'finding')}`,
    );
  }
  unfinished.forEach((place) => io.note(`${place} is unfinished: a writer is at work, or was killed there.`));
  if (unsealed > 0) {
    io.note(`${counted(unsealed, 'manifest')} without a checksum of its own (written by an older collector).`);
  }
  if (request.anchors.length === 0 && heads.length > 0) {
    io.note(
      'Not compared with anything outside this folder: keep the lines of --json elsewhere, and pass them with --against.',
    );
  }
  if (findings.some(({ what }) => what === 'unreadable')) {
    return VERIFY_EXIT.unreadable;
  }
  if (findings.length > 0) {
    return VERIFY_EXIT.changed;
  }
  if (runs === 0) {
    io.note(`[${request.root}] There is no run, so nothing to verify.`);
    return VERIFY_EXIT.noData;
  }
  return 0;
}

/** Heads noted earlier: lines of `verify --json`, of the collector's log, or of `add --json`. Other lines are skipped. */
export function readAnchors(file: string): Head[] {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError(
      `--against ${file}`,
      (error as Error).message,
      'Pass a file with lines of an earlier verify --json, or of the collector’s log.',
    );
  }
  const heads = text.split('\n').flatMap((line) => {
    try {
      const found = JSON.parse(line) as Partial<Head> & { period?: string; newest?: Partial<Head> };
      const { run, manifestSha256 } = found.newest ?? found;
      // The collector's log names the period; the folder of it is the convention's.
      const folder = found.folder ?? (found.period && `focus/BILLING_PERIOD=${found.period}`);
      return run && manifestSha256 && folder !== undefined ? [{ folder, run, manifestSha256 }] : [];
    } catch {
      return []; // A log has other lines.
    }
  });
  if (heads.length === 0) {
    throw usageError(
      `--against ${file}`,
      'It names no manifest.',
      'Pass lines of an earlier verify --json, or of the collector’s log.',
    );
  }
  return heads;
}
