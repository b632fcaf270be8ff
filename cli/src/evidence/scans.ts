import { randomBytes } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import { OWN_FOLDER } from './sources';

/** How much one query read. */
export interface Scan {
  /** When it ended; ISO 8601, UTC. */
  readonly at: string;
  /** The name of the ready query, or `sql`. */
  readonly query: string;
  /** Bytes read from files: converting, which is done once, and the query. */
  readonly bytes: number;
  /** Of all processes' reads where the system counts them (Linux); else the size of the files, which is the most it can be. */
  readonly measured: boolean;
  readonly seconds: number;
}

/** What the queries of one month read. */
export interface ScanTotal {
  readonly queries: number;
  readonly bytes: number;
}

/** The event of a scan, in the lines that a one-off task logs. */
export const SCAN_EVENT = 'evidence-scan';

/** Set in a one-off task: the event is then a line of the log, where status finds it without the volume. */
export const SCAN_LINE = 'EFS_DATA_LAYER_SCAN_LINE';

function folder(root: string, month: string): string {
  return path.join(root, OWN_FOLDER, 'scans', month);
}

/** One file for each query: two writers of one file, on NFS, would lose lines. False where nothing can be written. */
export function recordScan(root: string, scan: Scan): boolean {
  const place = folder(root, scan.at.slice(0, 7));
  const name = `${scan.at.replace(/[^0-9TZ]/g, '')}-${randomBytes(4).toString('hex')}.json`;
  try {
    fs.mkdirSync(place, { recursive: true });
    fs.writeFileSync(path.join(place, `.${name}`), `${JSON.stringify(scan)}\n`, { flag: 'wx' });
    fs.renameSync(path.join(place, `.${name}`), path.join(place, name));
    return true;
  } catch {
    return false;
  }
}

/** What the queries of a month (YYYY-MM) read, as recorded beside the evidence. */
export function scanTotal(root: string, month: string): ScanTotal {
  let [queries, bytes] = [0, 0];
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder(root, month));
  } catch {
    return { queries, bytes }; // No query in this month.
  }
  for (const name of names.filter((one) => !one.startsWith('.'))) {
    try {
      bytes += (JSON.parse(fs.readFileSync(path.join(folder(root, month), name), 'utf8')) as Scan).bytes;
      queries++;
    } catch {
      // Half a file of a task that was killed says nothing.
    }
  }
  return { queries, bytes };
}

/** Bytes that this process has read so far, with every call that reads; undefined where the system does not say. */
export function bytesReadSoFar(): number | undefined {
  try {
    return Number(/^rchar: (\d+)/m.exec(fs.readFileSync('/proc/self/io', 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
