import * as fs from 'fs';
import * as ts from 'typescript';
import { RULES } from '../../lib/checks/rules';
import { CHECKS_DOC, withTable } from '../../scripts/checks-table';

const document = fs.readFileSync(CHECKS_DOC, 'utf8');
/** Prettier fills the columns of a table with blanks and dashes. */
const bare = (text: string) => text.replace(/ +/g, ' ').replace(/-{2,}/g, '-');

test('the table in docs/checks.md is that of the code (npm run docs:checks)', () => {
  expect(bare(document)).toBe(bare(withTable(document)));
  expect(document.match(/^\| `EfsSafety-\w+`/gm)).toHaveLength(RULES.length);
});

// CloudFormation's own rules have nothing to do with it, and take seconds.
beforeAll(() => (process.env.CDK_VALIDATION = 'false'));

test('the example does what its last line says', () => {
  const [, example] = /```ts\n([^]*?)```/.exec(document)!;
  const { outputText } = ts.transpileModule(example, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const load = (name: string) => require(name === 'efs-data-layer' ? '../../lib' : name);
  const run = () => new Function('require', 'exports', outputText)(load, {});
  expect(run).toThrow(/Scratch\/Disk[^]*'EfsSafety::EfsSafety-PlaintextAllowed'/);
  expect(run).not.toThrow(/FileSystemWithoutBackup|DataDeletedWithStack/);
});
