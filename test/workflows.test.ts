import * as fs from 'fs';
import * as path from 'path';

const { load } = require('js-yaml') as { load: (text: string) => unknown };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
}

interface Job {
  readonly permissions?: Record<string, string>;
  readonly environment?: unknown;
  readonly if?: string;
  readonly steps: Step[];
}

const FOLDER = path.join(__dirname, '..', '.github', 'workflows');
const files = fs.readdirSync(FOLDER);
const text = (name: string) => fs.readFileSync(path.join(FOLDER, name), 'utf8');
const workflow = (name: string) =>
  load(text(name)) as { permissions: Record<string, string>; on: Record<string, unknown>; jobs: Record<string, Job> };

test.each(files)('%s: least rights, no stored key, nothing from outside in a script', (name) => {
  expect(workflow(name).permissions).toEqual({ contents: 'read' });
  expect(text(name)).not.toMatch(/secrets\.|aws-access-key-id|NODE_AUTH_TOKEN|NPM_TOKEN|pull_request_target/);
  for (const step of Object.values(workflow(name).jobs).flatMap(({ steps }) => steps)) {
    expect([step.uses, step.run].filter(Boolean)).toHaveLength(1);
    // An input or a title of a pull request reaches a script through its environment only.
    expect(step.run ?? '').not.toContain('${{');
    if (step.uses?.startsWith('actions/checkout')) {
      expect(step.with).toMatchObject({ 'persist-credentials': false });
    }
  }
});

test('only jobs that talk to an account, a registry or the release get a token', () => {
  const holders = files.flatMap((name) =>
    Object.entries(workflow(name).jobs)
      .filter(([, job]) => job.permissions?.['id-token'] === 'write')
      .map(([job]) => `${name} ${job}`),
  );
  expect(holders.sort()).toEqual([
    'data-layer.yml deploy',
    'data-layer.yml diff',
    'release.yml github',
    'release.yml npm',
    'release.yml pypi',
  ]);
});

test('a deployment waits for approval and never belongs to a pull request', () => {
  const { check, diff, deploy } = workflow('data-layer.yml').jobs;
  expect(deploy.environment).toBe('${{ inputs.environment }}');
  expect(deploy.if).toContain("github.event_name != 'pull_request'");
  expect(JSON.stringify(check)).not.toContain('configure-aws-credentials');
  expect(JSON.stringify(diff)).toContain('inputs.diff-role');
  expect(JSON.stringify(diff)).not.toContain('deploy-role');
});

test('the project’s own workflow runs what runs on any machine', () => {
  expect(workflow('ci.yml').jobs.all.steps.map(({ run }) => run)).toContain('.ci/run');
});
