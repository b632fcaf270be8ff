import * as fs from 'fs';
import * as path from 'path';

/** A task definition takes 64 KiB; the keeper may have half of it, and this a quarter. */
export const MAX_ENTRY_BYTES = 16384;

/** The text of entry.py, which checks the database before the application starts. */
export function entryScript(): string {
  return fs.readFileSync(path.join(__dirname, 'entry.py'), 'utf8');
}

/** The words before a command that is to start only when its database is the right one. */
export function entryCommand(): string[] {
  return ['python3', '-c', entryScript()];
}
