import { spawnSync } from 'child_process';
import * as path from 'path';
import { RunTaskCommand } from '@aws-sdk/client-ecs';
import { DUCKDB, loadDuckDb } from '../../src/evidence/engine';
import { EVIDENCE, fakeEvidenceAccount } from '../evidence-account';
import { FakeAccount } from '../fake-account';
import { describeWithDuckDb, Folder, generate } from './helpers';

let account: FakeAccount;

afterEach(() => account?.restore());

function evidenceAccount(lines: string[], exitCode = 0): void {
  account = fakeEvidenceAccount(lines, exitCode);
}

const SCAN =
  '{"event":"evidence-scan","at":"2026-11-25T06:00:00.000Z","query":"cost-by-month","bytes":1500000,"measured":true,"seconds":0.4}';

test('a question runs as a task with the mount, role and log group of evidence, in a network of the stack', async () => {
  evidenceAccount(['month  billed', SCAN], 65);
  expect(await account.run('evidence', 'query', 'cost-by-month', '--stack', 'EfsDataLayer')).toBe(65);
  expect(account.calls).toEqual(['register', 'run', 'deregister']); // No service is stopped.
  const [definition] = account.definitions;
  expect(definition).toMatchObject({
    cpu: '1024',
    memory: '4096',
    taskRoleArn: EVIDENCE.taskRoleArn,
    volumes: EVIDENCE.volumes,
  });
  const [container] = definition.containerDefinitions!;
  expect(container.image).toMatch(/\/node:22\.\d+\.\d+-/);
  expect(container.mountPoints).toEqual([
    { sourceVolume: 'efs-evidence', containerPath: '/mnt/evidence', readOnly: false },
  ]);
  expect(container.environment!.map(({ name }) => name)).toEqual(['EFS_DATA_LAYER_DUCKDB', 'EFS_DATA_LAYER_SCAN_LINE']);
  expect(Buffer.byteLength(JSON.stringify(definition))).toBeLessThan(40_000);
  const [started] = account.ecs.commandCalls(RunTaskCommand);
  expect(started.args[0].input).toMatchObject({
    networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } },
  });
  expect(account.out).toEqual(['month  billed']);
  expect(account.said).toContain('It read 1.5 MB in 0.4 s.');
});

test('with --json only JSON is printed; the image and the size are the user’s', async () => {
  evidenceAccount(['added 4 packages', '{"month":"2026-08"}', SCAN]);
  const args = ['--image', 'example/duckdb:1', '--task-cpu', '2048', '--task-memory', '8192', '--json'];
  expect(await account.run('evidence', 'query', 'cost-by-month', '--stack', 'EfsDataLayer', ...args)).toBe(0);
  expect(account.out).toEqual(['{"month":"2026-08"}']);
  expect(account.said).toContain('added 4 packages');
  expect(account.definitions[0]).toMatchObject({
    cpu: '2048',
    memory: '8192',
    containerDefinitions: [{ image: 'example/duckdb:1' }],
  });
});

test.each([
  [['query', 'cost-by-month'], 64, 'Neither a folder nor a stack is named'],
  [['query', 'cost-by-month', '--stack', 'EfsDataLayer', '--workload', 'reports'], 64, 'It has evidence, open-webui.'],
  [['verify', '--stack', 'EfsDataLayer', '--cluster', 'x'], 64, 'Pass both or neither'],
])('%j is refused before anything is made', async (args, code, text) => {
  evidenceAccount([]);
  expect(await account.run('evidence', ...args)).toBe(code);
  expect(account.calls).toEqual([]);
  expect(account.said).toContain(text);
});

describeWithDuckDb('the command line of the task, run as a process', () => {
  const modules = path.join(__dirname, '..', '..', '..', 'node_modules');
  let folder: Folder;

  beforeAll(async () => {
    folder = new Folder();
    await generate(folder.at('focus/BILLING_PERIOD=2026-08/costs.csv'), { rows: 500, months: 1 });
  });

  afterAll(() => folder.remove());

  /** The registered definition's own entry point, command and environment; the mount is a folder here. */
  function runTask(env: Record<string, string> = { NODE_PATH: modules }) {
    const [container] = account.definitions[0].containerDefinitions!;
    const [program, ...args] = [...container.entryPoint!, ...container.command!];
    const environment = Object.fromEntries(container.environment!.map(({ name, value }) => [name!, value!]));
    return spawnSync(
      program === 'node' ? process.execPath : program,
      args.map((one) => one.replace('/mnt/evidence', folder.root)),
      {
        cwd: folder.root,
        env: { PATH: process.env.PATH, ...environment, ...env } as never,
        encoding: 'utf8',
      },
    );
  }

  test('it answers as the command does on the folder, and logs how much it read', async () => {
    evidenceAccount([]);
    await account.run('evidence', 'query', 'cost-by-service', '--month', '2026-08', '--csv', '--stack', 'EfsDataLayer');
    const { status, stdout, stderr } = runTask();
    await folder.run('query', 'cost-by-service', '--month', '2026-08', '--csv', '--dir', folder.root);
    expect([status, stdout.trimEnd().split('\n')]).toEqual([0, folder.out]);
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1)!)).toMatchObject({
      event: 'evidence-scan',
      query: 'cost-by-service',
    });
  });

  test('a wrong question ends as it does on the folder', async () => {
    evidenceAccount([]);
    await account.run('evidence', 'query', 'SELECT nope FROM focus', '--stack', 'EfsDataLayer');
    const { status, stderr } = runTask();
    expect([status, stderr]).toEqual([64, expect.stringContaining('"nope" not found')]);
  });

  test('verify needs neither DuckDB nor npm', async () => {
    evidenceAccount([]);
    await account.run('evidence', 'verify', '--stack', 'EfsDataLayer');
    const { status, stdout } = runTask({ NODE_PATH: '', PATH: folder.root });
    expect([status, stdout]).toEqual([1, expect.stringContaining('costs.csv is in no run')]);
  });

  test('without DuckDB and without npm, the task says what to do', async () => {
    evidenceAccount([]);
    await account.run('evidence', 'ls', '--stack', 'EfsDataLayer');
    const { status, stderr } = runTask({ NODE_PATH: '', PATH: folder.root });
    expect([status, stderr]).toEqual([69, expect.stringContaining('Pass an --image that has it')]);
  });
});

test('without DuckDB the command says how to install it', () => {
  const absent = () => {
    throw new Error("Cannot find module '@duckdb/node-api'\nRequire stack: …");
  };
  expect(() => loadDuckDb(absent)).toThrow(
    /cannot be loaded: Cannot find module '@duckdb\/node-api'\. Install it beside the command: npm install --global/,
  );
});

test('the version that is told is the one that package.json has', async () => {
  const { optionalDependencies } = await import('../../package.json');
  expect(Object.entries(optionalDependencies).map(([name, version]) => `${name}@${version}`)).toEqual([DUCKDB]);
});
