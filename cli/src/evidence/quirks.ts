import { CsvHead } from './csv-head';
import { focusColumn } from './focus/columns';

/** What FOCUS's format rules do not allow, although files that providers and the FinOps Foundation publish have it. */
export interface Quirks {
  readonly differences: string[];
  /** Columns of times with an offset from UTC other than Z. */
  readonly offsets: string[];
}

const FORMAT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const OFFSET = /\d[+-]\d\d(:?\d\d)?$/;

/** Looks at the first rows of a file. */
export function quirks({ names, rows }: Pick<CsvHead, 'names' | 'rows'>): Quirks {
  const differences: string[] = [];
  const literalNull = names.filter((_, index) => rows.some((row) => row[index] === 'NULL'));
  if (literalNull.length > 0) {
    differences.push(`the word NULL stands for an empty value (${some(literalNull)}); read as empty`);
  }
  const times = names.filter((name) => focusColumn(name)?.type === 'Date/Time');
  const valuesOf = (name: string) =>
    rows
      .map((row) => row[names.indexOf(name)])
      .filter((value) => value !== undefined && value !== '' && value !== 'NULL');
  const offsets = times.filter((name) => valuesOf(name).some((value) => OFFSET.test(value) && / |T/.test(value)));
  const zoneless = times.filter(
    (name) => !offsets.includes(name) && valuesOf(name).some((value) => !FORMAT.test(value)),
  );
  if (zoneless.length > 0) {
    const [example] = valuesOf(zoneless[0]).filter((value) => !FORMAT.test(value));
    differences.push(`times that are not YYYY-MM-DDTHH:mm:ssZ, such as ${example} (${some(zoneless)}); read as UTC`);
  }
  if (offsets.length > 0) {
    differences.push(`times with an offset from UTC (${some(offsets)}); changed to UTC`);
  }
  return { differences, offsets };
}

function some(names: string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
