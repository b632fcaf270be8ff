import { Alternative, Alternatives, BreakEven, breakEvens, Workload } from '../../../lib/bill';
import { columns, usd } from '../bill/format';

/** The alternatives for a workload in a region, and where the choice between two of them changes. */
export interface Comparison {
  readonly region: string;
  readonly workload: Workload;
  readonly alternatives: Alternative[];
  readonly breakEvens: BreakEven[];
}

export function compare(region: string, workload: Workload): Comparison {
  const alternatives = new Alternatives(region);
  return {
    region,
    workload,
    alternatives: alternatives.all(workload),
    breakEvens: breakEvens(alternatives, workload),
  };
}

/** A figure for people: three digits, thousands separated. */
export function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** What to know of the rates behind a number: * of another region, † not from the price list itself. */
export function marks({ lines }: Alternative, region: string): string {
  const elsewhere = lines.some(({ rateFrom }) => rateFrom !== region);
  const unsure = lines.some(({ rateFrom, confidence }) => rateFrom === region && confidence !== 'high');
  return `${elsewhere ? '*' : ''}${unsure ? '†' : ''}`;
}

/** What the marks mean, of those that are used. */
export function legend({ alternatives, region }: Comparison): string[] {
  const used = alternatives.map((alternative) => marks(alternative, region)).join('');
  return [
    ...(used.includes('*') ? ['* with a rate of us-east-1, where the price book of this region has none'] : []),
    ...(used.includes('†') ? ['† with a rate that was not taken from the AWS price list'] : []),
  ];
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
    usd(alternative.usd) + marks(alternative, region).padEnd(2),
    `${figure(alternative.usd / base)}x`,
  ]);
  const names = namesOf(comparison);
  const notes = alternatives.filter(({ note }) => note).map(({ name, note }) => `  ${name}: ${note}`);
  return [
    `Alternatives in ${region}, USD a month, for ${describe(workload)}.`,
    '',
    ...columns([['Alternative', 'For', 'Monthly  ', 'Of this data layer'], ...rows], [0, 1]),
    ...legend(comparison),
    '',
    'Where the choice changes, all else equal:',
    ...comparison.breakEvens.map((point) => `  ${sentence(point, names)}`),
    '',
    'What the numbers leave open:',
    ...notes,
  ].join('\n');
}
