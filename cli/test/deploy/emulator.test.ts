import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { BackupClient } from '@aws-sdk/client-backup';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  DescribeTasksCommandOutput,
  ECSClient,
  ListServicesCommand,
  ListClustersCommand,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  Service,
  StopTaskCommand,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand, EFSClient } from '@aws-sdk/client-efs';
import { GetRolePolicyCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { EmulatedAws } from '../../../scripts/emulated-aws';
import { main } from '../../src/main';
import { Clients, makeClients } from '../../src/aws/clients';
import { hasKeeper } from '../../src/aws/workload';
import { Collection, inMemory, REGION } from '../search/collection';
import { DOCUMENTS, evidence, FILES } from '../search/helpers';
import { RoleKeys, runProgram } from '../search/run-program';

jest.setTimeout(900_000);

const TREE = 'aws-backup-restore_2026-11-25T03-10-00-417Z';

let aws: EmulatedAws;
let out: string;
let clients: Clients;
/** What the account looked like while the last one-off task ran. */
let during: { service: Service; definition: TaskDefinition; policies: string[]; accessPoints: string[] };
let lines: string[];
let exitCode: number;
/** Ctrl-C while the task runs: it then runs until it is stopped. */
let interrupt: boolean;
let printed: string[];
let notes: string[];

beforeAll(async () => {
  aws = await EmulatedAws.start();
  out = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-test-'));
  await aws.bootstrap();
  const deployed = await aws.cdk(
    ...['deploy', '--method=direct', '--require-approval', 'never', '--output', path.join(out, 'cdk.out')],
    ...['-c', 'data-layer:services=true'],
    ...['-c', 'data-layer:search=open-search-serverless', '-c', 'data-layer:monthlyBudgetUsd=200'],
  );
  if (deployed.code !== 0) {
    throw new Error(deployed.output);
  }
  clients = {
    ...makeClients({ region: aws.region }),
    cloudFormation: new CloudFormationClient(aws.client),
    ecs: new ECSClient(aws.client),
    efs: new EFSClient(aws.client),
    iam: new IAMClient(aws.client),
    logs: new CloudWatchLogsClient(aws.client),
    backup: new BackupClient(aws.client),
    cloudWatch: new CloudWatchClient(aws.client),
  };
  runTasksAtTheBoundary();
});

beforeEach(() => {
  lines = [];
  exitCode = 0;
  interrupt = false;
  printed = [];
  notes = [];
});

afterAll(async () => {
  await aws?.stop();
  fs.rmSync(out, { recursive: true, force: true });
});

async function openWebUi(): Promise<Service> {
  const { clusterArns } = await clients.ecs.send(new ListClustersCommand({}));
  const [cluster] = clusterArns!;
  const { serviceArns } = await clients.ecs.send(new ListServicesCommand({ cluster }));
  const { services } = await clients.ecs.send(new DescribeServicesCommand({ cluster, services: serviceArns }));
  return services!.find((service) => service.serviceName!.includes('OpenWebUi'))!;
}

async function accessPointIds(): Promise<string[]> {
  const { AccessPoints } = await clients.efs.send(new DescribeAccessPointsCommand({}));
  return AccessPoints!.map((point) => point.AccessPointId!).sort();
}

async function temporaryRoles(): Promise<string[]> {
  const { Roles } = await clients.iam.send(new ListRolesCommand({}));
  return Roles!.map((role) => role.RoleName!).filter((name) => /^efs-data-layer-(bring-back|restore)-/.test(name));
}

async function activeOneOffs(): Promise<string[]> {
  const { taskDefinitionArns } = await clients.ecs.send(new ListTaskDefinitionsCommand({ status: 'ACTIVE' }));
  return taskDefinitionArns!.filter((arn) => arn.includes('one-off'));
}

/**
 * The emulator takes RunTask but runs nothing. Only here, where the SDK is asked how the task is, it "runs": it writes
 * its lines to the real log stream of its definition, and ends. Every other call goes to the emulator.
 */
function runTasksAtTheBoundary(): void {
  const send = clients.ecs.send.bind(clients.ecs) as (command: unknown) => Promise<unknown>;
  const ended = new Set<string>();
  clients.ecs.send = (async (command: unknown) => {
    if (command instanceof RegisterTaskDefinitionCommand) {
      // moto's RunTask fails without a container's memory, which is optional on Fargate.
      command.input.containerDefinitions![0].memory = 512;
    }
    const answer = await send(command);
    if (command instanceof StopTaskCommand) {
      interrupt = false;
    }
    if (!(command instanceof DescribeTasksCommand)) {
      return answer;
    }
    const [task] = (answer as DescribeTasksCommandOutput).tasks!;
    if (!ended.has(task.taskArn!)) {
      ended.add(task.taskArn!);
      const { taskDefinition } = await clients.ecs.send(
        new DescribeTaskDefinitionCommand({ taskDefinition: task.taskDefinitionArn }),
      );
      const policies: string[] = [];
      for (const RoleName of await temporaryRoles()) {
        const policy = await clients.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'restore' }));
        policies.push(decodeURIComponent(policy.PolicyDocument!));
      }
      during = {
        service: await openWebUi(),
        definition: taskDefinition!,
        policies,
        accessPoints: await accessPointIds(),
      };
      const options = taskDefinition!.containerDefinitions![0].logConfiguration!.options!;
      const stream = {
        logGroupName: options['awslogs-group'],
        logStreamName: `${options['awslogs-stream-prefix']}/keeper/${task.taskArn!.split('/').pop()}`,
      };
      await clients.logs.send(new CreateLogStreamCommand(stream));
      const logEvents = lines.map((message) => ({ message, timestamp: Date.now() }));
      if (logEvents.length > 0) {
        await clients.logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
      }
    }
    if (interrupt) {
      process.emit('SIGINT');
      return { tasks: [{ ...task, lastStatus: 'RUNNING' }] };
    }
    return { tasks: [{ ...task, lastStatus: 'STOPPED', containers: [{ name: 'keeper', exitCode }] }] };
  }) as never;
}

async function run(...args: string[]): Promise<number> {
  const stores = hasKeeper((await workloadContainers())[0]) ? [] : ['--stores', 'webui.db'];
  return main([...args, '--stack', 'EfsDataLayer', '--workload', 'open-webui', ...stores], {
    clients: () => clients,
    io: { out: (line) => printed.push(line), note: (line) => notes.push(line) },
    clock: { now: Date.now, sleep: async () => {} },
  });
}

async function workloadContainers() {
  const { taskDefinition } = await clients.ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: (await openWebUi()).taskDefinition }),
  );
  return taskDefinition!.containerDefinitions!;
}

/** Fails with what the command said. */
async function succeed(...args: string[]): Promise<void> {
  const code = await run(...args);
  if (code !== 0) {
    throw new Error(`exit code ${code}:\n${notes.join('\n')}`);
  }
}

test('list: a definition of its own, its lines from CloudWatch Logs, the service untouched', async () => {
  lines = ['webui.db/a 20480 bytes', 'webui.db/b 20480 bytes', 'webui.db/c 20480 bytes'];
  await succeed('snapshots', 'list');
  expect(printed).toEqual(lines);
  expect(during.service.desiredCount).toBe(1);
  const own = await workloadContainers();
  expect(during.definition.volumes![0].efsVolumeConfiguration!.authorizationConfig!.iam).toBe('ENABLED');
  expect(during.definition.containerDefinitions).toMatchObject([
    { mountPoints: [{ containerPath: '/mnt/open-webui', readOnly: false }] },
  ]);
  if (hasKeeper(own[0])) {
    expect(during.definition.containerDefinitions![0].image).toBe(own[0].image);
  }
  expect(await activeOneOffs()).toEqual([]);
});

test('restore: the service has no task while it runs, and one afterwards, also when the keeper fails', async () => {
  exitCode = 65;
  expect(await run('snapshots', 'restore', 'webui.db/a')).toBe(65);
  expect(during.service.desiredCount).toBe(0);
  expect((await openWebUi()).desiredCount).toBe(1);
  expect(await activeOneOffs()).toEqual([]);
});

test('restore-backup: access point, role and definition exist while it runs, and not afterwards', async () => {
  const before = await accessPointIds();
  lines = ['{"keeper": "snapshot", "id": "webui.db/2026-11-25T04-00-00Z"}'];
  await succeed('restore-backup', '--restored-directory', TREE);

  const [temporary] = during.accessPoints.filter((id) => !before.includes(id));
  expect(during.service.desiredCount).toBe(0);
  expect(during.policies).toHaveLength(1);
  const [read, write] = JSON.parse(during.policies[0]).Statement;
  expect(read.Condition.StringEquals['elasticfilesystem:AccessPointArn']).toContain(temporary);
  expect(write.Condition.StringEquals['elasticfilesystem:AccessPointArn']).not.toContain(temporary);
  expect(
    during.definition.volumes!.map((one) => one.efsVolumeConfiguration!.authorizationConfig!.accessPointId),
  ).toEqual([expect.not.stringContaining(temporary), temporary]);

  expect(await accessPointIds()).toEqual(before);
  expect(await temporaryRoles()).toEqual([]);
  expect(await activeOneOffs()).toEqual([]);
  expect((await openWebUi()).desiredCount).toBe(1);
  expect(notes.join('\n')).toContain('efs-data-layer snapshots restore webui.db/2026-11-25T04-00-00Z');
});

test('Ctrl-C while the task runs leaves nothing behind', async () => {
  const before = await accessPointIds();
  interrupt = true;
  expect(await run('restore-backup', '--restored-directory', TREE)).toBe(130);
  expect(await accessPointIds()).toEqual(before);
  expect(await temporaryRoles()).toEqual([]);
  expect(await activeOneOffs()).toEqual([]);
  expect((await openWebUi()).desiredCount).toBe(1);
});

test('evidence query: the evidence workload’s own mount and role, in a network of the stack', async () => {
  lines = ['month  billed', '{"event":"evidence-scan","bytes":1000,"seconds":0.5}'];
  const code = await main(['evidence', 'query', 'cost-by-month', '--stack', 'EfsDataLayer'], {
    clients: () => clients,
    io: { out: (line) => printed.push(line), note: (line) => notes.push(line) },
    clock: { now: Date.now, sleep: async () => {} },
  });
  expect([code, printed]).toEqual([0, ['month  billed']]);
  expect(notes.join('\n')).toContain('It read 1.0 kB in 0.5 s.');
  const [container] = during.definition.containerDefinitions!;
  expect(container.mountPoints).toMatchObject([{ containerPath: '/mnt/evidence', readOnly: false }]);
  expect(container.image).toMatch(/\/node:22/);
  expect(during.definition.taskRoleArn).toMatch(/Evidence/);
  expect(during.service.desiredCount).toBe(1);
  // What was registered is a program that runs: here on an empty folder in place of the volume.
  const empty = fs.mkdtempSync(path.join(out, 'evidence-'));
  const [node, ...args] = [...container.entryPoint!, ...container.command!];
  expect(node).toBe('node');
  const { status, stderr } = spawnSync(
    process.execPath,
    args.map((one) => one.replace('/mnt/evidence', empty)),
    {
      env: {
        NODE_PATH: path.join(__dirname, '..', '..', '..', 'node_modules'),
        ...Object.fromEntries(container.environment!.map(({ name, value }) => [name!, value!])),
      } as never,
      encoding: 'utf8',
    },
  );
  expect([status, stderr]).toEqual([66, expect.stringContaining('There is no data file')]);
  expect(await activeOneOffs()).toEqual([]);
});

test('search index: as the role that the search lets fill it, and a program that fills a collection', async () => {
  lines = ['503: waiting 1.0 s', '{"files":6}'];
  const code = await main(['search', 'index', '--json', '--stack', 'EfsDataLayer'], {
    clients: () => clients,
    io: { out: (line) => printed.push(line), note: (line) => notes.push(line) },
    clock: { now: Date.now, sleep: async () => {} },
  });
  expect([code, printed]).toEqual([0, ['{"files":6}']]);
  const access = (await aws.recorded()).find(({ type }) => type === 'AWS::OpenSearchServerless::AccessPolicy')!;
  const [{ Principal }] = JSON.parse(access.properties.Policy as string) as { Principal: string[] }[];
  expect(Principal).toEqual([during.definition.taskRoleArn]);
  expect(during.service.desiredCount).toBe(1);

  const [container] = during.definition.containerDefinitions!;
  expect(container.mountPoints).toMatchObject([{ containerPath: '/mnt/evidence', readOnly: false }]);
  const request = JSON.parse(container.command![0]) as { endpoint: string };
  expect(request).toMatchObject({ root: '/mnt/evidence', index: 'evidence', region: aws.region });
  // What was registered is a program that runs: here on a folder and a collection in place of the volume and the search.
  const root = evidence(FILES);
  const stored = new Map<string, Record<string, unknown>>();
  const collection = await Collection.open(inMemory(stored));
  const keys = await RoleKeys.open();
  const ran = await runProgram(
    container,
    { '/mnt/evidence': root, [request.endpoint]: collection.endpoint, [`"${aws.region}"`]: `"${REGION}"` },
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: keys.address },
  );
  await Promise.all([collection.close(), keys.close()]);
  fs.rmSync(root, { recursive: true });
  expect([ran.code, ran.stderr, collection.refusedSignatures]).toEqual([0, '', []]);
  expect([...stored.values()].filter(({ kind }) => kind === 'document')).toHaveLength(DOCUMENTS);
  expect(await activeOneOffs()).toEqual([]);
});

test('a workload that is not in the stack is refused with those that are', async () => {
  const code = await main(['snapshots', 'list', '--stack', 'EfsDataLayer', '--workload', 'chat'], {
    clients: () => clients,
    io: { out: () => {}, note: (line) => notes.push(line) },
  });
  expect([code, notes]).toEqual([64, [expect.stringContaining('It has evidence, knowledge, open-webui.')]]);
});

test('a stack that does not exist', async () => {
  const code = await main(['snapshots', 'list', '--stack', 'Nope', '--workload', 'open-webui'], {
    clients: () => clients,
    io: { out: () => {}, note: (line) => notes.push(line) },
  });
  expect([code, notes]).toEqual([1, [expect.stringMatching(/^\[--stack Nope\] AWS answered ValidationError/)]]);
});
