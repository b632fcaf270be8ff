import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as path from 'path';
import { folder } from '../../test/bill/helpers';
import { main } from '../src/main';

async function run(...args: string[]): Promise<{ code: number; out: string; note: string }> {
  const [out, note]: string[][] = [[], []];
  const io = { out: (line: string) => void out.push(line), note: (line: string) => void note.push(line) };
  const code = await main(['bill', ...args], { io });
  return { code, out: out.join('\n'), note: note.join('\n') };
}

const template = (resources: object) => ({ Resources: resources });
const FS = { Fs: { Type: 'AWS::EFS::FileSystem' } };
const NAT = { Nat: { Type: 'AWS::EC2::NatGateway' } };
let directory: string;
const file = (name: string) => path.join(directory, name);

beforeAll(() => {
  directory = folder({
    'old.json': template(FS),
    'new.json': template({ ...FS, ...NAT }),
    'usage.json': { 'efs.storedGiB': 20, 'efs.snapshotsKept': 0, 'nat.processedGB': 0 },
    'bad-usage.json': { 'efs.storedGib': 1, 'efs.storedGiBx': 1 },
    'odd.json': template({ Odd: { Type: 'AWS::Redshift::Cluster' } }),
    'token.json': template({ Svc: { Type: 'AWS::ECS::Service', Properties: { DesiredCount: { Ref: 'N' } } } }),
    'half.json': '{"Resources": {',
  });
});

test('a table, with the quantity, the unit price and the month', async () => {
  const { code, out } = await run(file('old.json'), '--usage', file('usage.json'));
  expect(code).toBe(0);
  expect(out).toMatch(/Name +Monthly Qty +Unit +Unit Price +Monthly Cost/);
  expect(out).toMatch(/Storage \(Standard\) +20 +GB-month +\$0\.30 +\$6\.00\*/);
  expect(out).toMatch(/OVERALL TOTAL +\$6\.00/);
  expect(out).toContain('$6.00 a month buys 20 GiB of live data in us-east-1');
});

test('JSON for machines, Markdown for a pull request', async () => {
  const json = JSON.parse((await run(file('new.json'), '--json', '--usage', file('usage.json'))).out);
  expect(json.totals.dataLayer.totalUsd).toBeCloseTo(6 + 730 * 0.045, 8);
  const { out } = await run(file('new.json'), '--markdown', '--usage', file('usage.json'));
  expect(out).toMatch(/^### Bill of .*: \$38\.85 a month\n/);
  expect(out).toMatch(/\| `new\/Nat` \| NAT gateway \| 730 \| hour \| \$0\.045 \| \$32\.85 \|/);
});

test('a difference: added, total, percent', async () => {
  const { code, out } = await run(file('new.json'), '--diff', file('old.json'), '--usage', file('usage.json'));
  expect(code).toBe(0);
  expect(out).toContain('Key: * usage cost, ~ changed, + added, - removed');
  expect(out).toMatch(/Amount: +\+\$32\.85 \(\$6\.00 → \$38\.85\)/);
  expect(out).toMatch(/Percent: +\+547\.5%/);
});

test('--max-increase decides the exit code', async () => {
  const diff = (limit: string, after = 'new.json', before = 'old.json') =>
    run(file(after), '--diff', file(before), '--usage', file('usage.json'), '--max-increase', limit);
  expect(await diff('5')).toMatchObject({ code: 2, note: expect.stringContaining('grows by $32.85') });
  expect((await diff('33')).code).toBe(0);
  expect((await diff('0', 'old.json', 'new.json')).code).toBe(0);
});

test('what is not priced is told', async () => {
  const { out } = await run(file('odd.json'));
  expect(out).toMatch(/1 not priced, so that the total is too low:\n.*odd\/Odd \(AWS::Redshift::Cluster\)/);
});

describe('bad input is named, and the way out', () => {
  test.each<[string, () => string[], RegExp]>([
    ['half a template', () => [file('half.json')], /half\.json\] It is no whole JSON document/],
    ['nothing there', () => ['/nowhere/t.json'], /There is no such file or directory/],
    ['a token for a number', () => [file('token.json')], /\[token\/Svc, DesiredCount\] It is a token/],
    ['a region without prices', () => [file('old.json'), '--region', 'mars-1'], /--region mars-1\].*us-east-1/],
    ['a mistyped usage', () => [file('old.json'), '--usage', file('bad-usage.json')], /Did you mean efs\.storedGiB\?/],
    ['no amount', () => [file('old.json'), '--budget', 'six'], /--budget\] "six" is no amount/],
    ['nothing to compare', () => [file('old.json'), '--max-increase', '5'], /Pass --diff or --against-ref/],
    [
      'no such ref',
      () => [file('old.json'), '--against-ref', 'no-such-ref'],
      /--against-ref no-such-ref\] git does not/,
    ],
  ])('%s', async (_name, args, message) => {
    const { code, note } = await run(...args());
    expect(code).toBe(64);
    expect(note).toMatch(message);
  });
});

test('--against-ref synthesizes a commit as it was, and leaves nothing behind', async () => {
  // An app that only copies a template, so that git and the environment of the app are what is tested.
  const app = `
    const fs = require('fs'), out = process.env.CDK_OUTDIR, context = JSON.parse(process.env.CDK_CONTEXT_JSON);
    if (context.flag !== 'on') throw new Error('context is missing');
    fs.mkdirSync(out, { recursive: true });
    fs.copyFileSync('template.json', out + '/S.template.json');
    fs.writeFileSync(out + '/manifest.json', JSON.stringify({ artifacts: { S: { type: 'aws:cloudformation:stack',
      environment: 'aws://unknown-account/unknown-region', properties: { templateFile: 'S.template.json' } } } }));`;
  const repository = folder({
    'app.js': app,
    'cdk.json': { app: 'node app.js', context: { flag: 'on' } },
    'template.json': template(FS),
  });
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: repository });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'old');
  fs.writeFileSync(path.join(repository, 'S.json'), JSON.stringify(template({ ...FS, ...NAT })));
  const before = process.cwd();
  process.chdir(repository);
  try {
    const { code, out } = await run('S.json', '--against-ref', 'HEAD', '--usage', file('usage.json'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ changeUsd: expect.closeTo(32.85, 8), before: 'HEAD' });
  } finally {
    process.chdir(before);
  }
  expect(git('worktree', 'list').toString().trim().split('\n')).toHaveLength(1);
});
