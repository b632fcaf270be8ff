import { Alternatives, Workload } from './alternatives';

/** Two alternatives, and the figure of the workload that decides between them. */
interface Pair {
  readonly left: string;
  readonly right: string;
  readonly axis: keyof Workload;
  /** The figure in words, with its unit. */
  readonly label: string;
  /** Where the search ends. */
  readonly max: number;
}

/** Where one alternative becomes cheaper than another, all else equal. */
export interface BreakEven extends Pair {
  /** The value of the figure at which both cost the same; undefined: one is cheaper over the whole range. */
  readonly at?: number;
  /** The cheaper one below `at`, or over the whole range. */
  readonly cheaperBelow: string;
  /** The cheaper one above `at`. */
  readonly cheaperAbove: string;
}

const PAIRS: readonly Pair[] = [
  { left: 'efs-bursting', right: 'rds-postgresql', axis: 'gib', label: 'live data, GiB', max: 1000 },
  { left: 'efs-bursting', right: 'aurora-serverless-v2', axis: 'gib', label: 'live data, GiB', max: 1000 },
  {
    left: 'efs-bursting',
    right: 's3-tables-athena',
    axis: 'scanGb',
    label: 'evidence scanned, GB a month',
    max: 100_000,
  },
  {
    left: 'efs-elastic',
    right: 's3-tables-athena',
    axis: 'scanGb',
    label: 'evidence scanned, GB a month',
    max: 100_000,
  },
  { left: 's3-vectors', right: 'pgvector-own-rds', axis: 'queries', label: 'vector queries a month', max: 100_000_000 },
  { left: 's3-vectors', right: 'qdrant-fargate', axis: 'queries', label: 'vector queries a month', max: 100_000_000 },
  { left: 'aurora-serverless-v2', right: 'rds-postgresql', axis: 'awakeHours', label: 'hours awake a month', max: 730 },
  {
    left: 'opensearch-nextgen',
    right: 'opensearch-classic',
    axis: 'searchHours',
    label: 'hours of search a month',
    max: 730,
  },
];

/** Bisection: costs are continuous in every figure, and their difference changes its sign at most once. */
function crossing(difference: (at: number) => number, max: number): number | undefined {
  let [low, high] = [0, max];
  if (Math.sign(difference(low)) === Math.sign(difference(high))) {
    return undefined;
  }
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (Math.sign(difference(middle)) === Math.sign(difference(low))) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** The points at which the choice changes, for a workload. */
export function breakEvens(alternatives: Alternatives, workload: Workload): BreakEven[] {
  return PAIRS.map((pair) => {
    const difference = (at: number): number => {
      const there = { ...workload, [pair.axis]: at };
      return alternatives.one(pair.left, there).usd - alternatives.one(pair.right, there).usd;
    };
    // At the very end of the range there is nothing above it.
    const found = crossing(difference, pair.max);
    const at = found !== undefined && found < pair.max * 0.999 ? found : undefined;
    const cheaper = (where: number) => (difference(where) <= 0 ? pair.left : pair.right);
    return { ...pair, at, cheaperBelow: cheaper((at ?? pair.max) / 2), cheaperAbove: cheaper(pair.max) };
  });
}
