import type { DuckDBResult } from '@duckdb/node-api';

export type OutputFormat = 'table' | 'csv' | 'json';

/** A table holds all of its rows in memory to align them: this many, and then it says so. */
const TABLE_ROWS = 1000;

/** A number with its noun: 1 run, 2 runs. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Prints a result as it comes. Returns the number of rows. */
export async function printResult(
  result: DuckDBResult,
  format: OutputFormat,
  out: (line: string) => void,
  note: (line: string) => void,
): Promise<number> {
  const names = result.deduplicatedColumnNames();
  const whole = result.columnTypes().map((type) => /INT$/.test(`${type}`));
  const kept: string[][] = [];
  let count = 0;
  if (format === 'csv') {
    out(names.map(csvField).join(','));
  }
  for await (const rows of result.yieldRowsJson()) {
    for (const row of rows) {
      count++;
      if (format === 'json') {
        out(JSON.stringify(Object.fromEntries(names.map((name, index) => [name, numberOf(row[index], whole[index])]))));
      } else if (format === 'csv') {
        out(row.map((value) => csvField(plain(value))).join(','));
      } else if (count <= TABLE_ROWS) {
        kept.push(row.map(plain));
      }
    }
  }
  if (format === 'table') {
    const numeric = names.map((_, index) => kept.length > 0 && kept.every((row) => NUMBER.test(row[index])));
    const decimals = names.map((_, index) => (numeric[index] ? decimalsOf(kept.map((row) => row[index])) : 0));
    const even = kept.map((row) =>
      row.map((cell, index) => (decimals[index] && cell ? padded(cell, decimals[index]) : cell)),
    );
    table(names, even, numeric).forEach(out);
    if (count > TABLE_ROWS) {
      note(`The first ${TABLE_ROWS} of ${count} rows; --csv and --json print all.`);
    }
  }
  return count;
}

/** An empty cell is no reason against a column of numbers. */
const NUMBER = /^(-?[\d.]+(e[+-]?\d+)?)?$/i;

/** Digits behind the point when all numbers of a column have few: they then stand below one another. */
function decimalsOf(cells: string[]): number {
  const most = Math.max(...cells.map((cell) => (/e/i.test(cell) ? 99 : (cell.split('.')[1] ?? '').length)));
  return most <= 4 ? most : 0;
}

/** Works on the text: a number may have more digits than a double holds. */
function padded(cell: string, decimals: number): string {
  const [whole, digits = ''] = cell.split('.');
  return `${whole}.${digits.padEnd(decimals, '0')}`;
}

/** Whole numbers of 64 bits come as text, because not all of them fit into JSON's numbers; those that fit become such. */
function numberOf(value: unknown, whole: boolean): unknown {
  return whole && typeof value === 'string' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function plain(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : `${value}`;
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** Aligned columns; numbers to the right. Control characters, which a file may hold, do not reach the terminal. */
export function table(names: string[], rows: string[][], right: boolean[] = []): string[] {
  const clean = rows.map((row) => row.map((cell) => cell.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')));
  const widths = names.map((name, index) => Math.max(name.length, ...clean.map((row) => row[index].length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, index) => (right[index] ? cell.padStart(widths[index]) : cell.padEnd(widths[index])))
      .join('  ')
      .trimEnd();
  return [line(names), line(widths.map((width) => '-'.repeat(width))), ...clean.map(line)];
}

/** 1.5 GB, as storage is sold: powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
