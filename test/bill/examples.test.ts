import * as fs from 'fs';
import * as path from 'path';
import { createProgram } from '../../cli/src/program';
import { USAGE_DOC, withUsageTable } from '../../scripts/usage-table';

const { load } = require('js-yaml') as { load: (text: string) => unknown };

const EXAMPLES = path.join(__dirname, '..', '..', 'docs', 'examples');
const text = (name: string) => fs.readFileSync(path.join(EXAMPLES, name), 'utf8');
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const yaml = (name: string) => load(text(name)) as any;
const GITHUB = 'bill-on-pull-request.github.yml';
const GITLAB = 'bill-on-merge-request.gitlab.yml';

/** The options of `efs-data-layer bill` in a text exist. */
function knownOptions(script: string): void {
  const bill = createProgram({} as never, '0').commands.find((command) => command.name() === 'bill')!;
  const known = bill.options.map(({ long }) => long);
  const calls = [...script.matchAll(/npx efs-data-layer bill ([^\n>|]*)/g)];
  expect(calls).toHaveLength(1);
  for (const [option] of calls[0][1].matchAll(/--[a-z-]+/g)) {
    expect(known).toContain(option);
  }
}

test('GitHub: least rights, on pull requests, one job whose steps are actions or scripts', () => {
  const workflow = yaml(GITHUB);
  expect(workflow.on).toHaveProperty('pull_request');
  expect(workflow.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
  const [job] = Object.values(workflow.jobs) as { 'runs-on': string; steps: Record<string, string>[] }[];
  expect(job['runs-on']).toBe('ubuntu-latest');
  for (const step of job.steps) {
    expect([step.uses !== undefined, step.run !== undefined].filter(Boolean)).toHaveLength(1);
    expect(step.uses ?? '@v4').toMatch(/@v\d+$/);
    // What comes from the pull request reaches a script through its environment only.
    expect(step.run ?? '').not.toContain('${{');
  }
  const scripts = job.steps.map(({ run }) => run ?? '').join('\n');
  expect(scripts).toMatch(/cdk synth[^]*cdk diff[^]*PATCH[^]*POST/);
  knownOptions(scripts);
});

test('GitLab: on merge requests, and every script line is a text', () => {
  const { bill } = yaml(GITLAB);
  expect(bill.rules).toEqual([{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
  const lines: unknown[] = [...bill.before_script, ...bill.script];
  expect(lines.filter((line) => typeof line !== 'string')).toEqual([]);
  const scripts = lines.join('\n');
  expect(scripts).toMatch(/cdk synth[^]*cdk diff[^]*PUT[^]*POST/);
  knownOptions(scripts);
});

test('both look for the marker they write', () => {
  expect(text(GITHUB).match(/<!-- efs-data-layer bill -->/g)).toHaveLength(2);
  expect(text(GITLAB).match(/\$MARKER|marker/g)!.length).toBeGreaterThan(1);
});

test('the table in docs/usage.md is that of the code (npm run docs:usage)', () => {
  const bare = (markdown: string) => markdown.replace(/ +/g, ' ').replace(/-{2,}/g, '-');
  const document = fs.readFileSync(USAGE_DOC, 'utf8');
  expect(bare(document)).toBe(bare(withUsageTable(document)));
  expect(document).toContain('`efs.storedGiB`');
});
