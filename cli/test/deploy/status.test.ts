import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateFileSystemCommand, EFSClient } from '@aws-sdk/client-efs';
import { EmulatedAws } from '../../../scripts/emulated-aws';
import { main } from '../../src/main';
import { Status } from '../../src/status/status';

jest.setTimeout(600_000);

const HOUR = 3_600_000;
const GIB = 1024 ** 3;
const MANY = 500;

let aws: EmulatedAws;
let out: string;
let ids: Record<string, string>;

/** Runs the command as a user would, with nothing but the environment to find the account by. */
async function status(): Promise<Status & { seconds: number }> {
  const lines: string[] = [];
  const notes: string[] = [];
  const io = { out: (line: string) => void lines.push(line), note: (line: string) => void notes.push(line) };
  const [env, start] = [process.env, Date.now()];
  process.env = { ...aws.env };
  try {
    expect({ code: await main(['status', '--json'], { io }), notes }).toEqual({ code: 0, notes: [] });
  } finally {
    process.env = env;
  }
  return { ...(JSON.parse(lines.join('\n')) as Status), seconds: (Date.now() - start) / 1000 };
}

beforeAll(async () => {
  aws = await EmulatedAws.start();
  out = fs.mkdtempSync(path.join(os.tmpdir(), 'status-deploy-'));
  await aws.bootstrap();
  const { code, output } = await aws.cdk(
    ...['deploy', '--method=direct', '--require-approval', 'never', '--output', path.join(out, 'cdk.out')],
    ...['-c', 'data-layer:services=true'],
  );
  if (code !== 0) {
    throw new Error(output);
  }
  const { StackResourceSummaries } = await new CloudFormationClient(aws.client).send(
    new ListStackResourcesCommand({ StackName: 'EfsDataLayer' }),
  );
  ids = Object.fromEntries(StackResourceSummaries!.map((one) => [one.LogicalResourceId!, one.PhysicalResourceId!]));
  await keeperSpeaks();
  await volumeIsMetered();
});

afterAll(async () => {
  await aws?.stop();
  fs.rmSync(out, { recursive: true, force: true });
});

const idOf = (part: RegExp) => Object.entries(ids).find(([logicalId]) => part.test(logicalId))![1];

/** The lines that a keeper really writes (test/alarms/keeper-lines.jsonl), at times of the last days. */
async function keeperSpeaks(): Promise<void> {
  const file = path.join(__dirname, '..', '..', '..', 'test', 'alarms', 'keeper-lines.jsonl');
  const lines = fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const said = [
    ...lines.filter(({ scenario }) => scenario === 'crash'),
    ...lines.filter(({ scenario }) => scenario === 'reports'),
  ];
  const logs = new CloudWatchLogsClient(aws.client);
  const where = { logGroupName: idOf(/OpenWebUiLogs/), logStreamName: 'open-webui/open-webui/0a1b2c3d4e5f' };
  await logs.send(new CreateLogStreamCommand(where));
  const spoken = said.filter(({ line }) => line.keeper !== 'released' && line.keeper !== 'exited');
  const logEvents = spoken.map(({ line }, at) => ({
    timestamp: Date.now() - (spoken.length - 1 - at) * HOUR,
    message: JSON.stringify(line),
  }));
  await logs.send(new PutLogEventsCommand({ ...where, logEvents }));
}

async function volumeIsMetered(): Promise<void> {
  const Dimensions = [{ Name: 'FileSystemId', Value: idOf(/VolumeFileSystem/) }];
  await new CloudWatchClient(aws.client).send(
    new PutMetricDataCommand({
      Namespace: 'AWS/EFS',
      MetricData: [
        {
          MetricName: 'StorageBytes',
          Dimensions: [...Dimensions, { Name: 'StorageClass', Value: 'Total' }],
          Value: 3 * GIB,
          Timestamp: new Date(Date.now() - HOUR),
        },
        { MetricName: 'BurstCreditBalance', Dimensions, Value: 2 * 1024 * GIB, Timestamp: new Date(Date.now() - HOUR) },
        ...Array.from({ length: 30 }, () => ({
          MetricName: 'DataWriteIOBytes',
          Dimensions,
          Value: 4096,
          Timestamp: new Date(Date.now() - HOUR),
        })),
      ],
    }),
  );
}

test('reads what is deployed, logged and metered; what the emulator has no API for is a part that says so', async () => {
  const { workloads, meters, cost, gauges, backup, region } = await status();
  expect(region).toBe('us-east-1');
  expect(workloads.value!.map(({ name, kept }) => [name, kept])).toEqual([
    ['evidence', false],
    ['knowledge', true],
    ['open-webui', true],
  ]);
  const keeper = workloads.value!.find(({ name }) => name === 'open-webui')!.keeper!.value!;
  expect(keeper.bytes).toBeGreaterThan(4096);
  expect(keeper.lease).toMatchObject({ task: '0a1b2c3d4e5f', alive: true });
  expect(keeper.lastTakeover!.at).toBeLessThan(Date.now() - HOUR);
  expect(meters.value).toMatchObject({ burstCredits: 2 * 1024 * GIB, stored: [{ bytes: 3 * GIB }] });
  expect(meters.value!.writes.reduce((sum, { value }) => sum + value, 0)).toBe(30);
  expect(cost.value!.projectedUsd).toBeGreaterThan(0);
  expect(gauges.map(({ name }) => name)).toContain('Concurrent writes');
  expect(backup.problem ?? backup.value).toBeDefined();
});

test(`asks for nothing more in an account with ${MANY} other file systems`, async () => {
  const alone = await status();
  const efs = new EFSClient(aws.client);
  for (let made = 0; made < MANY; made++) {
    await efs.send(new CreateFileSystemCommand({ CreationToken: `other-${made}` }));
  }
  const among = await status();
  expect(among.calls).toBe(alone.calls);
  console.log(`${alone.calls} calls; ${alone.seconds.toFixed(2)} s alone, ${among.seconds.toFixed(2)} s among ${MANY}`);
});
