import { PriceEntry } from '../../lib/bill/price-book';
import { NotAPriceList, readPriceList } from '../src/prices/price-list';
import { rateOf } from '../src/prices/rate-of-list';
import { unitFactor } from '../src/prices/units';
import { plainUsageType } from '../src/prices/usage-type';
import { ListedProduct, ListOptions, priceListFile } from './prices/price-list-file';

const STANDARD: ListedProduct = { usagetype: 'EU-TimedStorage-ByteHrs', unit: 'GB-Mo', usd: '0.3300000000' };
const ENTRY: PriceEntry = {
  key: 'efs/standard-storage',
  service: 'EFS',
  dimension: 'Standard storage',
  unit: 'GB-month',
  usd: 0.33,
  serviceCode: 'AmazonEFS',
  usageType: 'EU-TimedStorage-ByteHrs',
  source: 'test',
  asOf: '2025-09-25',
  confidence: 'high',
};

/** Gives the text in pieces of a size, and counts how often it was opened and how much was read. */
function opener(text: string, size = 4096) {
  const counts = { opened: 0, read: 0 };
  const open = async function* (): AsyncGenerator<Uint8Array> {
    counts.opened += 1;
    const bytes = new TextEncoder().encode(text);
    for (let begin = 0; begin < bytes.length; begin += size) {
      const piece = bytes.subarray(begin, begin + size);
      counts.read += piece.length;
      yield piece;
    }
  };
  return { open, counts };
}

function file(products: ListedProduct[], more: Partial<ListOptions> = {}): string {
  return priceListFile({ service: 'AmazonEFS', region: 'eu-west-1', products, ...more });
}

async function read(text: string, usageTypes = ['TimedStorage-ByteHrs'], size?: number) {
  return readPriceList(opener(text, size).open, 'eu-west-1', new Set(usageTypes));
}

async function lookUp(entry: Partial<PriceEntry>, ...products: ListedProduct[]) {
  const whole = { ...ENTRY, ...entry };
  return rateOf(whole, await read(file(products), [plainUsageType(whole.usageType!)]));
}

describe('reading', () => {
  test.each([1, 7, 4096, 1 << 20])(
    'gives the products asked for and their prices, in pieces of %i bytes',
    async (size) => {
      const other = { ...STANDARD, usagetype: 'EU-Tables-TimedStorage-ByteHrs' };
      expect(await read(file([other, STANDARD]), undefined, size)).toMatchObject({
        version: '20260507001122',
        publicationDate: '2026-05-07T00:11:22Z',
        products: [
          {
            usageType: 'EU-TimedStorage-ByteHrs',
            dimensions: [{ begin: 0, end: Infinity, unit: 'GB-Mo', usd: 0.33 }],
          },
        ],
      });
    },
  );

  test('stops before what is not needed', async () => {
    const text = file(Array.from({ length: 200 }, (_, index) => ({ ...STANDARD, usagetype: `EU-Other${index}` })));
    const { open, counts } = opener(text);
    await readPriceList(open, 'eu-west-1', new Set(['Other7']));
    expect(counts.opened).toBe(1);
    expect(counts.read).toBeLessThan(text.indexOf('"Reserved"') + 4096);
  });

  test('reads a file with the terms before the products twice', async () => {
    const { open, counts } = opener(file([STANDARD], { termsFirst: true }));
    const list = await readPriceList(open, 'eu-west-1', new Set(['TimedStorage-ByteHrs']));
    expect(counts.opened).toBe(2);
    expect(list.products[0].dimensions[0].usd).toBe(0.33);
  });

  test('does not mix two versions of a file', async () => {
    const versions = ['1', '2'].map((version) => file([STANDARD], { termsFirst: true, version }));
    const open = () => opener(versions.shift()!).open();
    await expect(readPriceList(open, 'eu-west-1', new Set(['TimedStorage-ByteHrs']))).rejects.toThrow(
      'it was replaced by a newer one while it was read',
    );
  });

  test('leaves out what is of another place', async () => {
    const zone = { ...STANDARD, attributes: { regionCode: 'eu-west-1-dub-1' } };
    const transfer = { ...STANDARD, attributes: { regionCode: undefined!, fromRegionCode: 'us-east-1' } };
    expect((await read(file([zone, transfer]))).products).toEqual([]);
  });

  test('takes the term in force when the list was published', async () => {
    const list = JSON.parse(file([STANDARD]));
    const [[sku, terms]] = Object.entries<Record<string, object>>(list.terms.OnDemand);
    const [term] = Object.values(terms);
    const dearer = { x: { beginRange: '0', endRange: 'Inf', unit: 'GB-Mo', pricePerUnit: { USD: '9' } } };
    terms.past = { ...term, effectiveDate: '2026-01-01T00:00:00Z', priceDimensions: dearer };
    terms.coming = { ...term, effectiveDate: '2027-01-01T00:00:00Z', priceDimensions: dearer };
    expect((await read(JSON.stringify(list))).products).toMatchObject([{ sku, dimensions: [{ usd: 0.33 }] }]);
  });

  const LACKS = 'it has no version, publicationDate or products';

  test.each([
    ['a page of HTML', '<!DOCTYPE html><html></html>', /^Unexpected "<" at .*position "0"/],
    ['nothing', '', 'it ends too early'],
    ['a list', '[]', 'unexpected text'],
    ['another JSON object', '{"message": "no such thing"}', LACKS],
    ['JSON with an error', file([STANDARD]).replace('"products" :', '"products"'), 'unexpected text at products'],
    ['half a file', file([STANDARD]).slice(0, 900), 'it ends too early'],
    ['a file without products', file([]).replace('"products"', '"others"'), LACKS],
    ['a date that is none', file([STANDARD], { publicationDate: 'yesterday' }), LACKS],
    ['a price that is none', file([{ ...STANDARD, usd: 'free' }]), /in USD is "free", which is no amount/],
    ['another currency', file([STANDARD]).replaceAll('"USD"', '"CNY"'), /in USD is undefined/],
  ])('refuses %s', async (_, text, message) => {
    const failure = await read(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotAPriceList);
    expect((failure as Error).message).toMatch(message);
  });
});

describe('looking up a rate', () => {
  test('matches the whole usage type, with or without the region', async () => {
    const endsAlike = { ...STANDARD, usagetype: 'EU-Files-TimedStorage-ByteHrs', usd: '9' };
    const bare = { ...STANDARD, usagetype: 'TimedStorage-ByteHrs' };
    expect(await lookUp({}, endsAlike, bare)).toEqual({ usageType: 'TimedStorage-ByteHrs', usd: 0.33 });
    expect(await lookUp({}, endsAlike)).toEqual({ problem: 'the list has no TimedStorage-ByteHrs' });
  });

  test.each([
    ['APS2-TimedStorage-ByteHrs', 'TimedStorage-ByteHrs'],
    ['EU-TimedStorage-ByteHrs', 'TimedStorage-ByteHrs'],
    ['EUC1-TimedStorage-ByteHrs', 'TimedStorage-ByteHrs'],
    ['eu-west-1-KMS-Keys', 'KMS-Keys'],
    ['us-gov-west-1-KMS-Keys', 'KMS-Keys'],
    ['USE1-PS-Advanced-Param-Tier1', 'PS-Advanced-Param-Tier1'],
    ['PS-Advanced-Param-Tier1', 'PS-Advanced-Param-Tier1'],
    ['Global-KMS-Requests', 'Global-KMS-Requests'],
    ['CW:AlarmMonitorUsage', 'CW:AlarmMonitorUsage'],
  ])('%s is %s in every region', (usageType, plain) => expect(plainUsageType(usageType)).toBe(plain));

  test('tells products of one usage type apart by operation and attributes', async () => {
    const [reading, writing] = ['Read', 'Write'].map((accessType) => ({
      usagetype: 'EU-ETDataAccess-Bytes',
      unit: 'GB',
      usd: accessType === 'Read' ? '0.03' : '0.07',
      attributes: { accessType, operation: accessType },
    }));
    const entry = { usageType: 'EU-ETDataAccess-Bytes', unit: 'GB', usd: 0.05 };
    expect(await lookUp({ ...entry, attributes: { accessType: 'Write' } }, reading, writing)).toMatchObject({
      usd: 0.07,
    });
    expect(await lookUp({ ...entry, operation: 'Read' }, reading, writing)).toMatchObject({ usd: 0.03 });
    expect(await lookUp(entry, reading, writing)).toEqual({
      problem: 'the list has several rates for ETDataAccess-Bytes (SKU0000000000000, SKU0000000000001)',
    });
    expect(await lookUp(entry, reading, { ...writing, usd: '0.030' })).toMatchObject({ usd: 0.03 });
  });

  test('passes over hours that a reservation pays for', async () => {
    const text = file([{ ...STANDARD, usd: '0.0000000000' }]);
    const list = JSON.parse(text);
    const [sku] = Object.keys(list.products);
    const [term] = Object.values(list.terms.OnDemand[sku]) as { priceDimensions: Record<string, object> }[];
    const [free] = Object.values(term.priceDimensions);
    term.priceDimensions.paid = { ...free, pricePerUnit: { USD: '0.34' } };
    expect(rateOf(ENTRY, await read(JSON.stringify(list)))).toMatchObject({ usd: 0.34 });
  });

  test('takes steps over, in the unit of the book', async () => {
    const requests = {
      usagetype: 'EU-Request',
      unit: 'Requests',
      usd: [
        { from: 0, usd: '0.0000002000' },
        { from: 5_000_000, usd: '0.0000001000' },
      ],
    };
    expect(await lookUp({ usageType: 'Request', unit: '1M requests', usd: 0.2 }, requests)).toEqual({
      usageType: 'EU-Request',
      tiers: [{ upTo: 5, usd: 0.2 }, { usd: 0.1 }],
    });
  });

  test('keeps a free allowance that is given for all regions together', async () => {
    const entry = { usageType: 'EU-CW:MetricMonitorUsage', unit: 'metric-month', usd: undefined };
    const tiers = [{ upTo: 10, usd: 0 }, { usd: 0.3 }];
    const metrics = { usagetype: 'EU-CW:MetricMonitorUsage', unit: 'Metrics' };
    const one = await lookUp({ ...entry, tiers }, { ...metrics, usd: '0.31' });
    expect(one).toMatchObject({ tiers: [{ upTo: 10, usd: 0 }, { usd: 0.31 }] });
    const steps = [
      { from: 0, usd: '0.3' },
      { from: 10_000, usd: '0.1' },
    ];
    expect(await lookUp({ ...entry, tiers }, { ...metrics, usd: steps })).toMatchObject({
      tiers: [{ upTo: 10, usd: 0 }, { upTo: 10_000, usd: 0.3 }, { usd: 0.1 }],
    });
    const own = [
      { from: 0, usd: '0' },
      { from: 20, usd: '0.3' },
    ];
    expect(await lookUp({ ...entry, tiers }, { ...metrics, usd: own })).toMatchObject({
      tiers: [{ upTo: 20, usd: 0 }, { usd: 0.3 }],
    });
  });

  test('does not take a price per something else, or one that cannot be', async () => {
    expect(await lookUp({}, { ...STANDARD, unit: 'Hrs' })).toEqual({
      problem: 'the list prices TimedStorage-ByteHrs per Hrs, the book per GB-month',
    });
    expect(await lookUp({}, { ...STANDARD, usd: '330' })).toMatchObject({
      problem: expect.stringContaining('$0.33 to $330'),
    });
    expect(await lookUp({}, { ...STANDARD, usd: '0' })).toMatchObject({
      problem: expect.stringContaining('$0.33 to $0'),
    });
    const gap = [
      { from: 10, usd: '0.33' },
      { from: 20, usd: '0.3' },
    ];
    expect(await lookUp({}, { ...STANDARD, usd: gap })).toMatchObject({
      problem: expect.stringContaining('do not join'),
    });
    expect(await lookUp({}, { ...STANDARD, usd: [] })).toMatchObject({
      problem: expect.stringContaining('no price on demand'),
    });
  });

  test.each([
    ['GB-month', 'GB-Mo', 1],
    ['GB-month', 'GB-Month', 1],
    ['GB-month', 'GB', undefined],
    ['GB', 'GB', 1],
    ['GB', 'GB-Mo', undefined],
    ['TB', 'Terabytes', 1],
    ['TB', 'GB', 1024],
    ['hour', 'Hrs', 1],
    ['vCPU-hour', 'hours', 1],
    ['LCU-hour', 'LCU-Hrs', 1],
    ['GB-hour', 'hours', 1],
    ['GB-hour', 'GB-Hours', 1],
    ['GB-second', 'Lambda-GB-Second', 1],
    ['10k requests', 'API Requests', 10_000],
    ['1M ECPU', 'ElastiCacheProcessingUnits', 1_000_000],
    ['1k objects-month', 'Objects', 1_000],
    ['MiBps-month', 'MiBps-Mo', 1],
    ['key-month', 'Keys', 1],
    ['parameter-month', 'Hrs', 730],
    ['1k requests', 'GB', undefined],
  ])('%s is priced from %s: x %p', (bookUnit, listUnit, factor) => {
    expect(unitFactor(bookUnit, listUnit)).toBe(factor);
  });
});
