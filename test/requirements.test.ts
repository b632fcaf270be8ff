import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import * as ts from 'typescript';

/** What a user sees first when something is missing, too old or there twice: node_modules are made for it. */
const ROOT = path.join(__dirname, '..');
const { peerDependencies } = require('../package.json') as { peerDependencies: Record<string, string> };
const floor = (name: string) => peerDependencies[name].replace('^', '');

let folder: string;
let compiled: string;

beforeAll(() => {
  const source = fs.readFileSync(path.join(ROOT, 'lib', 'requirements.ts'), 'utf8');
  compiled = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS } }).outputText;
});

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'requirements-')));
  write('efs-data-layer/lib/requirements.js', compiled);
  write('efs-data-layer/package.json', fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function write(file: string, content: string): void {
  const target = path.join(folder, 'node_modules', file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
}

function peer(name: string, version: string, below = ''): void {
  write(`${below}${name}/package.json`, JSON.stringify({ name, version }));
}

/** Loads it in a process of its own; the last line of the error, or nothing. */
function load(before = ''): string {
  const program = `${before}; try { require('efs-data-layer/lib/requirements.js') } catch (error) { console.log(error.message) }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim();
}

test.each(['the oldest that will do', 'a newer one'])('the peers: %s', (which) => {
  const [cdk, constructs] =
    which === 'a newer one' ? ['2.999.0', '10.999.9'] : [floor('aws-cdk-lib'), floor('constructs')];
  peer('aws-cdk-lib', cdk);
  peer('constructs', constructs);
  expect(load()).toBe('');
});

test.each(['aws-cdk-lib', 'constructs'])('%s is missing', (missing) => {
  ['aws-cdk-lib', 'constructs'].filter((name) => name !== missing).forEach((name) => peer(name, floor(name)));
  const message = load();
  expect(message).toContain(`${missing} is not installed`);
  expect(message).toContain(`npm install "aws-cdk-lib@${peerDependencies['aws-cdk-lib']}"`);
});

test.each([
  ['aws-cdk-lib', '2.150.0'],
  ['aws-cdk-lib', '1.204.0'],
  ['aws-cdk-lib', '3.0.0'],
  ['constructs', '10.0.5'],
  ['constructs', '3.4.344'],
])('%s %s', (name, version) => {
  ['aws-cdk-lib', 'constructs'].forEach((other) => peer(other, other === name ? version : floor(other)));
  const message = load();
  expect(message).toContain(`it needs ${name} ${peerDependencies[name]}, and `);
  expect(message).toContain(`${path.join(folder, 'node_modules', name)} is version ${version}`);
  expect(message).toContain('Run: npm install ');
});

test('a second copy of constructs, below aws-cdk-lib', () => {
  peer('aws-cdk-lib', floor('aws-cdk-lib'));
  peer('constructs', floor('constructs'));
  peer('constructs', '10.999.0', 'aws-cdk-lib/node_modules/');
  const message = load();
  expect(message).toContain('two copies of constructs');
  expect(message).toContain(path.join(folder, 'node_modules', 'aws-cdk-lib', 'node_modules', 'constructs'));
  expect(message).toContain('npm dedupe');
});

test('an old Node', () => {
  const message = load(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } })`,
  );
  expect(message).toContain('needs Node >= 20, and this is Node 18.20.8');
  expect(message).toContain('Install Node 22 or 24');
});

test('the package loads it before anything else', () => {
  const statements = fs.readFileSync(path.join(ROOT, 'lib', 'index.ts'), 'utf8').split('\n');
  expect(statements.find((line) => /^(import|export)/.test(line))).toBe("import './requirements';");
});
