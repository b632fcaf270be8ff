import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { main } from '../src/main';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function run(...args: string[]) {
  const said = { out: [] as string[], notes: [] as string[] };
  const io = { out: (line: string) => void said.out.push(line), note: (line: string) => void said.notes.push(line) };
  const code = await main(['compare', ...args], { io });
  return { code, out: said.out.join('\n'), notes: said.notes.join('\n') };
}

test('a table with every alternative, the points where the choice changes, and what is left open', async () => {
  const { code, out } = await run('--gib', '20');
  expect(code).toBe(0);
  expect(out).toMatch(/EFS, bursting \(this data layer\) +everything +\$9\.28† +1x/);
  expect(out).toMatch(/OpenSearch Serverless classic, redundant \(2 OCU\) +search +\$350\.88 +37\.8x/);
  expect(out).toMatch(
    /Below 35 \(live data, GiB\) EFS, bursting \(this data layer\) costs less, above it RDS PostgreSQL\./,
  );
  expect(out).toMatch(/Qdrant.*rule NFS, and so EFS, out/);
});

test('a rate of another region is marked', async () => {
  const { out } = await run('--region', 'ap-southeast-2');
  expect(out).toMatch(/RDS PostgreSQL +relational +\$[\d.]+\*/);
  expect(out).toContain('* with a rate of us-east-1');
});

test('--json has the lines behind each number', async () => {
  const { out } = await run('--json', '--scan-gb', '1000');
  const { alternatives, workload } = JSON.parse(out);
  expect(workload).toMatchObject({ gib: 20, scanGb: 1000 });
  for (const { usd, lines } of alternatives) {
    expect(lines.reduce((sum: number, line: { usd: number }) => sum + line.usd, 0)).toBeCloseTo(usd, 9);
  }
});

test('--html writes one page that loads nothing', async () => {
  const file = path.join(folder, 'compare.html');
  const { code, notes } = await run('--html', file);
  expect({ code, notes }).toEqual({ code: 0, notes: `Written: ${file}` });
  const page = fs.readFileSync(file, 'utf8');
  expect(page).not.toMatch(/<(?:script|link|img)[^>]*(?:src|href)=/);
  expect(page).toContain('prefers-color-scheme: dark');
  expect(page).toContain('@media print');
  expect(fs.readdirSync(folder)).toEqual(['compare.html']);
  // The script of the page finds what it draws into.
  for (const id of ['costs', 'curve-0', 'curve-4']) {
    expect(page).toContain(`<figure id="${id}">`);
  }
});

test.each([
  [['--gib', '-1'], /--gib -1.*live data, in GiB.*--gib 20/],
  [['--gib', 'many'], /--gib many/],
  [['--gib', ''], /--gib .*number/],
  [['--awake-hours', '731'], /--awake-hours 731.*0 to 730/],
  [['--users', 'Infinity'], /--users Infinity/],
  [['--region', 'mars-north-1'], /--region mars-north-1.*us-east-1/],
  [['--html', '/nowhere/compare.html'], /--html \/nowhere\/compare\.html.*directory that exists/],
])('%j is named, with the way out', async (args, message) => {
  const { code, out, notes } = await run(...args);
  expect(code).toBe(64);
  expect(out).toBe('');
  expect(notes).toMatch(message);
});
