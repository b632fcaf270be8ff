import { execFileSync, spawnSync } from 'child_process';
import * as fs from 'fs';
import { isBuiltin } from 'module';
import * as os from 'os';
import * as path from 'path';
import { PYTHON_IMAGE as CONSTRUCTS_IMAGE } from '../../lib/single-writer';
import { PYTHON_IMAGE } from '../src/aws/python-image';

const REPOSITORY = path.join(__dirname, '..', '..');

jest.setTimeout(180_000);

function npmPack(cwd: string, ...args: string[]): { filename: string; files: string[] } {
  const json = execFileSync('npm', ['pack', '--json', '--silent', ...args], { cwd, encoding: 'utf8' });
  const [packed] = JSON.parse(json.slice(json.indexOf('['))) as { filename: string; files: { path: string }[] }[];
  return { filename: packed.filename, files: packed.files.map((file) => file.path) };
}

test('the one-off task’s Python is the one the construct runs the keeper with', () => {
  expect(PYTHON_IMAGE).toBe(CONSTRUCTS_IMAGE);
});

test('the construct library’s package has what it reads, and nothing of the command line', () => {
  const { files } = npmPack(REPOSITORY, '--dry-run', '--ignore-scripts');
  const readAtRunTime = ['keeper.py', 'keeper.bundle', 'gate.sh'].map((name) => `lib/single-writer/${name}`);
  readAtRunTime.push('lib/bill/prices/us-east-1.json');
  expect(files).toEqual(expect.arrayContaining(readAtRunTime));
  expect(files.filter((file) => /^cli\/|commander|client-/.test(file))).toEqual([]);
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8'));
  expect(dependencies).toBeUndefined();
});

describe('the command line’s package, compiled and unpacked', () => {
  let directory: string;
  let files: string[];

  beforeAll(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-package-'));
    const packed = npmPack(path.join(REPOSITORY, 'cli'), '--pack-destination', directory);
    files = packed.files;
    execFileSync('tar', ['-xzf', path.join(directory, packed.filename), '-C', directory]);
    fs.symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(directory, 'node_modules'));
  });

  afterAll(() => {
    fs.rmSync(directory, { recursive: true, force: true });
  });

  function run(...args: string[]): string {
    const bin = path.join(directory, 'package', 'bin', 'efs-data-layer.js');
    return execFileSync(process.execPath, [bin, ...args], { encoding: 'utf8' });
  }

  test('holds what was compiled, no source, and the keeper of the library', () => {
    expect(files.filter((file) => file.endsWith('.ts'))).toEqual([]);
    const keeper = 'lib/single-writer/keeper.py';
    expect(fs.readFileSync(path.join(directory, 'package', 'dist', keeper))).toEqual(
      fs.readFileSync(path.join(REPOSITORY, keeper)),
    );
  });

  test('needs no CDK', () => {
    const compiled = files.filter((file) => file.endsWith('.js'));
    const text = compiled.map((file) => fs.readFileSync(path.join(directory, 'package', file), 'utf8')).join('\n');
    const required = [...text.matchAll(/require\("([^.][^"]*)"\)/g)].map(([, name]) => name);
    const { dependencies, optionalDependencies } = JSON.parse(
      fs.readFileSync(path.join(directory, 'package', 'package.json'), 'utf8'),
    );
    const declared = { ...dependencies, ...optionalDependencies };
    expect([...new Set(required)].filter((name) => !(name in declared) && !isBuiltin(name))).toEqual([]);
    expect(Object.keys(dependencies).filter((name) => /cdk|constructs|jsii/.test(name))).toEqual([]);
  });

  test('holds the program of an evidence task, which runs without the package', () => {
    const program = path.join(directory, 'package', 'dist', 'cli', 'src', 'evidence', 'task.bundle.js');
    const request = JSON.stringify({ verb: 'verify', root: directory, json: true, anchors: [] });
    const { status, stdout } = spawnSync(process.execPath, [program, request], { encoding: 'utf8' });
    expect([status, JSON.parse(stdout.trim().split('\n').at(-1)!).unchanged]).toEqual([1, false]);
    expect(files).toContain('dist/cli/src/aws/node-boot.js');
  });

  test('holds the program of a search task, which needs no other package', () => {
    const program = path.join(directory, 'package', 'dist', 'cli', 'src', 'search', 'task.bundle.js');
    const text = fs.readFileSync(program, 'utf8');
    const required = [...text.matchAll(/require\("([^"]*)"\)/g)].map(([, name]) => name);
    expect(required.filter((name) => !isBuiltin(name))).toEqual([]);
    const request = {
      root: directory,
      endpoint: 'http://127.0.0.1:1',
      index: 'evidence',
      region: 'us-east-1',
      json: true,
    };
    const { status, stderr } = spawnSync(process.execPath, [program, JSON.stringify(request)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([64, expect.stringContaining('It has neither reports/ nor findings/.')]);
  });

  test('runs', () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(REPOSITORY, 'cli', 'package.json'), 'utf8'));
    expect(run('--version').trim()).toBe(version);
    const template = path.join(directory, 'volume.template.json');
    fs.writeFileSync(template, JSON.stringify({ Resources: { Fs: { Type: 'AWS::EFS::FileSystem' } } }));
    expect(run('bill', template)).toContain('Storage (Standard)');
    const volume = path.join(directory, 'volume');
    fs.mkdirSync(volume);
    fs.writeFileSync(path.join(volume, 'notes.txt'), 'text');
    expect(run('snapshots', 'take', '--dir', volume)).toContain('"keeper": "snapshot"');
    expect(run('snapshots', 'list', '--dir', volume)).toMatch(/^notes.txt\//);
    expect(run('evidence', 'query', '--list')).toContain('cost-by-service');
  });
});
