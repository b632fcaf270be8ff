import { TaskDefinition } from '@aws-sdk/client-ecs';
import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { renderMover } from '../src/commands/migrate-lines';
import { FakeAccount, Scene, TASK_DEFINITION } from './fake-account';

const SECRET = 'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:db-abcdef';
const TARGET = ['--target-host', 'db.example', '--target-database', 'openwebui', '--target-secret', SECRET];

let account: FakeAccount;

afterEach(() => account?.restore());

function migrate(scene: Scene, ...args: string[]): Promise<number> {
  account = new FakeAccount(scene);
  return account.run('migrate', '--stack', 'EfsDataLayer', '--workload', 'open-webui', ...args);
}

const moved = {
  lines: [
    '{"keeper": "leased"}',
    '{"mover": "progress", "table": "chat_message", "doing": "copying", "rows": 1000, "of": 5000, "rows_per_s": 200, "left_s": 20}',
    '{"mover": "report", "source": "/mnt/webui.db", "target": "db:5432/x", "result": "moved", "tables": {"user": {"rows": 2, "moved": 1}}, "anomalies": {"nul": {"found": 1, "quarantined": 1}}}',
  ],
};

test('the application is stopped, the mover runs, and the application starts again', async () => {
  expect(await migrate({ tasks: [moved] }, ...TARGET)).toBe(0);
  expect(account.calls).toEqual(['count 0', 'register', 'run', 'deregister', 'count 1']);
  expect(account.out.join('\n')).toContain('chat_message: copying 1,000 of 5,000 rows, 200 rows/s, about 20 s left');
  expect(account.out.join('\n')).toContain('user: 1 of 2 rows left out');
  expect(account.out.join('\n')).toContain('nul: 1 found, 1 quarantined');
});

test('the task has the target, its secret, the database among its stores, and fits', async () => {
  await migrate({ tasks: [moved] }, ...TARGET, '--on-anomaly', 'nul=repair');
  const [definition] = account.definitions;
  const [container] = definition.containerDefinitions!;
  expect(container.environment).toEqual(
    expect.arrayContaining([
      { name: 'DATABASE_HOST', value: 'db.example' },
      { name: 'DATABASE_NAME', value: 'openwebui' },
      { name: 'PGSSLMODE', value: 'require' },
    ]),
  );
  expect(container.secrets).toEqual([
    { name: 'DATABASE_USER', valueFrom: `${SECRET}:username::` },
    { name: 'DATABASE_PASSWORD', valueFrom: `${SECRET}:password::` },
  ]);
  expect(container.command).toEqual(['mover.py', '--on-anomaly', 'nul=repair']);
  expect(Buffer.byteLength(JSON.stringify(definition))).toBeLessThan(65536);
});

/** The workload as it stands in a phase: what its container names, and whether the keeper still runs in it. */
function named(prefix: string, tls: { [name: string]: string }, keeper = true): TaskDefinition {
  const container = TASK_DEFINITION.containerDefinitions![0];
  const own = container.environment!.filter(({ name }) => keeper || !name!.startsWith('KEEPER_'));
  const plain = { [`${prefix}HOST`]: 'db', [`${prefix}PORT`]: '6432', [`${prefix}NAME`]: 'chats', ...tls };
  return {
    ...TASK_DEFINITION,
    containerDefinitions: [
      {
        ...container,
        environment: [...own, ...Object.entries(plain).map(([name, value]) => ({ name, value }))],
        secrets: ['USER', 'PASSWORD'].map((name) => ({ name: `${prefix}${name}`, valueFrom: `arn:${name}` })),
      },
    ],
  };
}

const prepared = named('DATA_LAYER_TARGET_', {
  DATA_LAYER_TARGET_SSLMODE: 'verify-full',
  DATA_LAYER_TARGET_SSLROOTCERT: '/ca',
});
const cutOver = named('DATABASE_', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/ca' });
const noKeeper = named('DATABASE_', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/ca' }, false);
const ownVectors = named('DATA_LAYER_VECTORS_', {
  DATA_LAYER_VECTORS_SSLMODE: 'verify-full',
  DATA_LAYER_VECTORS_SSLROOTCERT: '/ca',
});

test.each<[string, TaskDefinition, string[]]>([
  ['PREPARE', prepared, []],
  ['PREPARE', prepared, ['--check']],
  ['CUTOVER', cutOver, ['--back']],
  ['CUTOVER', cutOver, ['--complete']],
  ['COMPLETE with nothing left for a keeper', noKeeper, ['--back']],
  ['vectors in a database of their own', ownVectors, ['--vectors']],
])('%s: the container names the target itself %#', async (_phase, taskDefinition, args) => {
  expect(await migrate({ tasks: [moved], taskDefinition }, ...args)).toBe(0);
  const [made] = account.definitions[0].containerDefinitions!;
  expect(made.environment).toEqual(
    expect.arrayContaining([
      { name: 'DATABASE_HOST', value: 'db' },
      { name: 'DATABASE_PORT', value: '6432' },
      { name: 'DATABASE_NAME', value: 'chats' },
      { name: 'PGSSLMODE', value: 'verify-full' },
      { name: 'PGSSLROOTCERT', value: '/ca' },
    ]),
  );
  expect(made.secrets).toEqual([
    { name: 'DATABASE_USER', valueFrom: 'arn:USER' },
    { name: 'DATABASE_PASSWORD', valueFrom: 'arn:PASSWORD' },
  ]);
  // Open WebUI's own code makes the schema, so its image it must be.
  expect(made.image).toBe(TASK_DEFINITION.containerDefinitions![0].image);
});

test('vectors that may agree less', async () => {
  await migrate({ tasks: [moved] }, ...TARGET, '--vectors', '--agreement', '0.8');
  expect(account.definitions[0].containerDefinitions![0].command).toEqual(['vector_mover.py', '--agreement', '0.8']);
});

test('what the user names goes before what the container names', async () => {
  expect(await migrate({ tasks: [moved], taskDefinition: prepared }, ...TARGET)).toBe(0);
  const [made] = account.definitions[0].containerDefinitions!;
  expect(made.environment).toContainEqual({ name: 'DATABASE_HOST', value: 'db.example' });
  expect(made.environment).not.toContainEqual({ name: 'DATABASE_HOST', value: 'db' });
  expect(made.secrets).toContainEqual({ name: 'DATABASE_PASSWORD', valueFrom: `${SECRET}:password::` });
});

test.each([65, 66, 69, 73, 74, 75, 76, 77, 78])(
  'a move that ends with %d leaves the application running',
  async (exitCode) => {
    const lines = ['{"mover": "failed", "message": "It says why."}'];
    expect(await migrate({ tasks: [{ exitCode, lines }] }, ...TARGET)).toBe(exitCode);
    expect(account.calls).toEqual(['count 0', 'register', 'run', 'deregister', 'count 1']);
    expect(account.out).toContain('It says why.');
    expect(account.said).toContain(`The mover ended with exit code ${exitCode}`);
  },
);

test('a task that never came to its program: the reason is shown, and the application runs', async () => {
  const stoppedReason = 'ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException';
  expect(await migrate({ tasks: [{ stoppedReason }] }, ...TARGET)).toBe(1);
  expect(account.calls).toEqual(['count 0', 'register', 'run', 'deregister', 'count 1']);
  expect(account.said).toContain('AccessDeniedException');
});

test('Ctrl-C in the middle of a move: the task is stopped first, then the application starts', async () => {
  account = new FakeAccount({ tasks: [moved] });
  account.onSleep = () => account.calls.includes('run') && process.emit('SIGINT');
  expect(await account.run('migrate', '--stack', 'EfsDataLayer', '--workload', 'open-webui', ...TARGET)).toBe(130);
  expect(account.calls).toEqual(['count 0', 'register', 'run', 'stop task', 'deregister', 'count 1']);
});

test.each([
  [[], 'names no PostgreSQL'],
  [['--target-host', 'x'], 'named in part'],
  [[...TARGET, '--on-anomaly', 'ignore'], 'none of fail, quarantine and repair'],
  [[...TARGET, '--back', '--complete'], 'different commands'],
  [[...TARGET, '--vectors', '--back'], '--check, --agreement and --on-anomaly'],
  [[...TARGET, '--vectors', '--agreement', '95'], 'from 0 to 1'],
  [[...TARGET, '--agreement', '0.9'], 'together with --vectors'],
  [[...TARGET, '--discard-since-cutover'], 'together with --back'],
])('%j is refused before the application is stopped', async (args, message) => {
  expect(await migrate({ tasks: [] }, ...args)).toBe(64);
  expect(account.calls).toEqual([]);
  expect(account.said).toContain(message);
});

test.each([
  ['Moves Open WebUI', []],
  ['Copies the embeddings', ['--vectors']],
])('the program that the task runs has the keeper beside it: %s', async (says, args) => {
  await migrate({ tasks: [moved] }, ...TARGET, ...args);
  expect(Buffer.byteLength(JSON.stringify(account.definitions[0]))).toBeLessThan(65536);
  const [container] = account.definitions[0].containerDefinitions!;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'migrate-'));
  const run = (...args: string[]) =>
    execFileSync(container.entryPoint![0], [...container.entryPoint!.slice(1), ...args], {
      env: { ...process.env, KEEPER_LOCAL_DIR: folder, KEEPER_DIR: folder },
      encoding: 'utf8',
    });
  expect(run(container.command![0], '--help')).toContain(says);
  fs.rmSync(folder, { recursive: true });
});

test('lines of others go through as they are', () => {
  expect(renderMover('Traceback')).toBe('Traceback');
  expect(renderMover('{"keeper": "leased"}')).toBe('{"keeper": "leased"}');
});

test('the bundle is of the present sources', () => {
  const lib = path.join(__dirname, '..', '..', 'lib');
  const sources = (folder: string, wanted: RegExp) =>
    fs
      .readdirSync(path.join(lib, folder))
      .filter((name) => wanted.test(name))
      .sort()
      .map((name) => fs.readFileSync(path.join(lib, folder, name), 'utf8'));
  const all = [
    ...sources('single-writer', /\.py$/),
    ...sources('stores/relational', /mover\.py$/),
    ...sources('stores/vectors', /mover\.py$/),
  ];
  const [sum] = fs.readFileSync(path.join(lib, 'stores', 'mover.bundle'), 'utf8').split('\n');
  expect(createHash('sha256').update(all.join('')).digest('hex')).toBe(sum); // else: npm run bundle:keeper
});
