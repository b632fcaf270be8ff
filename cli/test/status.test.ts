import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { ListRecoveryPointsByResourceCommand } from '@aws-sdk/client-backup';
import { GetTemplateCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand, DescribeFileSystemsCommand } from '@aws-sdk/client-efs';
import { growth } from '../src/status/keeper';
import { Status } from '../src/status/status';
import { paint, statusText } from '../src/status/text';
import { DAY, NOW, StatusAccount } from './status-account';

const MIB = 1024 ** 2;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'status-test-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

let account: StatusAccount;
beforeEach(() => {
  account = new StatusAccount();
});
afterEach(() => account.restore());

async function json(...args: string[]): Promise<Status> {
  expect(await account.run('--json', ...args)).toBe(0);
  return JSON.parse(account.text) as Status;
}

describe('what the keeper’s lines say', () => {
  test('size, growth, last change, snapshot, owner, takeover, trouble', async () => {
    const { workloads } = await json();
    const keeper = workloads.value!.find(({ name }) => name === 'open-webui')!.keeper!.value!;
    expect(keeper.bytes).toBe(101 * MIB);
    // 4 MiB a day; the last size is that of a report.
    expect(keeper.growthBytes! / MIB).toBeCloseTo(120, -1);
    expect((NOW - keeper.lastChange!) / 60_000).toBe(35);
    expect(keeper.snapshotAgeSeconds).toBe(5 * 3600 + 300);
    expect(keeper.lease).toEqual({ task: '0a1b2c3d4e5f', since: NOW - 3 * DAY, alive: true });
    expect(keeper.lastTakeover).toEqual({ at: NOW - 3 * DAY + 60_000, seconds: 4.2 });
    expect(keeper.longestWriteSeconds).toBe(0.25);
    expect(keeper.trouble).toEqual(['snapshot-failed: No space left on device.']);
  });

  test('a keeper that fell silent, or let go, owns nothing now', async () => {
    const heartbeat = (fields: object) => (fields as { keeper: string }).keeper === 'heartbeat';
    account.logs['/open-webui'] = account.logs['/open-webui'].filter(
      ([ago, , fields]) => !heartbeat(fields) || ago > 3_600_000,
    );
    const silent = (await json()).workloads.value!.find(({ name }) => name === 'open-webui')!.keeper!.value!;
    expect(silent.lease!.alive).toBe(false);
    account.out = [];
    account.logs['/knowledge'] = [
      [60_000, 'knowledge/knowledge/1', { keeper: 'leased', previous: 'none' }],
      [30_000, 'knowledge/knowledge/1', { keeper: 'released' }],
    ];
    const released = (await json()).workloads.value!.find(({ name }) => name === 'knowledge')!.keeper!.value!;
    expect(released.lease!.alive).toBe(false);
    expect(released.bytes).toBeUndefined();
  });

  test('growth needs a day, and is the slope of all sizes', () => {
    const at = (day: number, bytes: number) => ({ at: day * DAY, bytes });
    expect(growth([])).toBeUndefined();
    expect(growth([at(0, 1), at(0.5, 2)])).toBeUndefined();
    expect(growth([at(0, 100), at(1, 90), at(2, 80)])).toBeCloseTo(-300);
  });
});

describe('gauges', () => {
  test('concurrent writes: operations a second times the longest write, with its trend and the cost of the way out', async () => {
    const { gauges } = await json();
    const gauge = gauges.find(({ name }) => name === 'Concurrent writes')!;
    // 60 a second times 0.25 s.
    expect(gauge).toMatchObject({
      threshold: 50,
      value: 15,
      to: 'RDS PostgreSQL',
      runbook: 'docs/runbooks/rds-postgres.md',
    });
    expect(gauge.trend).toBeCloseTo(1);
    expect(gauge.addsUsd).toBeGreaterThan(10);
  });

  const gauge = async (name: string, ...args: string[]) => {
    account.out = [];
    return (await json(...args)).gauges.find((one) => one.name === name)!;
  };
  const snapshot = (ago: number, fields: object) =>
    [ago, 'knowledge/knowledge/1', { keeper: 'snapshot', store: 'chroma', ...fields }] as [number, string, object];

  test('users: counted in the newest snapshot, those who were active beside, with their trend', async () => {
    const users = await gauge('Users');
    expect(users).toMatchObject({ threshold: 200, value: 120, beside: '90 of them active in 30 days' });
    expect(users.measured).toBe(
      'Accounts in Open WebUI\u2019s database, counted in the snapshot of 2026-11-25 07:00 UTC (5 h ago).',
    );
    // Seven days of 96 to 120 against the three before, 84 to 92.
    expect(users.trend).toBeCloseTo(108 / 88 - 1);
    expect(users.days).toHaveLength(10);
    const told = await gauge('Users', '--users', '240');
    expect(told).toMatchObject({ value: 240, days: [] });
    expect(told.measured).toMatch(/As passed with --users; 120 were counted in the snapshot of 2026-11-25 07:00/);
  });

  test('users: a keeper that does not count yet, a log that is denied, a count without those who were active', async () => {
    account.logs['/open-webui'] = account.logs['/open-webui'].filter(([ago]) => ago > 10 * DAY);
    expect((await gauge('Users')).measured).toMatch(
      /Not measured: no snapshot of the last 30 days counted them.*--users/,
    );
    account.logs['/open-webui'] = [[DAY, 's', { keeper: 'snapshot', store: 'webui.db', bytes: 1, users: 3 }]];
    const users = await gauge('Users');
    expect(users.value).toBe(3);
    expect(users).not.toHaveProperty('beside');
    account.deny('logs', FilterLogEventsCommand as never, 'logs:FilterLogEvents');
    const denied = await gauge('Users');
    expect(denied).not.toHaveProperty('value');
    expect(denied.measured).toMatch(/nothing to read it from \(log of knowledge: access denied/);
  });

  test('embeddings of all Chromas, no older than they say; a decision, whatever their number', async () => {
    account.logs['/knowledge'] = [
      snapshot(2 * DAY, { bytes: 5 * MIB, embeddings: 700 }),
      snapshot(2 * DAY - 3_600_000, { bytes: 6 * MIB, embeddings: 800 }),
    ];
    account.logs['/open-webui'].push([
      3_600_000,
      'open-webui/open-webui/0a1b2c3d4e5f',
      { keeper: 'snapshot', store: 'vector_db', bytes: 4 * MIB, embeddings: 1200 },
    ]);
    const vectors = await gauge('SQL and vectors together');
    expect(vectors).toMatchObject({ value: 2000, unit: 'embeddings', beside: '10.0 MiB of Chroma' });
    expect(vectors).not.toHaveProperty('threshold');
    expect(vectors.measured).toMatch(/snapshot of 2026-11-23 13:00 UTC \(47 h ago\).*No number decides/);
    expect(vectors.days.map(({ value }) => value)).toEqual([800, 2000]);
    account.out = [];
    await account.run();
    expect(account.text).toMatch(/SQL and vectors together +2,000 embeddings, 10\.0 MiB of Chroma, a decision\n/);
    expect(account.text).toMatch(/Users +█+·+ 120 of 200 users, 90 of them active in 30 days, \+23 % in a week\n/);
  });

  test.each([
    [
      'pgvector',
      /open-webui are in pgvector and not measured here; ask PostgreSQL: SELECT count\(\*\) FROM document_chunk/,
    ],
    ['s3vector', /are in s3vector and not measured here; list them: aws s3vectors list-vectors/],
    ['qdrant', /points_count/],
    ['milvus', /are in milvus and not measured here; ask it/],
  ])('after a move to PostgreSQL and %s the old counts are not shown, and where to ask is', async (store, where) => {
    account.settings = [
      { name: 'DATABASE_TYPE', value: 'postgresql' },
      { name: 'VECTOR_DB', value: store },
    ];
    account.logs['/open-webui'].push([DAY, 's', { keeper: 'snapshot', store: 'vector_db', bytes: 4, embeddings: 12 }]);
    const users = await gauge('Users');
    expect(users).not.toHaveProperty('value');
    expect(users.measured).toMatch(/in PostgreSQL, where nothing counts them.*SELECT count\(\*\) FROM "user".*--users/);
    const vectors = await gauge('SQL and vectors together');
    expect(vectors).not.toHaveProperty('value');
    expect(vectors.measured).toMatch(where);
    // Another application's Chroma stays where it is.
    account.logs['/knowledge'] = [snapshot(DAY, { bytes: MIB, embeddings: 7 })];
    expect(await gauge('SQL and vectors together')).toMatchObject({ value: 7, measured: expect.stringMatching(where) });
  });

  test('search: how often evidence was asked; a collection in the stack has a meter of its own', async () => {
    const scan = (day: number) =>
      [day * DAY, 's', { event: 'evidence-scan', at: new Date(NOW - day * DAY).toISOString(), bytes: 2e9 }] as [
        number,
        string,
        object,
      ];
    account.logs['/evidence'] = [scan(1), scan(2), scan(6), scan(9), scan(10)];
    const search = await gauge('Full-text search');
    expect(search).toMatchObject({ value: 5, unit: 'queries of evidence this month' });
    expect(search.trend).toBeCloseTo(0.5);
    expect(search.measured).toMatch(/which is not recorded\. No number decides.*Pass --evidence/);
    expect((await gauge('Evidence scanned')).trend).toBeCloseTo(0.5);
    account.more = ['AWS::OpenSearchServerless::Collection'];
    expect((await gauge('Full-text search')).measured).toMatch(/collection in the stack.*SearchRequestRate/);
    account.deny('logs', FilterLogEventsCommand as never, 'logs:FilterLogEvents');
    expect(await gauge('Full-text search')).not.toHaveProperty('value');
  });

  test('evidence that queries scanned: this month’s lines of tasks, or the record beside the evidence', async () => {
    const scan = (day: number, bytes: number) => {
      const at = new Date(NOW - day * DAY).toISOString();
      return [day * DAY, 's', { event: 'evidence-scan', at, bytes, query: 'sql' }] as [number, string, object];
    };
    // The last is of October.
    account.logs['/evidence'] = [
      scan(1, 4e9),
      scan(2, 2e9),
      scan(27, 9e9),
      [DAY, 's', { event: 'collected', bytes: 7 }],
    ];
    const { gauges, evidence } = await json();
    expect(gauges.find(({ name }) => name === 'Evidence scanned')).toMatchObject({ value: 6, threshold: 1000 });
    expect(evidence.value).toMatchObject({ lastCollected: NOW - DAY, scans: { queries: 2 } });
    expect(evidence.value).not.toHaveProperty('bytes');
  });

  test('--evidence: sizes by the manifests, scans by the record', async () => {
    const folder = path.join(root, 'evidence');
    const run = path.join(folder, 'focus', 'BILLING_PERIOD=2026-11', 'run=20261124T060000Z');
    const scans = path.join(folder, '.efs-data-layer', 'scans', '2026-11');
    [run, scans].forEach((made) => fs.mkdirSync(made, { recursive: true }));
    fs.writeFileSync(
      path.join(run, 'manifest.json'),
      JSON.stringify({ run: path.basename(run), totals: { storedBytes: 5000 } }),
    );
    fs.writeFileSync(
      path.join(scans, '20261124T070000000Z-0a1b2c3d.json'),
      `${JSON.stringify({ at: '2026-11-24T07:00:00.000Z', bytes: 3e9 })}\n`,
    );
    fs.writeFileSync(path.join(scans, '.half'), '{');
    fs.mkdirSync(path.join(folder, 'reports', 'weekly'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'reports', 'weekly', 'one.md'), 'x'.repeat(300));
    fs.writeFileSync(path.join(folder, 'reports', 'weekly', 'one.pdf'), 'x'.repeat(900));
    const { evidence, gauges } = await json('--evidence', folder);
    expect(gauges.find(({ name }) => name === 'Full-text search')).toMatchObject({
      value: 1,
      beside: '300 B of text in 1 reports and findings',
    });
    expect(evidence.value).toMatchObject({
      bytes: 5000,
      text: { files: 1, bytes: 300 },
      lastCollected: Date.UTC(2026, 10, 24, 6),
      scans: { bytes: 3e9, queries: 1 },
    });
  });
});

test('cost: month to date by what was stored, projection by what is stored now, each class at its rate', async () => {
  const { value } = (await json()).cost;
  // 4 GiB of Standard at $0.30, 1 GiB of Infrequent Access at $0.025 (us-east-1); nothing for bursting reads.
  expect(value!.dataLayerUsd).toBeCloseTo(4 * 0.3 + 0.025, 3);
  const hours = 24.5 * 24;
  const stored = Array.from({ length: 30 }, (_, day) => [NOW - (29 - day) * DAY, 4 + day / 30]).filter(
    ([at]) => at >= Date.UTC(2026, 10),
  );
  const average = stored.reduce((sum, [, gib]) => sum + gib, 0) / stored.length - 1;
  expect(value!.monthToDateUsd).toBeCloseTo(((average * 0.3 + 0.025) * hours) / 730, 3);
  expect(value!.projectedUsd).toBeCloseTo(value!.monthToDateUsd + (1.225 * (720 - hours)) / 730, 3);
});

describe('a part that is denied says so, and the others are shown', () => {
  test.each([
    [
      'logs',
      FilterLogEventsCommand,
      'logs:FilterLogEvents',
      /log of open-webui: access denied \(logs:FilterLogEvents\)/,
    ],
    [
      'cloudWatch',
      GetMetricDataCommand,
      'cloudwatch:GetMetricData',
      /metrics: access denied \(cloudwatch:GetMetricData\)/,
    ],
    ['backup', ListRecoveryPointsByResourceCommand, 'backup:ListRecoveryPointsByResource', /backups: access denied/],
    ['efs', DescribeFileSystemsCommand, 'elasticfilesystem:DescribeFileSystems', /file system: access denied/],
    ['efs', DescribeAccessPointsCommand, 'elasticfilesystem:DescribeAccessPoints', /access points: access denied/],
    ['ecs', DescribeTaskDefinitionCommand, 'ecs:DescribeTaskDefinition', /task definitions: access denied/],
    ['cloudFormation', GetTemplateCommand, 'cloudformation:GetTemplate', /template: access denied/],
  ] as const)('%s, %p', async (service, command, action, message) => {
    account.deny(service, command as never, action);
    expect(await account.run()).toBe(0);
    expect(account.text).toMatch(message);
    expect(account.text).toMatch(/When to move to a bigger service/);
    expect(account.text.match(/Not shown/g)).toHaveLength(1);
  });

  test('all of them at once', async () => {
    for (const [service, command, action] of [
      ['logs', FilterLogEventsCommand, 'logs:FilterLogEvents'],
      ['cloudWatch', GetMetricDataCommand, 'cloudwatch:GetMetricData'],
      ['backup', ListRecoveryPointsByResourceCommand, 'backup:ListRecoveryPointsByResource'],
      ['efs', DescribeFileSystemsCommand, 'elasticfilesystem:DescribeFileSystems'],
      ['cloudFormation', GetTemplateCommand, 'cloudformation:GetTemplate'],
    ] as const) {
      account.deny(service, command as never, action);
    }
    expect(await account.run()).toBe(0);
    expect(account.text).toMatch(/not measured, of 50 at once/);
  });

  test('the list of the stack alone ends the command, with the way out', async () => {
    account.deny('cloudFormation', ListStackResourcesCommand as never, 'cloudformation:ListStackResources');
    expect(await account.run()).toBe(1);
    expect(account.notes.join()).toMatch(/status --stack EfsDataLayer.*not authorized.*Allow this action/);
  });

  test('a login that has ended', async () => {
    const error = new Error('The security token included in the request is expired');
    error.name = 'ExpiredTokenException';
    account.mocks.cloudWatch.on(GetMetricDataCommand).rejects(error);
    expect(await account.run()).toBe(1);
    expect(account.notes.join()).toMatch(/expired.*aws sso login/);
  });
});

test('the terminal view: bars with colour, the same words without', async () => {
  const status = await json();
  const bare = statusText(status, paint(false));
  expect(bare).not.toContain('\u001b');
  expect(bare).toMatch(
    /open-webui +101 MiB +\+1\d\d(\.\d)? MiB +35 min ago +5 h +task 0a1b2c3d, 3 days +3 days ago, 4.2 s/,
  );
  expect(bare).toMatch(/stored +█+·+ 5\.0 GiB of 20 GiB planned/);
  expect(bare).toMatch(/newest backup +20 h old, 2 kept/);
  expect(bare).toMatch(/! open-webui: snapshot-failed: No space left on device\./);
  expect(bare).toMatch(/Concurrent writes +█+·+ 15 of 50 at once, \+100 % in a week/);
  const coloured = statusText(status, paint(true));
  expect(coloured).toContain('\u001b[31m');
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(bare);
});

test('--html writes one page that loads nothing, and its script finds what it draws into', async () => {
  const file = path.join(root, 'status.html');
  expect(await account.run('--html', file)).toBe(0);
  expect(account.notes).toEqual([`Written: ${file}`]);
  const page = fs.readFileSync(file, 'utf8');
  expect(page).not.toMatch(/<(?:script|link|img)[^>]*(?:src|href)=/);
  expect(page).toContain('120 of 200 users, 90 of them active in 30 days');
  for (const id of ['gauges', 'trend-0', 'trend-1', 'trend-3', 'stored', 'workloads', 'throughput']) {
    expect(page).toContain(`<figure id="${id}">`);
  }
});

test('--watch reads again until it is told to stop, and leaves no listener behind', async () => {
  const before = process.listenerCount('SIGINT');
  const find = account.mocks.cloudWatch;
  setTimeout(() => process.emit('SIGINT'), 200);
  expect(await account.run('--watch', '5')).toBe(0);
  expect(find.commandCalls(GetMetricDataCommand).length).toBeGreaterThanOrEqual(4);
  expect(process.listenerCount('SIGINT')).toBe(before);
});

test('--watch goes on after an answer that failed, but not without a login', async () => {
  const fail = (name: string) => {
    throw Object.assign(new Error(`AWS says ${name}`), { name });
  };
  const StackResourceSummaries = [{ ResourceType: 'AWS::EFS::FileSystem', PhysicalResourceId: 'fs-1' }];
  const answers = [() => ({ StackResourceSummaries }), () => fail('Throttling'), () => fail('ExpiredToken')];
  account.mocks.cloudFormation.on(ListStackResourcesCommand).callsFake(() => answers.shift()!());
  expect(await account.run('--watch', '5')).toBe(1);
  expect(account.notes[0]).toMatch(/Throttling/);
  expect(account.out).toHaveLength(1);
  expect(account.notes.at(-1)).toMatch(/ExpiredToken.*Log in/);
});

test.each([
  [['--users', 'many'], /--users many/],
  [['--watch', '1'], /--watch 1.*5 to 86400/],
  [['--watch', '--json'], /--watch.*terminal only/],
  [['--html', '/nowhere/status.html'], /directory that exists/],
  [['--evidence', '/nowhere'], /--evidence \/nowhere.*no directory focus/],
])('%j is named, with the way out', async (args, message) => {
  const code = await account.run(...args);
  expect(account.notes.join() + account.text).toMatch(message);
  expect(code).toBe(64);
});

test('docs/day-two.md lists exactly the permissions that it uses', async () => {
  expect(await account.run()).toBe(0);
  const SERVICE: { [mock: string]: string } = {
    cloudFormation: 'cloudformation',
    efs: 'elasticfilesystem',
    cloudWatch: 'cloudwatch',
  };
  const used = Object.entries(account.mocks).flatMap(([name, mock]) =>
    mock.calls().map(({ args: [command] }) => {
      const action = command.constructor.name.replace(/Command$/, '');
      return `${SERVICE[name] ?? name}:${action}`;
    }),
  );
  const docs = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'day-two.md'), 'utf8');
  const [, policy] = /status-permissions -->\s+```json\n([^`]+)```/.exec(docs)!;
  const [{ Action }] = (JSON.parse(policy) as { Statement: { Action: string[] }[] }).Statement;
  expect([...new Set(used)].sort()).toEqual(Action);
});
