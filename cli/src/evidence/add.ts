import { randomBytes } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import { CliError, usageError } from '../errors';
import { MANIFEST, Manifest, sealed, sha256Of } from './manifest';
import { requireFolder, runsOf } from './sources';
import type { Head } from './verify';

export interface Addition {
  readonly root: string;
  /** reports/<name> or findings/<name>. */
  readonly dataset: string;
  readonly files: string[];
  /** YYYY-MM. */
  readonly month: string;
  readonly now: Date;
  readonly version: string;
}

const DATASET = /^(reports|findings)\/[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Puts files on the volume as one run: copied whole under a temporary name, synced, named in a manifest with their
 * SHA-256, and renamed. Nothing that is there is changed. Two writers at once cannot both continue one run: the name of
 * a run can be taken once.
 *
 * @returns the run and the SHA-256 of its manifest, to be kept outside the volume
 */
export async function addRun(addition: Addition): Promise<Head> {
  const { root, dataset, files, month, now } = addition;
  if (!DATASET.test(dataset)) {
    throw usageError(
      dataset,
      'It is no place for evidence.',
      'Pass reports/<name> or findings/<name>, in lower case with hyphens, for example findings/prowler. The folder focus belongs to the collector.',
    );
  }
  const names = files.map((file) => path.basename(file));
  for (const [index, file] of files.entries()) {
    if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
      throw usageError(file, 'It is no file.', 'Pass files; a folder is packed first.');
    }
    if (names.indexOf(names[index]) !== index || names[index] === MANIFEST || names[index].startsWith('.')) {
      throw usageError(file, 'A run cannot have a file of this name, or has it already.', 'Rename it.');
    }
  }
  const folder = path.join(requireFolder(root), dataset, `MONTH=${month}`);
  const partial = path.join(folder, `.partial-${randomBytes(8).toString('hex')}`);
  try {
    fs.mkdirSync(partial, { recursive: true });
    const before = runsOf(fs.readdirSync(folder)).at(-1);
    const run = runName(now, before);
    const previous =
      before === undefined
        ? null
        : { manifestSha256: await sha256Of(path.join(folder, before, MANIFEST)), run: before };
    const entries: Manifest['files'] = [];
    for (const [index, file] of files.entries()) {
      entries.push(await copy(file, partial, names[index], run));
    }
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const manifest = {
      schemaVersion: 1 as const,
      tool: { name: 'efs-data-layer', version: addition.version },
      dataset,
      month,
      run,
      startedAt: seconds(now),
      files: entries.sort((a, b) => (a.name < b.name ? -1 : 1)),
      totals: { files: entries.length, bytes },
      previous,
    };
    write(path.join(partial, MANIFEST), sealed(manifest));
    sync(partial);
    fs.renameSync(partial, path.join(folder, run)); // Fails when the run is there: it is not empty.
    sync(folder);
    return {
      folder: `${dataset}/MONTH=${month}`,
      run,
      manifestSha256: await sha256Of(path.join(folder, run, MANIFEST)),
    };
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true });
    if (error instanceof CliError) {
      throw error;
    }
    throw new CliError(
      folder,
      `The run was not written: ${(error as Error).message}.`,
      'Nothing half-done is kept. Correct this and run the command again.',
      74,
    );
  }
}

/** run=<UTC>, later than the one before it whatever the clock says. */
function runName(now: Date, before: string | undefined): string {
  const name = (at: Date) => `run=${at.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  if (before === undefined || name(now) > before) {
    return name(now);
  }
  const [, y, m, d, hh, mm, ss] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(before)!.map(Number);
  return name(new Date(Date.UTC(y, m - 1, d, hh, mm, ss + 1)));
}

function seconds(at: Date): string {
  return at.toISOString().replace(/\.\d+/, '');
}

/** The bytes that were copied are the ones that are hashed, whatever happens to the original meanwhile. */
async function copy(file: string, folder: string, name: string, run: string): Promise<Manifest['files'][number]> {
  const to = path.join(folder, name);
  fs.copyFileSync(file, to);
  sync(to);
  fs.chmodSync(to, 0o444);
  return { name, sha256: await sha256Of(to), bytes: fs.statSync(to).size, storedIn: run, storedAs: name };
}

function write(file: string, text: string): void {
  fs.writeFileSync(file, text, { flag: 'wx' });
  sync(file);
  fs.chmodSync(file, 0o444);
}

function sync(file: string): void {
  const handle = fs.openSync(file, 'r');
  fs.fsyncSync(handle);
  fs.closeSync(handle);
}
