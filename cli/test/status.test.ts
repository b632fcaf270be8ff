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

  test('what no meter shows has no value, and says why', async () => {
    const { gauges } = await json();
    const of = (name: string) => gauges.find((gauge) => gauge.name === name)!;
    expect(of('SQL and vectors together')).not.toHaveProperty('value');
    expect(of('Full-text search').measured).toMatch(/A need, not a number/);
    expect(of('Users')).toMatchObject({ threshold: 200, measured: expect.stringMatching(/--users/) });
    expect(of('Users')).not.toHaveProperty('value');
    account.out = [];
    expect((await json('--users', '240')).gauges.find(({ name }) => name === 'Users')).toMatchObject({ value: 240 });
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
    fs.writeFileSync(path.join(scans, '20261124T070000000Z-0a1b2c3d.json'), `${JSON.stringify({ bytes: 3e9 })}\n`);
    fs.writeFileSync(path.join(scans, '.half'), '{');
    const { evidence } = await json('--evidence', folder);
    expect(evidence.value).toMatchObject({
      bytes: 5000,
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
  for (const id of ['gauges', 'trend-0', 'trend-1', 'stored', 'workloads', 'throughput']) {
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
