import * as fs from 'fs';
import { READY } from '../../src/evidence/ready';
import { scanTotal } from '../../src/evidence/scans';
import { describeWithDuckDb, Folder, generate } from './helpers';

const DATA = { rows: 3000, months: 3, spike: 2 };

describeWithDuckDb('evidence query', () => {
  /** Three months of generated costs as CSV, as one file a month: shared, and only read. */
  let shared: Folder;
  let folder: Folder;

  beforeAll(async () => {
    shared = new Folder();
    for (const [index, month] of ['2026-08', '2026-09', '2026-10'].entries()) {
      const change = `SELECT * FROM data WHERE strftime(BillingPeriodStart, '%Y-%m') = '${month}'`;
      const ending = ['csv', 'parquet', 'json'][index];
      await generate(shared.at(`focus/BILLING_PERIOD=${month}/costs.${ending}`), DATA, change);
    }
  });

  beforeEach(() => {
    folder = new Folder();
  });

  afterEach(() => folder.remove());
  afterAll(() => shared.remove());

  async function total(of: Folder): Promise<number> {
    const [{ cost }] = await of.ask('SELECT round(sum(BilledCost), 4) AS cost FROM focus');
    return cost as number;
  }

  test('CSV, Parquet and JSON give the same rows', async () => {
    const whole = new Folder();
    await generate(whole.at('all.parquet'), DATA);
    expect(await total(shared)).toBeCloseTo(await total(whole), 3);
    const counts = await shared.ask(
      'SELECT count(*) AS n, count(Tags) AS tags, min(typeof(BilledCost)) AS t FROM focus',
    );
    expect(counts).toEqual(
      await whole.ask('SELECT count(*) AS n, count(Tags) AS tags, min(typeof(BilledCost)) AS t FROM focus'),
    );
    whole.remove();
  });

  test.each(READY.map(({ name, needsTag }) => [name, needsTag ?? false] as const))(
    '%s has rows',
    async (name, needsTag) => {
      const rows = await shared.ask(name, ...(needsTag ? ['--tag', 'team'] : []));
      expect(rows.length).toBeGreaterThan(0);
      expect(rows[0]).toHaveProperty('month');
    },
  );

  test('ready queries agree with plain SQL over the same files', async () => {
    const sum = (rows: Record<string, unknown>[]) => rows.reduce((all, row) => all + Number(row.billed), 0);
    const cost = await total(shared);
    for (const args of [
      ['cost-by-month'],
      ['cost-by-service'],
      ['cost-by-account'],
      ['cost-by-tag', '--tag', 'team'],
    ]) {
      expect(sum(await shared.ask(args[0], ...args.slice(1)))).toBeCloseTo(cost, -0.5);
    }
    const [row] = await shared.ask(`SELECT round(sum(BilledCost), 2) AS cost FROM focus
      WHERE json_extract_string(Tags, '$.team') = 'data' AND month(BillingPeriodStart) = 9`);
    const tagged = await shared.ask('cost-by-tag', '--tag', 'team', '--month', '2026-09');
    expect(tagged.find(({ tag }) => tag === 'data')!.billed).toBe(row.cost);
    const coverage = await shared.ask('commitment-coverage', '--month', '2026-10');
    const [used] =
      await shared.ask(`SELECT round(sum(ListCost), 2) AS cost FROM focus WHERE CommitmentDiscountStatus = 'Used'
      AND ServiceName LIKE '%Compute Cloud' AND month(BillingPeriodStart) = 10`);
    expect(coverage.find(({ service }) => `${service}`.endsWith('Compute Cloud'))!.covered).toBe(used.cost);
  });

  test('the service that cost ten times as much is the first anomaly', async () => {
    const [first] = await shared.ask('anomalies', '--month', '2026-10');
    expect(first).toMatchObject({
      account: '200000000001',
      service: 'Amazon Simple Storage Service',
      what: 'higher',
      months_before: 2,
    });
  });

  test('a month reads that month’s files only', async () => {
    folder.write('focus/BILLING_PERIOD=2026-01/broken.csv', 'not,read\n"');
    fs.cpSync(shared.at('focus'), folder.at('focus'), { recursive: true });
    expect(await folder.run('query', 'cost-by-month', '--dir', folder.root, '--month', '2026-09', '--csv')).toBe(0);
    expect(folder.out.map((line) => line.slice(0, 11))).toEqual(['month,curre', '2026-09,USD']);
  });

  test('a file with several months is cut to the one asked for', async () => {
    await generate(folder.at('costs.csv'), DATA);
    const rows = await folder.ask('cost-by-month', '--month', '2026-09');
    expect(rows.map(({ month, rows: n }) => [month, n])).toEqual([['2026-09', 1000]]);
  });

  test('months with no data are named, and those there are', async () => {
    expect(await shared.run('query', 'cost-by-month', '--dir', shared.root, '--month', '2025-01')).toBe(66);
    expect(shared.said).toContain('There is no data of 2025-01');
    await generate(folder.at('costs.csv'), { rows: 100, months: 1 });
    expect(await folder.run('query', 'cost-by-month', '--dir', folder.root, '--month', '2025-01..2025-03')).toBe(66);
    expect(folder.said).toContain('There is no data of 2025-01 to 2025-03; there is of 2026-08.');
    fs.rmSync(folder.at('costs.csv'));
    await generate(folder.at('costs.parquet'), { rows: 100, months: 1 });
    expect(await folder.run('query', 'cost-by-month', '--dir', folder.root, '--month', '2025-01')).toBe(66);
    expect(folder.said).toContain('There is no data of 2025-01.');
  });

  test('CSV is converted once, beside the file, which stays as it is; a changed file is converted anew', async () => {
    await generate(folder.at('costs.csv'), { rows: 100, months: 1 });
    const before = fs.readFileSync(folder.at('costs.csv'));
    await folder.ask('cost-by-month');
    const parquet = () =>
      fs.readdirSync(folder.at('.efs-data-layer/parquet')).filter((name) => name.endsWith('.parquet'));
    const [made] = parquet();
    const at = fs.statSync(folder.at(`.efs-data-layer/parquet/${made}`)).mtimeMs;
    await folder.ask('cost-by-month');
    expect(fs.statSync(folder.at(`.efs-data-layer/parquet/${made}`)).mtimeMs).toBe(at);
    expect(fs.readFileSync(folder.at('costs.csv'))).toEqual(before);
    await generate(folder.at('costs.csv'), { rows: 200, months: 1 });
    expect((await folder.ask('cost-by-month'))[0].rows).toBe(200);
    expect(parquet()).toHaveLength(1);
    expect(parquet()).not.toContain(made);
  });

  test('of an export’s runs only the newest counts, of reports all', async () => {
    for (const [index, run] of ['run=20261101T000000Z', 'run=20261102T000000Z'].entries()) {
      await generate(folder.at(`focus/BILLING_PERIOD=2026-08/${run}/costs.csv`), { rows: 100 + index, months: 1 });
      folder.write(`reports/review/MONTH=2026-11/${run}/a.csv`, `team,cost\na,${index}\n`);
    }
    fs.symlinkSync('run=20261102T000000Z', folder.at('focus/BILLING_PERIOD=2026-08/current'));
    expect((await folder.ask('cost-by-month'))[0].rows).toBe(101);
    expect(await folder.ask('SELECT cost, evidence_run AS run FROM reports.review ORDER BY ALL')).toEqual([
      { cost: 0, run: 'run=20261101T000000Z' },
      { cost: 1, run: 'run=20261102T000000Z' },
    ]);
  });

  test('a month in several folders, as an export that keeps every delivery has it, is pointed out', async () => {
    for (const delivery of ['20261101T000000Z-a', '20261102T000000Z-b']) {
      await generate(folder.at(`data/BILLING_PERIOD=2026-08/${delivery}/costs.csv`), { rows: 10, months: 1 });
    }
    expect((await folder.ask('cost-by-month'))[0].rows).toBe(20);
    expect(folder.said).toContain('data/BILLING_PERIOD=2026-08 holds several folders with data');
  });

  test('ls shows datasets, months, versions, rows and what queries have read', async () => {
    fs.cpSync(shared.at('focus'), folder.at('focus'), { recursive: true });
    folder.write('in.csv', 'team,cost\na,1\nb,2\n');
    expect(await folder.run('add', 'reports/review', folder.at('in.csv'), '--dir', folder.root)).toBe(0);
    fs.rmSync(folder.at('in.csv'));
    await folder.ask('cost-by-month');
    expect(await folder.run('ls', folder.root)).toBe(0);
    const cells = folder.out.slice(2).map((line) => line.trim().split(/ {2,}/));
    expect(cells.slice(0, 4).map((row) => row.slice(0, -1))).toEqual([
      ['Cost and Usage', '2026-08', '1.2', '1', '1000'],
      ['Cost and Usage', '2026-09', '1.2', '1', '1000'],
      ['Cost and Usage', '2026-10', '1.2', '1', '1000'],
      ['reports/review', '2026-11', '1', '2'],
    ]);
    expect(folder.out.at(-1)).toMatch(/^Queries of 2026-11 read \d/);
  });

  test('what a query read is recorded beside the evidence', async () => {
    await generate(folder.at('costs.csv'), { rows: 2000, months: 1 });
    await folder.ask('cost-by-month');
    const month = new Date().toISOString().slice(0, 7);
    const { queries, bytes } = scanTotal(folder.root, month);
    expect(queries).toBe(1);
    expect(bytes).toBeGreaterThan(fs.statSync(folder.at('costs.csv')).size);
    await folder.ask('cost-by-month');
    const after = scanTotal(folder.root, month);
    expect(after.queries).toBe(2);
    expect(after.bytes - bytes).toBeLessThan(bytes / 2); // Parquet, and only the columns that were asked for.
  });

  test.each([
    [['cost-by-galaxy'], 64, 'There are cost-by-month, cost-by-service'],
    [['cost-by-tag'], 64, 'Pass the key of the tag'],
    [['cost-by-month', '--tag', 'team'], 64, 'ask for cost-by-tag'],
    [['cost-by-month', '--month', '2026-13'], 64, 'no month and no span'],
    [['cost-by-month', '--json', '--csv'], 64, 'two formats'],
    [['SELECT nope FROM focus'], 64, '"nope" not found'],
    [['SELECT 1; SELECT 2'], 64, 'It is not one SELECT'],
    [["SELECT * FROM read_text('/etc/hostname')"], 64, 'Cannot access file "/etc/hostname"'],
    [["SELECT * FROM 'https://example.com/a.parquet'"], 64, 'file system operations are disabled'],
    [['cost-by-month', '--stack', 'X'], 64, 'does not go together with --stack'],
    [['cost-by-month', '--memory', 'much'], 64, 'Check --memory'],
  ])('%j is refused', async (args, code, text) => {
    expect([await shared.run('query', ...args, '--dir', shared.root), shared.said]).toEqual([
      code,
      expect.stringContaining(text),
    ]);
    expect(shared.out).toEqual([]);
  });

  test('nothing can be written, not even where reading is allowed', async () => {
    const written = shared.at('focus/x.csv');
    expect(await shared.run('query', `COPY focus TO '${written}'`, '--dir', shared.root)).toBe(64);
    expect(shared.said).toContain('It is not one SELECT');
    expect(fs.existsSync(written)).toBe(false);
  });

  test('a query larger than memory and spill says so', async () => {
    const sql = 'SELECT list(md5(range::VARCHAR)) FROM range(3000000) WHERE range > 0';
    expect(await shared.run('query', sql, '--dir', shared.root, '--memory', '60MB', '--spill', '10MB')).toBe(75);
    expect(shared.said).toContain('It needs more than it was given');
  });

  test('the list of ready queries, and a table for people', async () => {
    expect(await shared.run('query', '--list')).toBe(0);
    expect(shared.out.join('\n')).toContain('commitment-coverage');
    expect(
      await shared.run(
        'query',
        'SELECT 1.5 AS a, NULL AS b, 2 AS c UNION ALL SELECT 10.25, 3, 4',
        '--dir',
        shared.root,
      ),
    ).toBe(0);
    expect(shared.out).toEqual(['    a  b  c', '-----  -  -', ' 1.50     2', '10.25  3  4']);
  });
});
