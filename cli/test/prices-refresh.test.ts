import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { PriceBook, PriceEntry } from '../../lib/bill/price-book';
import { main } from '../src/main';
import { progressLine } from '../src/prices/progress';
import { ListedProduct, priceListFile } from './prices/price-list-file';
import { dropAfter, PriceListServer, status } from './prices/price-list-server';
import { productsOf } from './prices/lists-of-book';

const REGION = 'eu-west-1';
const BOOK = PriceBook.forRegion(REGION).entries;
const SERVICES = [...new Set(BOOK.filter(({ usageType }) => usageType).map(({ serviceCode }) => serviceCode))];
const STANDARD = 'efs/standard-storage';

let server: PriceListServer;
let directory: string;
let out: string[];
let notes: string[];

beforeEach(async () => {
  server = await PriceListServer.start();
  directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'prices-')), 'books');
  SERVICES.forEach((service) => serve(service));
});

afterEach(async () => {
  await server.stop();
  fs.rmSync(path.dirname(directory), { recursive: true });
});

/** Serves a list that agrees with the book, but for what is changed. */
function serve(
  service: string,
  change: (products: ListedProduct[]) => ListedProduct[] = (all) => all,
  region = REGION,
) {
  const products = change(productsOf(BOOK, service));
  server.serve(service, region, priceListFile({ service, region, products }), `"${service}"`);
}

function withStandard(change: Partial<ListedProduct>): (products: ListedProduct[]) => ListedProduct[] {
  return (all) => all.map((one) => (one.usagetype === 'EU-TimedStorage-ByteHrs' ? { ...one, ...change } : one));
}

async function refresh(...args: string[]): Promise<number> {
  return refreshFrom(server.url, ...args);
}

async function refreshFrom(endpoint: string, ...args: string[]): Promise<number> {
  out = [];
  notes = [];
  return main(['prices', 'refresh', '--endpoint', endpoint, '--out', directory, ...args], {
    io: { out: (line) => out.push(...line.split('\n')), note: (line) => notes.push(line) },
    clock: { now: () => Date.parse('2026-11-25T10:00:00Z'), sleep: () => Promise.resolve() },
  });
}

function written(region = REGION): PriceEntry[] {
  return (JSON.parse(fs.readFileSync(path.join(directory, `${region}.json`), 'utf8')) as { entries: PriceEntry[] })
    .entries;
}

function entry(key: string): PriceEntry | undefined {
  return written().find((one) => one.key === key);
}

const LISTED = BOOK.filter(({ usageType }) => usageType !== null);

test('a list that agrees confirms every rate, and makes it the list’s', async () => {
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out[0]).toBe(
    `eu-west-1: 0 changed, 0 new, ${LISTED.length} confirmed, 0 not found, ${BOOK.length - LISTED.length} not looked up`,
  );
  const books = written();
  expect(books.map(({ key, usd, tiers }) => ({ key, usd, tiers }))).toEqual(
    BOOK.map(({ key, usd, tiers }) => ({ key, usd, tiers })),
  );
  expect(entry(STANDARD)).toEqual({
    ...BOOK.find(({ key }) => key === STANDARD),
    source: 'AWS price list /offers/v1.0/aws/AmazonEFS/20260507001122/eu-west-1/index.json',
    asOf: '2026-05-07',
    confidence: 'high',
  });
  expect(books.filter(({ usageType }) => usageType === null)).toEqual(
    BOOK.filter(({ usageType }) => usageType === null),
  );
});

test('a rate that moved is told with both prices', async () => {
  serve('AmazonEFS', withStandard({ usd: '0.3630000000' }));
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out[0]).toMatch('1 changed');
  expect(out[1]).toBe(`  ~ ${STANDARD}  $0.33 per GB-month → $0.363 per GB-month  +10.0 %`);
  expect(entry(STANDARD)).toMatchObject({ usd: 0.363 });

  expect(await refresh('--region', REGION)).toBe(0);
  expect(out[0]).toMatch(`0 changed, 0 new, ${LISTED.length} confirmed`);
});

test('a rate that is not found stays, is marked, and is found again later', async () => {
  serve('AmazonEFS', (all) => all.filter(({ usagetype }) => usagetype !== 'EU-TimedStorage-ByteHrs'));
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out).toContain(`  ? ${STANDARD}  kept at $0.33 per GB-month: the list has no TimedStorage-ByteHrs`);
  const before = BOOK.find(({ key }) => key === STANDARD)!;
  expect(entry(STANDARD)).toEqual({ ...before, confidence: 'medium', notFound: '2026-11-25' });

  serve('AmazonEFS');
  expect(await refresh('--region', REGION)).toBe(0);
  expect(entry(STANDARD)).toMatchObject({ confidence: 'high', asOf: '2026-05-07' });
  expect(entry(STANDARD)).not.toHaveProperty('notFound');
});

test('a rate that only us-east-1 had is new', async () => {
  const backup = { usagetype: 'EU-WarmStorage-ByteHrs-EFS', unit: 'GB-Month', usd: '0.055' };
  server.serve('AWSBackup', REGION, priceListFile({ service: 'AWSBackup', region: REGION, products: [backup] }));
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out).toContain('  + backup/efs-warm-storage  $0.055 per GB-month');
  expect(entry('backup/efs-warm-storage')).toMatchObject({
    usd: 0.055,
    usageType: 'EU-WarmStorage-ByteHrs-EFS',
    asOf: '2026-05-07',
    confidence: 'high',
  });
  expect(out.at(-1)).toMatch(/^ {2}The bill takes from us-east-1, with a mark: .*backup\/efs-cold-storage/);
  expect(entry('backup/efs-cold-storage')).toBeUndefined();
});

test('a region without a book gets one', async () => {
  const products = [{ usagetype: 'EUC1-TimedStorage-ByteHrs', unit: 'GB-Mo', usd: '0.36' }];
  server.serve('AmazonEFS', 'eu-central-1', priceListFile({ service: 'AmazonEFS', region: 'eu-central-1', products }));
  expect(await refresh('--region', 'eu-central-1')).toBe(0);
  expect(written('eu-central-1')).toMatchObject([{ key: STANDARD, usd: 0.36, usageType: 'EUC1-TimedStorage-ByteHrs' }]);
});

test('a service without a list in the region costs its rates the mark, not the refresh', async () => {
  server.next('AmazonAthena', REGION, status(404));
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out).toContain(
    '  ? athena/sql-data-scanned  kept at $5 per TB: there is no price list of AmazonAthena in eu-west-1',
  );
});

test('a dropped connection in the middle changes nothing of the result', async () => {
  server.next('AmazonEFS', REGION, dropAfter(3000));
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out[0]).toMatch(`0 changed, 0 new, ${LISTED.length} confirmed`);
  expect(notes[0]).toMatch(/AmazonEFS.*the connection broke .*; trying again in 1 s$/);
});

test('a file that was replaced while it was read is read again from its beginning', async () => {
  server.next('AmazonEFS', REGION, dropAfter(3000), (response, file) => {
    response.writeHead(200, { etag: '"newer"' }).end(file);
  });
  expect(await refresh('--region', REGION)).toBe(0);
  expect(notes).toContainEqual(expect.stringMatching(/AmazonEFS.*reading it from its beginning$/));
  expect(out[0]).toMatch(`0 changed, 0 new, ${LISTED.length} confirmed`);
});

test('a file as large as may be is left when all that is needed was read', async () => {
  let sent = 0;
  let left = false;
  server.next('AmazonEFS', REGION, (response, file) => {
    const filler = Buffer.alloc(1 << 16, '"Reserved" : {}, ');
    const more = () => {
      while (!left && response.write(filler)) {
        sent += filler.length;
      }
    };
    response.on('drain', more).on('close', () => (left = true));
    response.writeHead(200);
    response.write(file.subarray(0, file.indexOf('"Reserved"')));
    more();
  });
  expect(await refresh('--region', REGION)).toBe(0);
  expect(out[0]).toMatch(`0 changed, 0 new, ${LISTED.length} confirmed`);
  expect(left).toBe(true);
  expect(sent).toBeLessThan(1 << 25);
});

describe('when it fails', () => {
  test('halfway through a region, its book is as it was and nothing is left beside it', async () => {
    expect(await refresh('--region', REGION)).toBe(0);
    const before = fs.readFileSync(path.join(directory, `${REGION}.json`), 'utf8');
    serve('AmazonEFS', withStandard({ usd: '0.4' }));
    server.serve('awskms', REGION, '{"products": {"A": {"attributes": ');
    expect(await refresh('--region', REGION)).toBe(1);
    expect(notes.at(-1)).toMatch(/^\[http.*awskms.*\] It cannot be read as a price list: it ends too early\./);
    expect(fs.readFileSync(path.join(directory, `${REGION}.json`), 'utf8')).toBe(before);
    expect(fs.readdirSync(directory)).toEqual([`${REGION}.json`]);
  });

  test('in the second region, the first is written', async () => {
    server.serve('AmazonEFS', 'eu-central-1', '<html>');
    expect(await refresh('--region', REGION, 'eu-central-1')).toBe(1);
    expect(fs.readdirSync(directory)).toEqual([`${REGION}.json`]);
  });

  test('at writing, the message names the file and nothing is left beside it', async () => {
    server.next('AmazonEFS', REGION, (response, file) => {
      fs.mkdirSync(path.join(directory, `${REGION}.json`), { recursive: true });
      response.writeHead(200).end(file);
    });
    expect(await refresh('--region', REGION)).toBe(1);
    expect(notes.at(-1)).toMatch(/^\[.*books\/eu-west-1.json\] It cannot be written: .* --out\.$/);
    expect(fs.readdirSync(directory)).toEqual([`${REGION}.json`]);
  });

  test('without a network the message is one, and nothing is written', async () => {
    const { url } = server;
    await server.stop();
    expect(await refreshFrom(url, '--region', REGION)).toBe(1);
    expect(notes.at(-1)).toMatch(/The server cannot be reached: .*the price books are as they were\.$/);
    expect(fs.existsSync(directory)).toBe(false);
    server = await PriceListServer.start();
  });
});

describe('wrong input', () => {
  test.each([
    [['--region', 'Sydney'], /^\[--region Sydney\] It is no AWS region\./],
    [['--region', 'eu-west-9'], /^\[--region eu-west-9\] http.* has no price list of it\./],
    [['--endpoint', 'pricing.example.com'], /^\[--endpoint pricing.example.com\] It is no URL\./],
    [['--endpoint', 'file:///etc/passwd'], /^\[--endpoint file:\/\/\/etc\/passwd\] It is no URL\./],
  ])('%j', async (args, message) => {
    expect(await refresh(...args)).toBe(64);
    expect(notes.at(-1)).toMatch(message);
    expect(fs.existsSync(directory)).toBe(false);
  });

  test('a file where the directory should be', async () => {
    fs.writeFileSync(directory, 'text');
    expect(await refresh('--region', REGION)).toBe(64);
    expect(notes.at(-1)).toBe(`[--out ${directory}] It is no directory. Name another one.`);
    expect(server.asked).toEqual([]);
  });

  test.each([
    ['{', /eu-west-1.json\] It is no price book: .*JSON.*--out/],
    ['{"region": "us-east-1", "entries": []}', /its region is "us-east-1", not eu-west-1.*--out/],
    ['{"region": "eu-west-1", "entries": [{"key": "a", "usd": 1}]}', /eu-west-1, a\] The entry has no unit/],
  ])('a book that is none: %s', async (text, message) => {
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, `${REGION}.json`), text);
    expect(await refresh('--region', REGION)).toBe(64);
    expect(notes.at(-1)).toMatch(message);
    expect(server.asked).toEqual([]);
  });
});

test('the endpoint may be a path, and come from the environment', async () => {
  process.env.EFS_DATA_LAYER_PRICE_LIST = `${server.url}/mirror`;
  try {
    out = [];
    notes = [];
    const io = { out: (line: string) => out.push(line), note: (line: string) => notes.push(line) };
    expect(await main(['prices', 'refresh', '--region', REGION, '--out', directory], { io })).toBe(64);
    expect(server.asked[0]).toMatch(/^\/mirror\/offers\/v1.0\/aws\//);
  } finally {
    delete process.env.EFS_DATA_LAYER_PRICE_LIST;
  }
});

describe('progress', () => {
  test('has the rate and the time left', () => {
    expect(progressLine('us-east-1 AmazonEC2', 100e6, 410e6, 10)).toBe(
      'us-east-1 AmazonEC2  100.0 of 410.0 MB  10.0 MB/s  31 s left',
    );
    expect(progressLine('us-east-1 AmazonEC2', 1e6, undefined, 2)).toBe('us-east-1 AmazonEC2  1.0 MB  0.5 MB/s');
    expect(progressLine('us-east-1 AmazonEC2', 0, 5e6, 0)).toBe('us-east-1 AmazonEC2  0.0 of 5.0 MB');
  });

  test('is shown to whoever watches, and goes before the report', async () => {
    const lines: string[] = [];
    const io = { out: () => lines.push('report'), note: () => {}, status: (line: string) => lines.push(line) };
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    const args = ['prices', 'refresh', '--endpoint', server.url, '--out', directory, '--region', REGION];
    expect(await main(args, { io, clock })).toBe(0);
    expect(lines[0]).toMatch(/^eu-west-1 AWSELB {2}\d+\.\d of \d+\.\d MB/);
    expect(lines.at(-1)).toBe('report');
    expect(lines.at(-2)).toBe('');
  });
});
