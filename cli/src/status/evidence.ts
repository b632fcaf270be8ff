import * as fs from 'fs';
import * as path from 'path';
import { usageError } from '../errors';
import { jsonLines, LogLine, ReadClients } from './account';
import { HISTORY_DAYS } from './keeper';

const DAY = 24 * 3_600_000;

/** What is known of the evidence. */
export interface EvidenceState {
  /** Bytes in the runs' own files, from their manifests. Known only where the directory can be read. */
  readonly bytes?: number;
  /** The last run that collected something, of the last 30 days. */
  readonly lastCollected?: number;
  /** What queries of this month read: bytes, and how many there were. */
  readonly scans: { readonly month: string; readonly bytes: number; readonly queries: number; readonly from: string };
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
  const month = monthOf(now);
  const collected = lines.filter(({ fields }) => fields.event === 'collected');
  const scans = lines.filter(({ fields }) => fields.event === 'evidence-scan' && String(fields.at).startsWith(month));
  return {
    lastCollected: collected[collected.length - 1]?.at,
    scans: {
      month,
      bytes: scans.reduce((sum, { fields }) => sum + Number(fields.bytes), 0),
      queries: scans.length,
      from: 'that ran as a task, by the log of the last 30 days',
    },
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
  return { bytes, lastCollected: last || undefined, scans: scansBelow(folder, monthOf(now)) };
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
function scansBelow(folder: string, month: string): EvidenceState['scans'] {
  const place = path.join(folder, '.efs-data-layer', 'scans', month);
  const names = fs.existsSync(place) ? fs.readdirSync(place).filter((name) => /^[^.].*\.json$/.test(name)) : [];
  const bytes = names.map(
    (name) => (JSON.parse(fs.readFileSync(path.join(place, name), 'utf8')) as { bytes: number }).bytes,
  );
  return {
    month,
    bytes: bytes.reduce((sum, each) => sum + each, 0),
    queries: names.length,
    from: 'in the record beside the evidence',
  };
}
