import * as fs from 'fs';
import * as path from 'path';
import { App } from 'aws-cdk-lib';
import * as ts from 'typescript';
import { FLAGS } from '../bin/flags';

const ROOT = path.join(__dirname, '..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const SCRIPTS = require('../package.json').scripts as Record<string, string>;

function markdownFiles(folder = ROOT): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) {
      return /^(node_modules|\.|cdk\.out|dist)/.test(entry.name) ? [] : markdownFiles(path.join(folder, entry.name));
    }
    return entry.name.endsWith('.md') ? [path.join(folder, entry.name)] : [];
  });
}

/** Runs a block of TypeScript as a user would, with the package's name leading here. */
function run(source: string): unknown {
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const load = (name: string) => require(name === 'efs-data-layer' ? '../lib' : name);
  return new Function('require', 'exports', `${outputText}\nreturn { stack };`)(load, {});
}

describe('README', () => {
  test('the first code block is ten lines and makes the stack it shows', () => {
    const [, block] = /```ts nofixture\n([\s\S]*?)```/.exec(README)!;
    expect(block.trim().split('\n').length).toBeLessThanOrEqual(10);
    const { stack } = run(block) as { stack: { node: { root: App } } };
    const [{ template }] = stack.node.root.synth().stacks;
    const types = Object.values(template.Resources as Record<string, { Type: string }>).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::ECS::Service')).toHaveLength(2);
  });

  test('the first code block is examples/default, which is installed and synthesized as a user would', () => {
    const [, block] = /```ts nofixture\n([\s\S]*?)```/.exec(README)!;
    expect(block).toBe(fs.readFileSync(path.join(ROOT, 'examples', 'default', 'app.ts'), 'utf8'));
  });

  test('the block for one’s own stack makes what it shows', () => {
    const [, block] = /```ts fixture=own-stack\n([\s\S]*?)```/.exec(README)!;
    const fixture = fs.readFileSync(path.join(ROOT, 'rosetta', 'own-stack.ts-fixture'), 'utf8');
    const { stack } = run(fixture.replace('/// here', () => block)) as { stack: { node: { root: App } } };
    const [{ template }] = stack.node.root.synth().stacks;
    const types = Object.values(template.Resources as Record<string, { Type: string }>).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::EFS::AccessPoint')).toHaveLength(4);
  });

  test('names every flag of the app, and none that does not exist', () => {
    for (const name of Object.keys(FLAGS)) {
      expect(README).toMatch(new RegExp(`^\\| .*\`(data-layer:)?${name}\``, 'm'));
    }
    for (const [, name] of README.matchAll(/data-layer:([A-Za-z]+)/g)) {
      expect(Object.keys(FLAGS)).toContain(name);
    }
  });
});

describe.each(markdownFiles().map((file) => [path.relative(ROOT, file), file]))('%s', (_name, file) => {
  const text = fs.readFileSync(file, 'utf8');

  test('every link leads to a file', () => {
    const broken = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, target]) => target.trim())
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => !fs.existsSync(path.resolve(path.dirname(file), target)));
    expect(broken).toEqual([]);
  });

  test('every npm command exists', () => {
    const unknown = [...text.matchAll(/npm run (?:-s )?([a-z:-]+)/g)]
      .map(([, name]) => name)
      .filter((n) => !SCRIPTS[n]);
    expect(unknown).toEqual([]);
  });
});

test('the decision record links every consequence to the code that carries it', () => {
  const record = fs.readFileSync(path.join(ROOT, 'docs', 'adr', '001-one-efs-volume.md'), 'utf8');
  const rows = record.split('\n').filter((line) => line.startsWith('|') && !/^\| (consequence|-)/.test(line));
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) {
    expect(row).toMatch(/\]\(\.\.\/\.\.\/[^)]+\)/);
  }
});
