import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { Deployment, STACK } from './deployment';

const { load } = require('js-yaml') as { load: (text: string) => unknown };

jest.setTimeout(300_000);

const ROOT = path.join(__dirname, '..', '..');
const FILE = path.join(ROOT, '.github', 'workflows', 'data-layer.yml');
const { jobs } = load(fs.readFileSync(FILE, 'utf8')) as {
  jobs: Record<string, { steps: { name?: string; run?: string; env?: Record<string, string> }[] }>;
};

let deployment: Deployment;
let home: string;
let workspace: string;
let base: string;

/** The app of a user: the deploy app in a repository of its own, in a folder of it. */
function writeApp(flags: object): void {
  fs.mkdirSync(workspace, { recursive: true });
  fs.writeFileSync(path.join(workspace, 'app.ts'), `import '${path.join(ROOT, 'bin', 'data-layer')}';\n`);
  fs.writeFileSync(
    path.join(workspace, 'cdk.json'),
    JSON.stringify({ app: 'node --import tsx app.ts', notices: false, versionReporting: false, context: flags }),
  );
  fs.writeFileSync(path.join(home, 'repository', '.gitignore'), 'node_modules\n*.out\ndiff.txt\n');
}

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
  const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], {
    cwd: path.join(home, 'repository'),
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(stderr);
  }
  return stdout.trim();
}

beforeAll(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'workflow-test-'));
  workspace = path.join(home, 'repository', 'infrastructure');
  writeApp({ 'data-layer:services': true });
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '.');
  git('commit', '--quiet', '--message', 'base');
  base = git('rev-parse', 'HEAD');
  // npm ci stands for installing what is installed here already.
  fs.mkdirSync(path.join(home, 'bin'));
  fs.writeFileSync(
    path.join(home, 'bin', 'npm'),
    `#!/bin/sh\n[ "$*" = ci ] || exit 64\n[ -e node_modules ] || ln -s '${path.join(ROOT, 'node_modules')}' node_modules\n`,
    { mode: 0o755 },
  );
  deployment = await Deployment.start();
});

afterAll(async () => {
  await deployment?.stop();
  fs.rmSync(home, { recursive: true, force: true });
});

/** Runs the scripts of a job as a runner does, up to the first that fails. */
function run(job: string, values: Record<string, string> = {}, skip: string[] = []) {
  const summary = path.join(home, 'summary.md');
  fs.writeFileSync(summary, '');
  fs.rmSync(path.join(home, 'runner'), { recursive: true, force: true });
  fs.mkdirSync(path.join(home, 'runner'));
  spawnSync('git', ['worktree', 'prune'], { cwd: path.join(home, 'repository') });
  const outputs: string[] = [];
  for (const step of jobs[job].steps.filter(({ run: script, name }) => script && !skip.includes(name!))) {
    const names = Object.keys(step.env ?? {});
    expect(names.filter((name) => values[name] === undefined)).toEqual([]);
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run!],
      {
        cwd: workspace,
        encoding: 'utf8',
        env: {
          ...deployment.aws.env,
          PATH: `${path.join(home, 'bin')}:${process.env.PATH}`,
          GITHUB_STEP_SUMMARY: summary,
          GITHUB_WORKSPACE: path.join(home, 'repository'),
          RUNNER_TEMP: path.join(home, 'runner'),
          ...Object.fromEntries(names.map((name) => [name, values[name]])),
        },
      },
    );
    outputs.push(stdout + stderr);
    if (status !== 0) {
      return { failed: step.name, output: outputs.join('\n'), summary: fs.readFileSync(summary, 'utf8') };
    }
  }
  return { failed: undefined, output: outputs.join('\n'), summary: fs.readFileSync(summary, 'utf8') };
}

const CHECK = { CDK_ARGUMENTS: '', MAX_INCREASE: '5' };
const BILL_STEP = 'What the pull request changes in the bill';
const DIFF_STEP = 'Compare; a replaced, deleted or orphaned resource fails';

test('an app that is in order is checked, compared, deployed', async () => {
  const check = run('check', { ...CHECK, BASE_SHA: base });
  expect(check).toMatchObject({ failed: undefined });
  expect(check.summary).toMatch(/\$\d+\.\d\d/);
  expect(fs.existsSync(path.join(workspace, 'base.out', 'manifest.json'))).toBe(true);

  expect(run('diff', { ALLOW_DESTRUCTIVE: 'false' })).toMatchObject({
    failed: undefined,
    summary: expect.stringContaining('[+] AWS::EFS::FileSystem'),
  });
  expect(run('deploy')).toMatchObject({ failed: undefined });
  expect(Object.keys(await deployment.resources(/^AWS::EFS::FileSystem$/, STACK))).toHaveLength(1);
});

test('new revisions of task definitions are no loss', () => {
  writeApp({ 'data-layer:services': true, 'data-layer:architecture': 'x86_64' });
  expect(run('check', CHECK, [BILL_STEP])).toMatchObject({ failed: undefined });
  expect(run('diff', { ALLOW_DESTRUCTIVE: 'false' })).toMatchObject({
    failed: undefined,
    output: expect.stringMatching(/\[~\] AWS::ECS::TaskDefinition \S+ \S+ replace$/m),
  });
});

test('flags come through as arguments, and a wrong one stops the check with its error', () => {
  const { failed, output } = run('check', { ...CHECK, BASE_SHA: base, CDK_ARGUMENTS: '-c data-layer:servces=true' });
  expect(failed).toMatch(/^Synthesize/);
  expect(output).toContain('Did you mean data-layer:services?');
});

test('a bill that grows too much stops the check, with the amount', () => {
  writeApp({
    'data-layer:services': true,
    'data-layer:relational': 'rds-postgres',
    'data-layer:relationalPhase': 'prepare',
    'data-layer:monthlyBudgetUsd': 100,
  });
  const { failed, output } = run('check', { ...CHECK, BASE_SHA: base });
  expect(failed).toBe(BILL_STEP);
  expect(output).toMatch(/The bill grows by \$\d+\.\d\d a month, more than --max-increase 5/);
});

test('a deployment that would take services away is destructive; said out loud, it passes', () => {
  writeApp({});
  expect(run('check', CHECK, [BILL_STEP])).toMatchObject({ failed: undefined });
  const refused = run('diff', { ALLOW_DESTRUCTIVE: 'false' });
  expect(refused.failed).toBe(DIFF_STEP);
  expect(refused.summary).toContain('[-] AWS::ECS::Service');
  expect(run('diff', { ALLOW_DESTRUCTIVE: 'true' })).toMatchObject({ failed: undefined });
});
