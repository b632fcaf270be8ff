import * as fs from 'fs';
import { App, Stack, Validations } from 'aws-cdk-lib';
import * as efs from 'aws-cdk-lib/aws-efs';
import { MonthlyBudget } from '../../lib';
import { PriceBook, PriceEntry, priceOf } from '../../lib/bill';
import { RATE } from '../../lib/bill/rates';
import { bill, folder } from './helpers';

const REGIONS = ['ap-southeast-2', 'eu-west-1', 'us-east-1'];
const ENTRIES = REGIONS.flatMap((region) =>
  PriceBook.forRegion(region).entries.map((entry): [string, string, PriceEntry] => [region, entry.key, entry]),
);
const CONFIDENCE = ['high', 'medium-high', 'medium', 'low', 'unverified'];
const KNOWN = [
  ...['key', 'service', 'dimension', 'unit', 'usd', 'tiers', 'serviceCode', 'usageType', 'operation', 'attributes'],
  ...['source', 'asOf', 'confidence', 'upperUsd', 'notFound'],
];

test('there are books of three regions', () => {
  expect(PriceBook.regions()).toEqual(REGIONS);
});

test('every rate that a bill asks for is in one book at least, but those that no source has', () => {
  const keys = new Set(ENTRIES.map(([, key]) => key));
  const missing = Object.values(RATE).filter((key) => !keys.has(key));
  // Neither AWS's lists nor the other sources that were read say what they cost; a bill with one is "not priced".
  expect(missing.sort()).toEqual(['efs/replication-transfer', 'eventbridge/custom-events']);
});

test('a book names each rate once, and us-east-1 has all that another region has but Spot, which no list has', () => {
  for (const region of REGIONS) {
    const { entries, keys } = PriceBook.forRegion(region);
    expect(new Set(keys).size).toBe(entries.length);
    const other = keys.filter((key) => !PriceBook.forRegion('us-east-1').find(key) && !key.startsWith('fargate/spot'));
    expect([region, other]).toEqual([region, []]);
  }
});

describe('the schema', () => {
  const wrong = (isRight: (entry: PriceEntry) => boolean) =>
    ENTRIES.filter(([, , entry]) => !isRight(entry)).map(([region, key]) => `${region} ${key}`);
  const text = (value: unknown) => typeof value === 'string' && value.trim() !== '';
  const amount = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;

  test.each<[string, (entry: PriceEntry) => boolean]>([
    ['no member but those there are', (entry) => Object.keys(entry).every((name) => KNOWN.includes(name))],
    ['a key of service and dimension', ({ key }) => /^[a-z0-9-]+\/[a-z0-9-]+$/.test(key)],
    ['words', ({ service, dimension, unit }) => [service, dimension, unit].every(text)],
    ['one price or tiers, not both', ({ usd, tiers }) => (usd === undefined) !== (tiers === undefined)],
    ['a price is an amount', ({ usd, tiers }) => (tiers ?? [{ usd }]).every((tier) => amount(tier.usd))],
    [
      'tiers rise, and the last has no end',
      ({ tiers = [{ usd: 0 }] }) =>
        tiers.every(({ upTo }, at) =>
          at === tiers.length - 1 ? upTo === undefined : upTo! > (tiers[at - 1]?.upTo ?? 0),
        ),
    ],
    [
      'a service of the price list, and a usage type of it or the word that there is none',
      ({ key, serviceCode, usageType }) =>
        key === 'vpc/gateway-endpoint' || (text(serviceCode) && (usageType === null || /^[\w:.-]+$/.test(usageType))),
    ],
    ['a source', ({ source }) => text(source)],
    ['how sure it is', ({ confidence }) => CONFIDENCE.includes(confidence)],
    [
      'a date, unless it is not sure or the price is that there is none',
      ({ asOf, confidence, usd }) =>
        asOf === null
          ? confidence === 'unverified' || confidence === 'low' || usd === 0
          : /^20\d\d(-\d\d){0,2}$/.test(asOf),
    ],
    ['an upper estimate is above', ({ usd, upperUsd }) => upperUsd === undefined || upperUsd >= usd!],
  ])('%s', (_name, isRight) => {
    expect(wrong(isRight)).toEqual([]);
  });

  test('one unit for a rate in all regions', () => {
    const units = new Map<string, Set<string>>();
    ENTRIES.forEach(([, key, { unit }]) => units.set(key, (units.get(key) ?? new Set()).add(unit)));
    expect([...units].filter(([, set]) => set.size > 1)).toEqual([]);
  });
});

describe('what a quantity costs', () => {
  const tiered = { tiers: [{ upTo: 10, usd: 0 }, { upTo: 20, usd: 0.3 }, { usd: 0.1 }] } as unknown as PriceEntry;

  test.each([
    [0, 0],
    [10, 0],
    [11, 0.3],
    [20, 3],
    [25, 3.5],
  ])('%d in tiers: $%d', (quantity, usd) => {
    expect(priceOf(tiered, quantity)).toBeCloseTo(usd, 12);
  });

  test('a plain rate', () => {
    expect(priceOf(PriceBook.forRegion('us-east-1').entry('efs/standard-storage'), 20)).toBeCloseTo(6, 12);
  });
});

describe('refreshed books', () => {
  const refreshed = (region: string, usd: number) => ({
    region,
    entries: PriceBook.forRegion('us-east-1').entries.map((one) =>
      one.key === RATE.efsStandard ? { ...one, usd } : one,
    ),
  });
  const VOLUME = { Fs: { Type: 'AWS::EFS::FileSystem', Properties: {} } };
  const USAGE = { 'efs.storedGiB': 20, 'efs.snapshotsKept': 0 };
  const directory = folder({
    'us-east-1.json': refreshed('us-east-1', 0.5),
    'eu-central-1.json': refreshed('eu-central-1', 0.4),
    'notes.json': {},
  });

  test.each([
    ['us-east-1', 10], // that of the directory goes before
    ['eu-central-1', 8], // a region the package has none of
    ['eu-west-1', 6.6], // not refreshed
  ])('%s: $%d', (region, usd) => {
    expect(bill(VOLUME, USAGE, { region, prices: directory }).totals.dataLayer.totalUsd).toBeCloseTo(usd, 10);
  });

  test('without the directory nothing of it counts', () => {
    expect(PriceBook.regions()).not.toContain('eu-central-1');
    expect(PriceBook.regions(directory)).toEqual(['ap-southeast-2', 'eu-central-1', 'eu-west-1', 'us-east-1']);
  });

  test('the budget reads them', () => {
    const app = new App();
    const stack = new Stack(app, 'Own', { env: { account: '123456789012', region: 'eu-central-1' } });
    new efs.CfnFileSystem(stack, 'Fs');
    const budget = new MonthlyBudget({ limitUsd: 20, usage: USAGE, pricesDirectory: directory });
    Validations.of(app).addPlugins(budget);
    app.synth();
    expect(budget.summary).toContain('$8.00 of $20.00 a month at the prices of eu-central-1');
  });

  test.each<[string, unknown, RegExp]>([
    ['half a file', '{"region": "us-east-1", "entr', /us-east-1\.json\] It is no price book: .*prices refresh/],
    ['another region', refreshed('eu-west-1', 1), /its region is "eu-west-1", not us-east-1/],
    ['no entries', { region: 'us-east-1' }, /no list of entries/],
    ['a negative price', refreshed('us-east-1', -1), /the entry "efs\/standard-storage" has no price/],
    ['null', 'null', /its region is undefined/],
  ])('%s is refused', (_name, content, message) => {
    const broken = folder({ 'us-east-1.json': content });
    expect(() => PriceBook.forRegion('us-east-1', broken)).toThrow(message);
    fs.rmSync(broken, { recursive: true });
  });

  test('a directory that is not there, and a region without a book, are named with the way out', () => {
    expect(() => PriceBook.regions('/nowhere')).toThrow(/prices in \/nowhere\].*ENOENT.*prices refresh --out/);
    expect(() => PriceBook.forRegion('eu-central-1')).toThrow(
      /region eu-central-1\].*ap-southeast-2, eu-west-1, us-east-1\. Others: efs-data-layer prices refresh/,
    );
  });
});
