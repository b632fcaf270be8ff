import { Alternative, alternativesFor, Workload } from '../../../lib/bill/alternatives';
import { BreakEven, breakEvens } from '../../../lib/bill/break-even';
import { PriceBook } from '../../../lib/bill/price-book';
import { textTable } from '../text-table';

/** The alternatives for a workload in a region, and where the choice between two of them changes. */
export interface Comparison {
  readonly region: string;
  readonly workload: Workload;
  readonly alternatives: Alternative[];
  readonly breakEvens: BreakEven[];
}

export function compare(region: string, workload: Workload): Comparison {
  const book = PriceBook.forRegion(region);
  return {
    region,
    workload,
    alternatives: alternativesFor(book, workload),
    breakEvens: breakEvens(book, workload),
  };
}

/** USD with cents. */
export function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** A figure for people: three digits, thousands separated. */
export function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** What to know of the rates behind a number: * not of the region, ~ not from the price list itself. */
export function marks(alternative: Alternative): string {
  const { lines } = alternative;
  const unsure = lines.some(({ confidence }) => !confidence.endsWith('high'));
  return `${lines.some(({ rateFrom }) => rateFrom) ? '*' : ''}${unsure ? '~' : ''}`;
}

/** The sentence of a break-even point. */
export function sentence(point: BreakEven, names: ReadonlyMap<string, string>): string {
  const name = (id: string) => names.get(id) ?? id;
  if (point.at === undefined) {
    const dearer = point.cheaperBelow === point.left ? point.right : point.left;
    return `${name(point.cheaperBelow)} costs less than ${name(dearer)} up to ${figure(point.max)} (${point.label}).`;
  }
  return `Below ${figure(point.at)} (${point.label}) ${name(point.cheaperBelow)} costs less, above it ${name(point.cheaperAbove)}.`;
}

export function namesOf({ alternatives }: Comparison): Map<string, string> {
  return new Map(alternatives.map(({ id, name }) => [id, name]));
}

/** What is compared, in words. */
export function describe({
  gib,
  users,
  scanGb,
  vectors,
  dimensions,
  queries,
  searchHours,
  awakeHours,
}: Workload): string {
  return (
    `${figure(gib)} GiB of data, ${figure(users)} users, ${figure(scanGb)} GB scanned, ` +
    `${figure(vectors)} vectors of ${figure(dimensions)} numbers, ${figure(queries)} vector queries, ` +
    `${figure(searchHours)} hours of search, databases awake for ${figure(awakeHours)} hours`
  );
}

/** The whole comparison for a terminal. */
export function comparisonText(comparison: Comparison): string {
  const { alternatives, region, workload } = comparison;
  const base = alternatives[0].usd;
  const rows = alternatives.map((alternative) => [
    alternative.name,
    alternative.purpose,
    usd(alternative.usd) + marks(alternative),
    `${figure(alternative.usd / base)}x`,
  ]);
  const names = namesOf(comparison);
  const notes = alternatives.filter(({ note }) => note).map(({ name, note }) => `  ${name}: ${note}`);
  const some = (mark: string) => alternatives.some((alternative) => marks(alternative).includes(mark));
  return [
    `Alternatives in ${region}, USD a month, for ${describe(workload)}.`,
    '',
    textTable(
      [
        { heading: 'Alternative' },
        { heading: 'For' },
        { heading: 'Monthly', align: 'right' },
        { heading: 'Of this data layer', align: 'right' },
      ],
      rows,
    ),
    ...(some('*') ? ['* with rates of us-east-1, where the price book of the region has none'] : []),
    ...(some('~') ? ['~ with a rate that was not read from the price list itself'] : []),
    '',
    'Where the choice changes, all else equal:',
    ...comparison.breakEvens.map((point) => `  ${sentence(point, names)}`),
    '',
    'What the numbers leave open:',
    ...notes,
  ].join('\n');
}
