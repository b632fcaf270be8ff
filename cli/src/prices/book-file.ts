import * as fs from 'fs';
import * as path from 'path';
import { PriceEntry } from '../../../lib/bill/price-book';
import { CliError, usageError } from '../errors';

/** The rates of a region as its file has them. */
export interface BookFile {
  readonly region: string;
  readonly entries: readonly PriceEntry[];
}

/** The price book of a region in a directory; undefined when there is none yet. */
export function readBook(directory: string, region: string): BookFile | undefined {
  const file = path.join(directory, `${region}.json`);
  if (!fs.existsSync(file)) {
    return undefined;
  }
  let book: BookFile | undefined;
  try {
    book = JSON.parse(fs.readFileSync(file, 'utf8')) as BookFile;
  } catch (error) {
    throw notABook(file, (error as Error).message);
  }
  if (book?.region !== region || !Array.isArray(book.entries) || !book.entries.every(isEntry)) {
    throw notABook(file, `it is no price book of ${region}`);
  }
  return book;
}

function isEntry(entry: Partial<PriceEntry> | null): boolean {
  const texts = [entry?.key, entry?.unit, entry?.serviceCode];
  const priced = typeof entry?.usd === 'number' || Array.isArray(entry?.tiers);
  return priced && texts.every((text) => typeof text === 'string');
}

function notABook(file: string, problem: string): CliError {
  return usageError(file, `It cannot be read: ${problem}.`, 'Remove it, or name another directory with --out.');
}

/** Writes beside the file, flushes, and renames: whoever reads finds the old book or the new one, and both are whole. */
export function writeBook(directory: string, book: BookFile): string {
  const file = path.join(directory, `${book.region}.json`);
  const beside = `${file}.${process.pid}.tmp`;
  try {
    fs.mkdirSync(directory, { recursive: true });
    try {
      fs.writeFileSync(beside, `${JSON.stringify(book, undefined, 2)}\n`);
      flush(beside, 'r+');
      fs.renameSync(beside, file);
    } catch (error) {
      fs.rmSync(beside, { force: true });
      throw error;
    }
    // The new name must be on the disk too. Windows has no such call for directories.
    if (process.platform !== 'win32') {
      flush(directory, 'r');
    }
  } catch (error) {
    throw new CliError(
      file,
      `It cannot be written: ${(error as Error).message}.`,
      'Name another directory with --out.',
    );
  }
  return file;
}

function flush(name: string, flags: string): void {
  const handle = fs.openSync(name, flags);
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
