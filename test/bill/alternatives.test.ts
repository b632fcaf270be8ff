import { Alternatives, breakEvens, DEFAULT_WORKLOAD, PriceBook, Workload } from '../../lib/bill';

const costOf = (id: string, workload: Partial<Workload> = {}, region = 'us-east-1') =>
  new Alternatives(region).one(id, { ...DEFAULT_WORKLOAD, ...workload }).usd;

// By hand, from the unit prices of 2025-09 to 2026-09 in us-east-1; 730 hours.
test.each<[string, Partial<Workload>, number]>([
  // 20 x 0.30, three snapshots of 10 % at 0.30, and (20 + 6 + 7 x 0.5) x 0.05 of backup
  ['efs-bursting', { gib: 20 }, 6 + 1.8 + 1.475],
  // and 1,000 GB read at 0.03
  ['efs-elastic', { gib: 20, scanGb: 1000 }, 6 + 1.8 + 1.475 + 30],
  // 730 x 0.016 + 20 x 0.115 + 0.40
  ['rds-postgresql', { gib: 20, users: 50 }, 11.68 + 2.3 + 0.4],
  // 730 x 0.032 + 30 x 0.115 + 0.40
  ['rds-postgresql', { gib: 30, users: 51 }, 23.36 + 3.45 + 0.4],
  // 0.5 x 730 x 0.12 + 20 x 0.10
  ['aurora-serverless-v2', {}, 43.8 + 2],
  ['aurora-serverless-v2', { awakeHours: 100 }, 6 + 2],
  ['aurora-serverless-v2-paused', {}, 2],
  // 20 GB of which one is free
  ['aurora-dsql', {}, 19 * 0.33],
  // 1 M vectors of 1,024 numbers = 4.396 GB at 0.06; 1 M queries at 2.50; 4,396 TB looked at, at 0.004
  ['s3-vectors', { vectors: 1e6, queries: 1e6 }, 4.396 * 0.06 + 2.5 + 4396 * 0.004],
  // 0.25 x 730 x 0.03238 + 0.5 x 730 x 0.00356 + 730 x 0.005
  ['qdrant-fargate', {}, 5.90935 + 1.2994 + 3.65],
  // 20 x 0.0265 + 1 TB at 5.00
  ['s3-tables-athena', { scanGb: 1000 }, 0.53 + 5],
  // 2 OCU x 730 x 0.24 + 20 x 0.024
  ['opensearch-classic-redundant', {}, 350.4 + 0.48],
  ['opensearch-nextgen', { searchHours: 0 }, 0.48],
  ['valkey-serverless', {}, 0.1 * 730 * 0.084],
  ['valkey-node', {}, 730 * 0.0128],
])('%s for %p costs $%d', (id, workload, expected) => {
  expect(costOf(id, workload)).toBeCloseTo(expected, 6);
});

test('pgvector on an RDS of its own is that RDS, with the storage the vectors need', () => {
  expect(costOf('pgvector-own-rds')).toBe(costOf('rds-postgresql', { gib: 20 }));
  expect(costOf('pgvector-own-rds', { vectors: 1e8 })).toBeGreaterThan(costOf('pgvector-own-rds'));
});

test.each(PriceBook.regions())('every alternative has a price in %s; a rate of another region is marked', (region) => {
  for (const { id, lines, usd } of new Alternatives(region).all(DEFAULT_WORKLOAD)) {
    expect({ id, priced: usd > 0 }).toEqual({ id, priced: true });
    for (const { rateFrom, confidence } of lines) {
      expect(rateFrom === region || confidence === 'unverified').toBe(true);
    }
  }
  const [storage] = new Alternatives(region).one('efs-bursting', { ...DEFAULT_WORKLOAD, gib: 1 }).lines;
  const { usd } = PriceBook.forRegion(region).entry('efs/standard-storage');
  expect(storage).toMatchObject({ rateFrom: region, usd });
});

test('an alternative or region that there is not is named', () => {
  expect(() => costOf('dynamodb')).toThrow(/\[dynamodb\].*efs-bursting/);
  expect(() => new Alternatives('mars-north-1')).toThrow(/mars-north-1.*us-east-1/);
});

describe('break-even points', () => {
  const points = breakEvens(new Alternatives('us-east-1'), DEFAULT_WORKLOAD);

  test('at each of them both cost the same, and the order changes there', () => {
    const crossings = points.filter(({ at }) => at !== undefined);
    expect(crossings.length).toBeGreaterThan(3);
    for (const { left, right, axis, at, cheaperBelow, cheaperAbove } of crossings) {
      const difference = (value: number) => costOf(left, { [axis]: value }) - costOf(right, { [axis]: value });
      expect(difference(at!)).toBeCloseTo(0, 4);
      expect(cheaperBelow).toBe(difference(at! * 0.9) < 0 ? left : right);
      expect(cheaperAbove).toBe(difference(at! * 1.1) < 0 ? left : right);
    }
  });

  test('by hand: above 20 GB, EFS meets RDS where 0.455 x + 0.175 = 12.08 + 0.115 x', () => {
    const point = points.find(({ left, right }) => left === 'efs-bursting' && right === 'rds-postgresql')!;
    expect(point.at).toBeCloseTo((12.08 - 0.175) / (0.455 - 0.115), 3);
  });

  test('where one is cheaper over the whole range there is none', () => {
    const point = points.find(({ left, right }) => left === 'efs-elastic' && right === 's3-tables-athena')!;
    expect(point).toMatchObject({ at: undefined, cheaperBelow: 's3-tables-athena', cheaperAbove: 's3-tables-athena' });
  });
});
