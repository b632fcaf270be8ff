import { createHash } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import { CliError, usageError } from '../errors';
import { Format, formatOf } from './documents';

/** A file whose text is searched in. */
export interface EvidenceFile {
  readonly file: string;
  /** Relative to the folder that was named, with slashes: what the index knows it by. */
  readonly name: string;
  readonly format: Format;
  /** reports/<name> or findings/<name>. */
  readonly dataset: string;
  /** YYYY-MM, when a folder says so. */
  readonly month?: string;
  /** The run that it belongs to. */
  readonly run?: string;
}

/** What people search in. Exports of costs are asked with SQL: efs-data-layer evidence query. */
const FOLDERS = ['reports', 'findings'];
const MONTH = /^(?:billing_?period|billing_?month|month)=(\d{4}-\d{2})/i;
const RUN = /^run=/;

/** The files with text below reports/ and findings/, in order, and how many others there are. */
export function evidenceFiles(root: string): { files: EvidenceFile[]; others: number } {
  if (!fs.statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw usageError(root, 'It is no folder.', 'Pass the folder that holds the evidence, for example /mnt/evidence.');
  }
  const present = FOLDERS.filter((name) =>
    fs.statSync(path.join(root, name), { throwIfNoEntry: false })?.isDirectory(),
  );
  if (present.length === 0) {
    throw usageError(
      root,
      'It has neither reports/ nor findings/.',
      'Pass the folder above them, for example /mnt/evidence or a copy of it.',
    );
  }
  const files: EvidenceFile[] = [];
  let others = 0;
  const walk = (folder: string): void => {
    for (const entry of entriesOf(path.join(root, folder))) {
      const name = `${folder}/${entry.name}`;
      // `current` and the like point to a run that is walked anyway; a name with a dot is being written.
      if (entry.name.startsWith('.') || entry.isSymbolicLink()) {
        continue;
      }
      const format = formatOf(entry.name);
      if (entry.isDirectory()) {
        walk(name);
      } else if (entry.isFile() && format && entry.name !== 'manifest.json') {
        files.push({ file: path.join(root, name), name, format, ...placeOf(name) });
      } else if (entry.isFile() && entry.name !== 'manifest.json') {
        others++;
      }
    }
  };
  present.forEach(walk);
  return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), others };
}

function placeOf(name: string): Pick<EvidenceFile, 'dataset' | 'month' | 'run'> {
  const parts = name.split('/');
  return {
    dataset: parts.length > 2 ? parts.slice(0, 2).join('/') : parts[0],
    month: parts.map((part) => MONTH.exec(part)?.[1]).find((month) => month !== undefined),
    run: parts.find((part) => RUN.test(part)),
  };
}

function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new CliError(folder, `It cannot be read: ${(error as Error).message}.`, 'Check its permissions.');
  }
}

/** The SHA-256 of a file, read as a stream. */
export async function sha256Of(file: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    digest.update(chunk);
  }
  return digest.digest('hex');
}
