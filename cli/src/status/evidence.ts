import * as fs from 'fs';
import * as path from 'path';
import { usageError } from '../errors';
import { jsonLines, LogLine, ReadClients } from './account';
import { evidenceFiles } from '../search/files';
import { HISTORY_DAYS } from './keeper';
import { Point } from './meters';

const DAY = 24 * 3_600_000;

/** What is known of the evidence. */
export interface EvidenceState {
  /** Bytes in the runs' own files, from their manifests. Known only where the directory can be read. */
  readonly bytes?: number;
  /** The last run that collected something, of the last 30 days. */
  readonly lastCollected?: number;
  /** What `search index` would read: reports and findings. Known only where the directory can be read. */
  readonly text?: { readonly files: number; readonly bytes: number };
  readonly scans: EvidenceScans;
}

/** What queries of this month read, and how many there were. */
export interface EvidenceScans {
  readonly month: string;
  readonly bytes: number;
  readonly queries: number;
  readonly from: string;
  /** By day, of the last two weeks, those without a query too. */
  readonly days: { readonly bytes: Point[]; readonly queries: Point[] };
}

/** The month of a time, as YYYY-MM in UTC. */
export function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}

/** From the log of the evidence workload: the collector's lines, and those of queries that ran as a task. */
export async function readEvidenceLog(aws: ReadClients, logGroup: string, now: number): Promise<EvidenceState> {
  const lines = await jsonLines(
    aws,
    logGroup,
    '{ ($.event = "collected") || ($.event = "evidence-scan") }',
    now - HISTORY_DAYS * DAY,
  );
  return evidenceState(lines, now);
}

export function evidenceState(lines: LogLine[], now: number): EvidenceState {
  const collected = lines.filter(({ fields }) => fields.event === 'collected');
  const scans = lines
    .filter(({ fields }) => fields.event === 'evidence-scan')
    .map(({ fields }) => ({ at: Date.parse(String(fields.at)), bytes: Number(fields.bytes) }));
  return {
    lastCollected: collected[collected.length - 1]?.at,
    scans: scansOf(scans, 'that ran as a task, by the log of the last 30 days', now),
  };
}

function scansOf(scans: { at: number; bytes: number }[], from: string, now: number): EvidenceScans {
  const ofMonth = scans.filter(({ at }) => monthOf(at) === monthOf(now));
  const bytesOf = (some: typeof scans) => some.reduce((sum, { bytes }) => sum + bytes, 0);
  const byDay = (valueOf: (some: typeof scans) => number) =>
    Array.from({ length: 14 }, (_, day) => now - (14 - day) * DAY).map((start) => ({
      at: start,
      value: valueOf(scans.filter(({ at }) => at >= start && at < start + DAY)),
    }));
  return {
    month: monthOf(now),
    bytes: bytesOf(ofMonth),
    queries: ofMonth.length,
    from,
    days: { bytes: byDay(bytesOf), queries: byDay(({ length }) => length) },
  };
}

/** Refuses a directory that is not that of evidence. */
export function requireEvidenceFolder(folder: string): void {
  if (!fs.existsSync(path.join(folder, 'focus'))) {
    throw usageError(
      `--evidence ${folder}`,
      'It has no directory focus.',
      'Pass the mounted directory /evidence, or a copy.',
    );
  }
}

/** From the mounted directory, or a copy: every manifest, and the record that queries leave beside the evidence. */
export function readEvidenceFolder(folder: string, now: number): EvidenceState {
  const focus = path.join(folder, 'focus');
  let [bytes, last] = [0, 0];
  for (const manifest of manifestsBelow(focus)) {
    const { totals, run } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as {
      totals: { storedBytes: number };
      run: string;
    };
    bytes += totals.storedBytes;
    const [, year, mon, day, hour, minute, second] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(run)!;
    last = Math.max(last, Date.UTC(+year, +mon - 1, +day, +hour, +minute, +second));
  }
  const months = [monthOf(now - 14 * DAY), monthOf(now)];
  const scans = [...new Set(months)].flatMap((month) => scansBelow(folder, month));
  return {
    bytes,
    lastCollected: last || undefined,
    text: textBelow(folder),
    scans: scansOf(scans, 'in the record beside the evidence', now),
  };
}

function textBelow(folder: string): EvidenceState['text'] {
  if (!['reports', 'findings'].some((name) => fs.existsSync(path.join(folder, name)))) {
    return { files: 0, bytes: 0 };
  }
  const { files } = evidenceFiles(folder);
  return {
    files: files.length,
    bytes: files.reduce((sum, { file }) => sum + (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0),
  };
}

function manifestsBelow(focus: string): string[] {
  const folders = (parent: string, prefix: string) =>
    fs
      .readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix))
      .map((entry) => path.join(parent, entry.name));
  return folders(focus, 'BILLING_PERIOD=')
    .flatMap((month) => folders(month, 'run='))
    .map((run) => path.join(run, 'manifest.json'))
    .filter((file) => fs.existsSync(file));
}

/** One JSON file for each query, below .efs-data-layer/scans/YYYY-MM. */
function scansBelow(folder: string, month: string): { at: number; bytes: number }[] {
  const place = path.join(folder, '.efs-data-layer', 'scans', month);
  const names = fs.existsSync(place) ? fs.readdirSync(place).filter((name) => /^[^.].*\.json$/.test(name)) : [];
  return names.map((name) => {
    const scan = JSON.parse(fs.readFileSync(path.join(place, name), 'utf8')) as { at: string; bytes: number };
    return { at: Date.parse(scan.at), bytes: scan.bytes };
  });
}
