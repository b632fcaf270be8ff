import * as fs from 'fs';
import * as path from 'path';
import * as zlib from 'zlib';
import { describeWithDuckDb, Folder, generate } from './helpers';

const HEAD =
  'BilledCost,EffectiveCost,ListCost,BillingPeriodStart,ChargePeriodStart,ChargeCategory,BillingCurrency,Tags';
const ROW = '1.5,1,2,2026-08-01T00:00:00Z,2026-08-01T00:00:00Z,Usage,USD,"{""team"": ""a""}"';
const COUNT = 'SELECT count(*) AS n, round(sum(BilledCost), 2) AS cost FROM focus';

describeWithDuckDb('evidence with bad input', () => {
  let folder: Folder;

  beforeEach(() => {
    folder = new Folder();
    folder.write('good.csv', `${HEAD}\n${ROW}\n`);
  });

  afterEach(() => folder.remove());

  /** Asks with a bad file beside the good one: [exit code, rows, what was said]. */
  async function beside(name: string, content: string | Uint8Array): Promise<[number, unknown, string]> {
    folder.write(name, content);
    const code = await folder.run('query', COUNT, '--dir', folder.root, '--json');
    return [code, JSON.parse(folder.out[0]).n, folder.said];
  }

  const csv = (...rows: string[]) => [HEAD, ...rows, ''].join('\n');

  test.each<[string, string, number, RegExp]>([
    [
      'a wrong number',
      csv(ROW, ROW.replace('1.5', 'lots'), ROW),
      3,
      /^bad\.csv:3: .*column "BilledCost"\. Could not convert string "lots"/m,
    ],
    [
      'a wrong time',
      csv(ROW.replace('2026-08-01', '2026-13-01')),
      1,
      /^bad\.csv:2: .*BillingPeriodStart.*"2026-13-01/m,
    ],
    ['a number with a comma', csv(`"1,000.50"${ROW.slice(3)}`), 1, /^bad\.csv:2: .*"1,000\.50"/m],
    ['too few fields', csv(ROW, '1.5,1,2', ROW), 3, /^bad\.csv:3: Expected Number of Columns: 8 Found: 3/m],
    ['too many fields', csv(`${ROW},x,y`, ROW), 2, /^bad\.csv:2: Expected Number of Columns: 8 Found: \d+/m],
    ['half a line at the end', `${csv(ROW)}1.5,1,2,2026-08-0`, 2, /^bad\.csv:3: .*left out: 1\.5,1,2,2026-08-0$/m],
    ['a quote that is never closed', csv(ROW, ROW.replace('USD', '"USD'), ROW), 3, /^bad\.csv:3: .*"USD,/m],
    ['text behind a closed quote', csv(ROW.replace('USD', '"US"D'), ROW), 2, /^bad\.csv:2: /m],
  ])('%s is left out, with its line', async (_, content, rows, text) => {
    expect(await beside('bad.csv', content)).toEqual([65, rows, expect.stringMatching(text)]);
    // Said again by the next query, which does not read the file again.
    expect(await beside('other.txt', '')).toEqual([65, rows, expect.stringMatching(text)]);
  });

  test('bytes that are no UTF-8 are left out, with their line', async () => {
    const latin = Buffer.from(csv(ROW, ROW.replace('USD', 'M\u00fc'), ROW), 'latin1');
    expect(await beside('bad.csv', new Uint8Array(latin))).toEqual([
      65,
      3,
      expect.stringMatching(/^bad\.csv:3: Invalid unicode/m),
    ]);
  });

  test('UTF-16, a byte order mark, semicolons and Windows line ends are read', async () => {
    const [, rows, said] = await beside('a.csv', new Uint8Array(Buffer.from(`\ufeff${csv(ROW)}`, 'utf16le')));
    expect([rows, said]).toEqual([2, expect.stringContaining('it is written in UTF-16')]);
    expect((await beside('b.csv', `\ufeff${csv(ROW)}`))[1]).toBe(3);
    expect((await beside('c.csv', csv(ROW).replace(/,/g, ';').replace(/\n/g, '\r\n')))[1]).toBe(4);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['empty.csv', '', /^empty\.csv: it is empty: left out/m],
    ['cut.parquet', 'PAR1 and nothing else', /^cut\.parquet: .*left out/m],
    ['no.zip', 'PK and nothing else', /^no\.zip: it is no zip archive/m],
    ['hole.json', '[{"BilledCost": 1},\n {"BilledCost": ', /^hole\.json.*left out/m],
  ])('%s is left out as a whole, and the rest goes on', async (name, content, text) => {
    expect(await beside(name, content)).toEqual([65, 1, expect.stringMatching(text)]);
  });

  test('what a cut gzip file still holds is read, and said to be a part', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `${index}${ROW.slice(3)}`);
    const whole = zlib.gzipSync(csv(...lines));
    const [code, rows, said] = await beside('cut.csv.gz', new Uint8Array(whole.subarray(0, whole.length - 2000)));
    expect([code, said]).toEqual([65, expect.stringMatching(/^cut\.csv\.gz: its gzip stream is damaged or cut/m)]);
    expect(rows).toBeGreaterThan(1);
    expect(rows).toBeLessThan(5000);
  });

  test('gzip and zip are read; a damaged file in an archive is named', async () => {
    expect((await beside('a.csv.gz', new Uint8Array(zlib.gzipSync(csv(ROW, ROW)))))[1]).toBe(3);
    const [code, rows] = await beside('b.zip', zip({ 'c.csv': csv(ROW), 'd/e.csv': csv(ROW) }));
    expect([code, rows]).toEqual([0, 5]);
    fs.rmSync(folder.at('.efs-data-layer'), { recursive: true });
    const damaged = zip({ 'c.csv': csv(ROW), 'd.csv': csv(ROW) });
    damaged[60] ^= 1;
    expect(await beside('b.zip', damaged)).toEqual([65, 4, expect.stringMatching(/^b\.zip\/c\.csv: /m)]);
  });

  test('a broken line among JSON lines', async () => {
    const row = JSON.stringify({
      BilledCost: 2,
      EffectiveCost: 1,
      ListCost: 1,
      BillingPeriodStart: '2026-08-01T00:00:00Z',
      ChargePeriodStart: '2026-08-01T00:00:00Z',
      ChargeCategory: 'Usage',
      Tags: { team: 'a' },
    });
    expect(await beside('a.jsonl', `${row}\n${row.slice(0, 30)}\n${row}\n`)).toEqual([
      65,
      3,
      expect.stringMatching(/^a\.jsonl:2: .*left out/m),
    ]);
  });

  test('text where Parquet should have numbers', async () => {
    await generate(
      folder.at('p.parquet'),
      { rows: 10, months: 1 },
      `SELECT * REPLACE (CASE WHEN SubAccountId IS NULL OR BilledCost > 100 THEN 'x' ELSE BilledCost::VARCHAR END AS BilledCost) FROM data`,
    );
    const [{ n }] = await folder.ask(COUNT);
    expect(n).toBe(11);
    expect(folder.said).toContain('BilledCost is VARCHAR, not a Decimal');
  });

  test('versions of FOCUS side by side, recognised and told apart', async () => {
    for (const version of ['1.0', '1.2', '1.3', '1.4'] as const) {
      await generate(folder.at(`v${version}.csv`), { rows: 100, months: 1, version });
    }
    fs.rmSync(folder.at('good.csv'));
    const [{ n, providers }] = await folder.ask('SELECT count(*) AS n, count(ProviderName) AS providers FROM focus');
    expect([n, providers]).toEqual([400, 300]);
    expect(folder.said).toContain('FOCUS 1.0 and 1.2 and 1.3 and 1.4 stand side by side');
    expect(folder.said).toContain('deprecated columns: ProviderName, PublisherName (v1.3.csv)');
    expect(await folder.run('ls', folder.root, '--json')).toBe(0);
    const versions = folder.out.map((line) => JSON.parse(line).focus).filter(Boolean);
    expect(versions.sort()).toEqual(['1.0', '1.2', '1.3', '1.4']);
  });

  test('missing columns, foreign columns, values of no list and empty values are reported, and nothing is left out', async () => {
    const content = csv(ROW.replace('Usage', 'Misuse'), ROW.replace('USD', '')).replace('Tags', 'Id');
    const [code, rows, said] = await beside('odd.csv', content);
    expect([code, rows]).toEqual([0, 3]);
    expect(said).toMatch(/mandatory columns are missing: BillingAccountId, .*\(good\.csv and 1 more\)/);
    expect(said).toContain('neither of FOCUS nor custom (x_…): Id (odd.csv)');
    expect(said).toContain('ChargeCategory has values that FOCUS does not know: "Misuse" (1 rows) (odd.csv)');
    expect(said).toContain('BillingCurrency must not be empty, and is in 1 rows (odd.csv)');
  });

  test('quirks of the official 1.0 sample: the word NULL, times without a zone; and times with an offset', async () => {
    const quirky = ROW.replace('USD', 'NULL').replace(/2026-08-01T00:00:00Z/g, '2026-08-01 00:00:00');
    const [code, , said] = await beside('quirky.csv', csv(quirky));
    expect(code).toBe(0);
    expect(said).toContain('the word NULL stands for an empty value (BillingCurrency); read as empty (quirky.csv)');
    expect(said).toContain(
      'times that are not YYYY-MM-DDTHH:mm:ssZ, such as 2026-08-01 00:00:00 (BillingPeriodStart, ChargePeriodStart)',
    );
    await beside('offset.csv', csv(ROW.replace(/2026-08-01T00:00:00Z/g, '2026-08-01T02:00:00+02:00')));
    const times = await folder.ask('SELECT DISTINCT BillingPeriodStart::VARCHAR AS t FROM focus');
    expect(times).toEqual([{ t: '2026-08-01 00:00:00' }]);
  });

  test('the official sample itself', async () => {
    fs.rmSync(folder.at('good.csv'));
    fs.copyFileSync(path.join(__dirname, 'focus-1.0-sample', 'focus_sample.csv'), folder.at('sample.csv'));
    const rows = await folder.ask(
      'SELECT count(*) AS n, count(AvailabilityZone) AS zones, count(BillingPeriodStart) AS periods FROM focus',
    );
    expect(rows).toEqual([{ n: 12, zones: 0, periods: 12 }]);
    expect(folder.said.split('\n').map((line) => line.slice(0, 70))).toEqual([
      'differs from FOCUS: columns that are neither of FOCUS nor custom (x_…)',
      'differs from FOCUS: the word NULL stands for an empty value (Availabil',
      'differs from FOCUS: times that are not YYYY-MM-DDTHH:mm:ssZ, such as 2',
    ]);
    expect(await folder.run('ls', folder.root)).toBe(0);
    expect(folder.out[2]).toMatch(/^Cost and Usage +2024-09 +1\.0 +1 +12 /);
  });

  test('maps and lower case, as AWS and S3 Tables write them', async () => {
    const maps = `SELECT * REPLACE (MAP {'team': 'b'} AS Tags, BillingPeriodStart::TIMESTAMPTZ AS BillingPeriodStart) RENAME (BilledCost AS billedcost) FROM data`;
    await generate(folder.at('aws.parquet'), { rows: 10, months: 1 }, maps);
    const rows = await folder.ask('cost-by-tag', '--tag', 'team', '--month', '2026-08');
    expect(rows.map(({ tag }) => tag).sort()).toEqual(['a', 'b']);
    expect(folder.said).toContain('column names in another case: billedcost');
  });

  test('a file that grows while it is read is left out, and the rest goes on', async () => {
    await generate(folder.at('growing.csv'), { rows: 3000, months: 1 });
    const timer = setInterval(() => fs.appendFileSync(folder.at('growing.csv'), 'x'), 2);
    const code = await folder.run('query', COUNT, '--dir', folder.root, '--json');
    clearInterval(timer);
    expect([code, JSON.parse(folder.out[0]).n]).toEqual([65, 1]);
    expect(folder.said).toContain('growing.csv: it changed while it was read, twice: left out');
  });

  test('a folder without data', async () => {
    fs.rmSync(folder.at('good.csv'));
    expect(await folder.run('query', 'cost-by-month', '--dir', folder.root)).toBe(66);
    expect(await folder.run('ls', folder.root)).toBe(66);
    expect(folder.said).toContain('There is no data file that can be read');
  });

  test('where nothing can be written, copies are not kept', async () => {
    fs.writeFileSync(folder.at('.efs-data-layer'), 'a file where the folder should be');
    const [{ n }] = await folder.ask(COUNT);
    expect([n, folder.said]).toEqual([1, expect.stringContaining('converted files are not kept')]);
    expect(await folder.run('query', COUNT, '--dir', folder.root, '--cache', folder.at('good.csv'))).toBe(64);
  });
});

/** A zip archive, packed with deflate. */
function zip(files: Record<string, string>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = zlib.deflateRawSync(content);
    // The checksum of gzip is that of zip.
    const crc = zlib.gzipSync(content).readUInt32LE(zlib.gzipSync(content).length - 8);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(Buffer.byteLength(content), 18);
    common.writeUInt16LE(name.length, 22);
    const local = concat([bytes(0x04034b50), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(concat([bytes(0x02014b50), Buffer.from([20, 0]), common, rest, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(concat([...parts, ...directory, bytes(0x06054b50), end]));
}

function bytes(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

/** TypeScript 6 does not take a Buffer of @types/node 20 for a Uint8Array. */
function concat(parts: Buffer[]): Buffer {
  return Buffer.concat(parts as never[]);
}
