import * as fs from 'fs';
import * as path from 'path';
import { BillError, PriceBook, PriceEntry } from '../../../lib/bill';
import { CliError, usageError } from '../errors';

/** The rates of a region as its file has them. */
export interface BookFile {
  readonly region: string;
  readonly entries: readonly PriceEntry[];
}

/** The rates of a region so far: of the directory, or else of the package; none when there is no book. */
export function ratesSoFar(directory: string, region: string): readonly PriceEntry[] {
  const there = fs.statSync(directory, { throwIfNoEntry: false });
  if (there && !there.isDirectory()) {
    throw usageError(`--out ${directory}`, 'It is no directory.', 'Name another one.');
  }
  const refreshed = there ? directory : undefined;
  try {
    const rates = PriceBook.regions(refreshed).includes(region) ? PriceBook.forRegion(region, refreshed).entries : [];
    const odd = rates.find(({ unit, serviceCode, usageType }) => usageType !== null && (!unit || !serviceCode));
    if (odd) {
      throw new BillError(`${region}, ${odd.key}`, 'The entry has no unit or no serviceCode.', '');
    }
    return rates;
  } catch (error) {
    if (error instanceof BillError) {
      throw usageError(error.where, error.problem, 'Remove the file, or name another directory with --out.');
    }
    throw error;
  }
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
