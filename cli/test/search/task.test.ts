import * as fs from 'fs';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { RunTaskCommand } from '@aws-sdk/client-ecs';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { mockClient } from 'aws-sdk-client-mock';
import { taskCredentials } from '../../src/search/task-credentials';
import { ARN, EVIDENCE, fakeEvidenceAccount } from '../evidence-account';
import { FakeAccount } from '../fake-account';
import { Collection, inMemory } from './collection';
import { DOCUMENTS, evidence, FILES, write } from './helpers';
import { RoleKeys, runProgram } from './run-program';

jest.setTimeout(60_000);

const ENDPOINT = 'https://abc.ap-southeast-2.aoss.amazonaws.com';

let account: FakeAccount;

afterEach(() => account?.restore());

/** An account whose stack has a search. */
function searchAccount(lines: string[] = [], exitCode = 0, more: [string, string][] = []): void {
  account = fakeEvidenceAccount(lines, exitCode, more);
  account.cloudFormation.on(DescribeStacksCommand).resolves({
    Stacks: [
      {
        StackName: 'EfsDataLayer',
        CreationTime: new Date(0),
        StackStatus: 'CREATE_COMPLETE',
        Outputs: [{ OutputKey: 'DataLayerSearchEndpoint0A1B2C3D', OutputValue: ENDPOINT }],
      },
    ],
  });
}

const index = (...args: string[]) => account.run('search', 'index', ...args);

test('without a folder it runs as a task with the mount, role and log group of evidence', async () => {
  searchAccount(['503: waiting 1.0 s', '6 file(s) indexed with 11 document(s)'], 65);
  expect(await index('--stack', 'EfsDataLayer')).toBe(65);
  expect(account.calls).toEqual(['register', 'run', 'deregister']); // No service is stopped.
  const [definition] = account.definitions;
  expect(definition).toMatchObject({
    cpu: '512',
    memory: '1024',
    taskRoleArn: EVIDENCE.taskRoleArn,
    volumes: EVIDENCE.volumes,
  });
  const [container] = definition.containerDefinitions!;
  expect(container.image).toMatch(/\/node:22\.\d+\.\d+-/);
  expect(JSON.parse(container.command![0])).toEqual({
    root: '/mnt/evidence',
    endpoint: ENDPOINT,
    index: 'evidence',
    region: 'ap-southeast-2',
    json: false,
  });
  expect(Buffer.byteLength(JSON.stringify(definition))).toBeLessThan(30_000);
  expect(account.out).toEqual(['503: waiting 1.0 s', '6 file(s) indexed with 11 document(s)']);
});

test('with --json only the result is printed; image and size are the user’s', async () => {
  searchAccount(['503: waiting 1.0 s', '{"files":6}']);
  const args = ['--image', 'example/node:1', '--task-cpu', '1024', '--task-memory', '2048', '--json'];
  expect(await index('--stack', 'EfsDataLayer', ...args)).toBe(0);
  expect(account.out).toEqual(['{"files":6}']);
  expect(account.said).toContain('503: waiting 1.0 s');
  expect(account.definitions[0]).toMatchObject({
    cpu: '1024',
    memory: '2048',
    containerDefinitions: [{ image: 'example/node:1' }],
  });
});

test.each([
  [[], 'No folder is named'],
  [['--stack', 'EfsDataLayer', '--endpoint', ENDPOINT], 'Pass --stack EfsDataLayer without --endpoint'],
  [['.', '--stack', 'EfsDataLayer', '--task-cpu', '512'], 'A folder does not go together with --task-cpu.'],
])('%j is refused before anything is made', async (args, text) => {
  searchAccount();
  expect(await index(...args)).toBe(64);
  expect(account.calls).toEqual([]);
  expect(account.said).toContain(text);
});

describe('a private search lets in the collector’s schedule only', () => {
  const PRIVATE: [string, string] = ['AWS::OpenSearchServerless::VpcEndpoint', 'vpce-1'];
  const scheduler = mockClient(SchedulerClient);
  afterAll(() => scheduler.restore());

  test('the task runs in the network of the schedule', async () => {
    searchAccount([], 0, [PRIVATE, ['AWS::Scheduler::Schedule', 'Load'], ['AWS::Scheduler::Schedule', 'Collect']]);
    const network = { Subnets: ['subnet-9'], SecurityGroups: ['sg-9'], AssignPublicIp: 'ENABLED' as const };
    scheduler.on(GetScheduleCommand).callsFake(({ Name }) => ({
      Target:
        Name === 'Collect'
          ? {
              EcsParameters: {
                // The schedule may start an older revision than the stack's newest.
                TaskDefinitionArn: ARN.replace(/\d+$/, '2'),
                NetworkConfiguration: { awsvpcConfiguration: network },
              },
            }
          : { Arn: 'arn:aws:states:ap-southeast-2:123456789012:stateMachine:Load' },
    }));
    expect(await index('--stack', 'EfsDataLayer')).toBe(0);
    const [started] = account.ecs.commandCalls(RunTaskCommand);
    expect(started.args[0].input.networkConfiguration).toEqual({
      awsvpcConfiguration: { subnets: ['subnet-9'], securityGroups: ['sg-9'], assignPublicIp: 'ENABLED' },
    });
  });

  test('without a schedule it is refused', async () => {
    searchAccount([], 0, [PRIVATE]);
    expect(await index('--stack', 'EfsDataLayer')).toBe(64);
    expect(account.calls).toEqual([]);
    expect(account.said).toContain('Its search answers in the VPC only');
  });
});

describe('the command line of the task, run as a process', () => {
  let root: string;
  let stored: Map<string, Record<string, unknown>>;
  let collection: Collection;
  let keys: RoleKeys;

  beforeEach(async () => {
    root = evidence(FILES);
    stored = new Map();
    collection = await Collection.open(inMemory(stored));
    keys = await RoleKeys.open();
    searchAccount();
  });

  afterEach(async () => {
    fs.rmSync(root, { recursive: true });
    await collection.close();
    await keys.close();
  });

  async function runTask(args: string[] = [], env: Record<string, string> = {}) {
    await index('--stack', 'EfsDataLayer', ...args);
    return runProgram(
      account.definitions.at(-1)!.containerDefinitions![0],
      { '/mnt/evidence': root, [ENDPOINT]: collection.endpoint },
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: keys.address, ...env },
    );
  }

  test('it fills the index, signed with the keys of the role, which it asks for once; again it sends nothing', async () => {
    expect(await runTask(['--json'])).toMatchObject({ code: 0, stderr: '' });
    expect([...stored.values()].filter(({ kind }) => kind === 'document')).toHaveLength(DOCUMENTS);
    expect(collection.refusedSignatures).toEqual([]);
    expect(keys.asked).toBe(1);
    const { code, stdout } = await runTask();
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^0 file\(s\) indexed with 0 document\(s\), 6 unchanged/),
    ]);
  });

  test('a damaged file is named, the others are indexed', async () => {
    write(root, { 'findings/bad.json': '[{"title": "cut' });
    const { code, stderr } = await runTask();
    expect([code, stderr]).toEqual([65, expect.stringContaining('findings/bad.json')]);
    expect([...stored.values()].filter(({ kind }) => kind === 'document').length).toBeGreaterThanOrEqual(DOCUMENTS);
  });

  test('a role that may not: the answer and the way out, and no second try', async () => {
    collection.fault = () => ({ status: 403, body: { message: 'Forbidden' } });
    const { code, stderr } = await runTask();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/403 .*Forbidden/)]);
    expect(collection.requests).toHaveLength(1);
  });

  test('without a task role it says so', async () => {
    const { code, stderr } = await runTask([], { AWS_CONTAINER_CREDENTIALS_FULL_URI: '' });
    expect([code, stderr]).toEqual([1, expect.stringContaining('Run this as a task of ECS with a task role.')]);
  });
});

test('keys that end soon are asked for again; an address elsewhere is not asked', async () => {
  const keys = await RoleKeys.open(10);
  let now = Date.now();
  const credentials = taskCredentials(
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: keys.address },
    () => now,
  ) as () => Promise<{
    sessionToken?: string;
  }>;
  expect((await credentials()).sessionToken).toBe('of-the-role');
  await credentials();
  expect(keys.asked).toBe(1);
  now += 6 * 60_000;
  await credentials();
  expect(keys.asked).toBe(2);
  await keys.close();
  const elsewhere = taskCredentials({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/keys' }, () => now);
  await expect((elsewhere as () => Promise<unknown>)()).rejects.toThrow('Run this as a task of ECS');
});
