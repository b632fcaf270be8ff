import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as path from 'path';
import { selfCheck } from '../../src/evidence/manifest';
import { Folder } from './helpers';

const DATASET = 'reports/cost-review';
const PLACE = `${DATASET}/MONTH=2026-11`;

let folder: Folder;
let runs: string[];

beforeEach(async () => {
  folder = new Folder();
  folder.write('in/summary.csv', 'team,cost\na,1\n');
  folder.write('in/detail.json', '{"team": "a"}\n');
  fs.mkdirSync(folder.at('volume'));
  await add('in/summary.csv', 'in/detail.json');
  await add('in/summary.csv');
  runs = fs.readdirSync(folder.at(`volume/${PLACE}`)).sort();
});

afterEach(() => folder.remove());

async function add(...files: string[]): Promise<Record<string, string>> {
  const paths = files.map((file) => folder.at(file));
  expect(await folder.run('add', DATASET, ...paths, '--dir', folder.at('volume'), '--json')).toBe(0);
  return JSON.parse(folder.out[0]) as Record<string, string>;
}

function verify(...args: string[]): Promise<number> {
  return folder.run('verify', folder.at('volume'), ...args);
}

/** Evidence is read-only; who may change it can make it writable first. */
function tamper(name: string, change: (file: string) => void): void {
  const file = folder.at(`volume/${PLACE}/${name}`);
  fs.chmodSync(file, 0o644);
  change(file);
}

test('runs are named by time, read-only, complete, and chained', () => {
  expect(runs).toEqual(['run=20261125T060000Z', 'run=20261125T060001Z']);
  const files = fs.readdirSync(folder.at(`volume/${PLACE}/${runs[0]}`)).sort();
  expect(files).toEqual(['detail.json', 'manifest.json', 'summary.csv']);
  for (const name of files) {
    expect(fs.statSync(folder.at(`volume/${PLACE}/${runs[0]}/${name}`)).mode & 0o222).toBe(0);
  }
  const manifest = JSON.parse(fs.readFileSync(folder.at(`volume/${PLACE}/${runs[1]}/manifest.json`), 'utf8'));
  expect(manifest.previous.run).toBe(runs[0]);
  expect(manifest.files).toMatchObject([{ name: 'summary.csv', bytes: 14 }]);
});

test('what nobody touched is unchanged', async () => {
  expect(await verify()).toBe(0);
  expect(folder.out.at(-1)).toBe('1 folder, 2 runs, 3 files, 42 B: unchanged');
});

test.each<[string, string, () => void]>([
  [
    'changed',
    'has other bytes',
    () => tamper(`${runs[0]}/summary.csv`, (file) => fs.writeFileSync(file, 'team,cost\na,2\n')),
  ],
  ['truncated', 'has 5 bytes; it had 14', () => tamper(`${runs[0]}/summary.csv`, (file) => fs.truncateSync(file, 5))],
  [
    'changed',
    'has 16 bytes; it had 14',
    () => tamper(`${runs[0]}/summary.csv`, (file) => fs.appendFileSync(file, 'b\n')),
  ],
  ['missing', 'is missing', () => fs.rmSync(folder.at(`volume/${PLACE}/${runs[0]}/detail.json`))],
  ['missing', 'manifest.json is missing', () => fs.rmSync(folder.at(`volume/${PLACE}/${runs[1]}/manifest.json`))],
  ['extra', 'is not in the manifest', () => void folder.write(`volume/${PLACE}/${runs[0]}/more.csv`, 'x')],
  ['extra', 'is in no run', () => void folder.write('volume/reports/loose.csv', 'x')],
  ['extra', 'is in no run', () => void folder.write(`volume/${PLACE}/loose.csv`, 'x')],
  ['manifest', 'is damaged', () => tamper(`${runs[1]}/manifest.json`, (file) => fs.truncateSync(file, 40))],
  [
    'manifest',
    'does not have the checksum that it names',
    () => tamper(`${runs[1]}/manifest.json`, (file) => replace(file, '2026-11-25T06:00:00Z', '2026-11-24T06:00:00Z')),
  ],
  [
    'manifest',
    'does not continue the run before it',
    () => fs.rmSync(folder.at(`volume/${PLACE}/${runs[0]}`), { recursive: true }),
  ],
])('%s: %s', async (what, text, change) => {
  change();
  expect(await verify()).toBe(1);
  expect(folder.out.join('\n')).toContain(text);
  expect(await verify('--json')).toBe(1);
  const lines = folder.out.map((line) => JSON.parse(line));
  expect(lines.some((line) => line.what === what && line.text)).toBe(true);
  expect(lines.at(-1).unchanged).toBe(false);
});

function replace(file: string, from: string, to: string): void {
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(from, to));
}

test('a cut end shows against what was noted outside', async () => {
  expect(await verify('--json')).toBe(0);
  const noted = folder.write('heads.jsonl', ['a line of something else', ...folder.out].join('\n'));
  expect(await verify('--against', noted)).toBe(0);
  fs.rmSync(folder.at(`volume/${PLACE}/${runs[1]}`), { recursive: true });
  expect(await verify()).toBe(0); // A chain that ends earlier is a chain.
  expect(await verify('--against', noted)).toBe(1);
  expect(folder.out[0]).toBe(`${PLACE}/${runs[1]}/manifest.json was noted elsewhere, and is gone`);
});

test('a file to compare with that names nothing is refused', async () => {
  expect(await verify('--against', folder.write('empty', 'nothing'))).toBe(64);
  expect(folder.said).toContain('It names no manifest');
});

test('nothing to verify, and no folder', async () => {
  fs.mkdirSync(folder.at('empty'));
  expect(await folder.run('verify', folder.at('empty'))).toBe(66);
  expect(await folder.run('verify', folder.at('nowhere'))).toBe(64);
  expect(folder.said).toContain('It does not exist');
});

test('the own folder of this command, and runs that are being written, are no evidence', async () => {
  folder.write('volume/.efs-data-layer/parquet/x.parquet', 'x');
  folder.write(`volume/${PLACE}/.partial-0/a.csv`, 'x');
  expect(await verify()).toBe(0);
  expect(folder.said).toContain('.partial-0 is unfinished');
});

test.each([
  [['focus/x'], 'The folder focus belongs to the collector'],
  [['findings/Prowler'], 'in lower case'],
  [['findings/prowler', 'in'], 'It is no file'],
  [['findings/prowler', 'in/summary.csv', 'in/summary.csv'], 'of this name'],
])('add %j is refused', async ([dataset, ...files], text) => {
  const paths = (files.length > 0 ? files : ['in/summary.csv']).map((file) => folder.at(file));
  expect(await folder.run('add', dataset, ...paths, '--dir', folder.at('volume'))).toBe(64);
  expect(folder.said).toContain(text);
  expect(fs.readdirSync(folder.at('volume'))).toEqual(['reports']);
});

test('the seal is the one the collector’s Python writes', () => {
  const collector = path.join(__dirname, '..', '..', '..', 'lib', 'workloads', 'evidence-collector.py');
  const program = `import runpy,sys
m=runpy.run_path(sys.argv[1])
x={'schemaVersion':1,'run':'run=20261125T060000Z','files':[],'previous':None,'source':{'prefix':'é'},'totals':{}}
print(m['text_of']({**x,'selfSha256':m['seal'](x)}),end='')`;
  const text = execFileSync('python3', ['-c', program, collector], { encoding: 'utf8' });
  expect(selfCheck(text)).toBe(true);
  expect(selfCheck(text.replace('Z', 'Y'))).toBe(false);
});
