import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  DeregisterTaskDefinitionCommand,
  DescribeServicesCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { mockClient } from 'aws-sdk-client-mock';
import { main } from '../src/main';
import { CLUSTER, FakeAccount, ROLE, SERVICE, TASK_DEFINITION } from './fake-account';

const WORKLOAD = ['--stack', 'EfsDataLayer', '--workload', 'open-webui'];
const ID = 'webui.db/2026-11-25T03-44-54Z';

let account: FakeAccount;

afterEach(() => account?.restore());

describe('the one-off task', () => {
  test('list runs beside the application: the service is left alone', async () => {
    account = new FakeAccount({ tasks: [{ lines: ['one', 'two', 'three'] }] });
    expect(await account.run('snapshots', 'list', ...WORKLOAD)).toBe(0);
    expect(account.calls).toEqual(['register', 'run', 'deregister']);
    expect(account.out).toEqual(['one', 'two', 'three']);
  });

  test('has the workload’s volume, roles, size, image and network, the keeper, and none of its secrets', async () => {
    account = new FakeAccount({ tasks: [{}] });
    await account.run('snapshots', 'verify', ID, '--json', ...WORKLOAD);
    const [definition] = account.definitions;
    expect(definition).toMatchObject({
      networkMode: 'awsvpc',
      cpu: '1024',
      memory: '4096',
      taskRoleArn: ROLE,
      executionRoleArn: TASK_DEFINITION.executionRoleArn,
      runtimePlatform: TASK_DEFINITION.runtimePlatform,
      volumes: TASK_DEFINITION.volumes,
    });
    const [container, ...others] = definition.containerDefinitions!;
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image: 'ghcr.io/open-webui/open-webui:v0.12.4',
      command: ['snapshots', 'verify', ID, '--json'],
      environment: [
        { name: 'KEEPER_DIR', value: '/mnt/open-webui' },
        { name: 'KEEPER_STORES', value: 'webui.db,vector_db/' },
      ],
      mountPoints: [{ sourceVolume: 'efs-open-webui', containerPath: '/mnt/open-webui', readOnly: false }],
    });
    expect(container.secrets).toBeUndefined();
    expect(Buffer.byteLength(JSON.stringify(definition))).toBeLessThan(65536);
    const [run] = account.ecs.commandCalls(RunTaskCommand);
    expect(run.args[0].input).toMatchObject({
      cluster: CLUSTER,
      count: 1,
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      networkConfiguration: {
        awsvpcConfiguration: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'ENABLED' },
      },
    });
  });

  test('takes the image of the keeper’s own container when the application’s has no Python', async () => {
    const [application] = TASK_DEFINITION.containerDefinitions!;
    const keeper = { ...application, name: 'keeper', image: 'python:slim' };
    account = new FakeAccount({
      tasks: [{}],
      taskDefinition: {
        ...TASK_DEFINITION,
        containerDefinitions: [{ ...application, image: 'chroma', environment: [] }, keeper],
      },
    });
    await account.run('snapshots', 'list', ...WORKLOAD);
    expect(account.definitions[0].containerDefinitions![0].image).toBe('python:slim');
  });

  test('takes the Python image, and asks for the stores, when no container has a keeper', async () => {
    const [application] = TASK_DEFINITION.containerDefinitions!;
    const taskDefinition = { ...TASK_DEFINITION, containerDefinitions: [{ ...application, environment: [] }] };
    account = new FakeAccount({ tasks: [{}], taskDefinition });
    expect(await account.run('snapshots', 'restore', ID, ...WORKLOAD)).toBe(64);
    expect(account.said).toMatch(/--workload open-webui.*runs no keeper.*--stores webui.db/);
    expect(account.calls).toEqual([]);
    expect(await account.run('snapshots', 'list', '--stores', 'webui.db', ...WORKLOAD)).toBe(0);
    expect(account.definitions[0].containerDefinitions![0].image).toMatch(/python:3\.\d+\.\d+-slim/);
  });

  test('the keeper’s exit code is passed on and explained', async () => {
    account = new FakeAccount({ tasks: [{ exitCode: 65, lines: ['webui.db/x DAMAGED'] }] });
    expect(await account.run('snapshots', 'verify', ...WORKLOAD)).toBe(65);
    expect(account.said).toContain('exit code 65: a store failed its check');
    expect(account.calls).toEqual(['register', 'run', 'deregister']);
  });

  test('says why ECS could not run it', async () => {
    account = new FakeAccount({ tasks: [{ stoppedReason: 'ResourceInitializationError: failed to mount' }] });
    expect(await account.run('snapshots', 'list', ...WORKLOAD)).toBe(1);
    expect(account.said).toContain('It ended before its program did: ResourceInitializationError: failed to mount.');
    expect(account.calls).toEqual(['register', 'run', 'deregister']);
  });

  test('a task that ECS refuses leaves no definition behind', async () => {
    account = new FakeAccount({ tasks: [{}] });
    account.ecs.on(RunTaskCommand).resolves({ tasks: [], failures: [{ reason: 'RESOURCE:CAPACITY' }] });
    expect(await account.run('snapshots', 'list', ...WORKLOAD)).toBe(1);
    expect(account.said).toContain('ECS did not start it: RESOURCE:CAPACITY.');
    expect(account.calls).toEqual(['register', 'deregister']);
  });

  test('runs in the log driver’s absence not at all', async () => {
    const [application] = TASK_DEFINITION.containerDefinitions!;
    account = new FakeAccount({
      tasks: [{}],
      taskDefinition: {
        ...TASK_DEFINITION,
        containerDefinitions: [{ ...application, logConfiguration: { logDriver: 'splunk' } }],
      },
    });
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(1);
    expect(account.said).toContain('logs with splunk');
    expect(account.calls).toEqual([]);
  });
});

describe('restore and take', () => {
  test('stop the application first, wait for a task that is still stopping, and start it again', async () => {
    account = new FakeAccount({ tasks: [{}], draining: ['RUNNING', 'DEACTIVATING', 'STOPPING', 'STOPPED'] });
    expect(await account.run('snapshots', 'restore', ID, ...WORKLOAD)).toBe(0);
    expect(account.calls).toEqual(['count 0', 'register', 'run', 'deregister', 'count 1']);
    // Three looks found a task that might still write.
    expect(account.slept).toBeGreaterThanOrEqual(3 * 5_000);
    expect(account.said).toContain(
      `aws ecs update-service --cluster ${CLUSTER} --service ${SERVICE} --desired-count 1`,
    );
  });

  test('several snapshots are restored by one task, while the application is stopped once', async () => {
    account = new FakeAccount({ tasks: [{}] });
    expect(await account.run('snapshots', 'restore', 'webui.db/a', 'vector_db/b', ...WORKLOAD)).toBe(0);
    expect(account.calls).toEqual(['count 0', 'register', 'run', 'deregister', 'count 1']);
    expect(account.definitions[0].containerDefinitions![0].command).toEqual(
      'snapshots restore webui.db/a ; snapshots restore vector_db/b'.split(' '),
    );
  });

  test('a service that was stopped before stays stopped', async () => {
    account = new FakeAccount({ tasks: [{}], desiredCount: 0 });
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(0);
    expect(account.calls).toEqual(['register', 'run', 'deregister']);
  });

  test('the application starts again when the keeper fails', async () => {
    account = new FakeAccount({ tasks: [{ exitCode: 75 }] });
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(75);
    expect(account.calls).toEqual(['count 0', 'register', 'run', 'deregister', 'count 1']);
  });

  test('a task that does not stop ends the work, and the count is set back', async () => {
    account = new FakeAccount({ tasks: [{}], draining: ['RUNNING'] });
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(1);
    expect(account.said).toMatch(/did not stop within 10 minutes.*\(RUNNING\)/);
    expect(account.calls).toEqual(['count 0', 'count 1']);
  });

  test('the count is set back even when the answer to stopping it was lost', async () => {
    account = new FakeAccount({ tasks: [{}] });
    account.ecs.on(UpdateServiceCommand, { desiredCount: 0 }).rejects(new Error('socket hang up'));
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(1);
    expect(account.said).toContain('socket hang up');
    expect(account.calls).toEqual(['count 1']);
  });

  test('says what could not be undone, and how to do it by hand; the rest is undone', async () => {
    account = new FakeAccount({ tasks: [{}] });
    account.ecs.on(UpdateServiceCommand, { desiredCount: 1 }).rejects(new Error('throttled'));
    account.ecs.on(DeregisterTaskDefinitionCommand).rejects(new Error('denied'));
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(1);
    expect(account.said).toContain('The work was done, but not everything could be undone');
    expect(account.said).toMatch(/deregister the task definition .*one-off:1 \(denied\)/);
    expect(account.said).toMatch(/set the desired count of open-webui back to 1 \(throttled\)/);
    expect(account.said).toMatch(/update-service .* --desired-count 1/);
  });

  test('a refused registration starts the application again and names the permission', async () => {
    account = new FakeAccount({ tasks: [{}] });
    account.ecs
      .on(RegisterTaskDefinitionCommand)
      .rejects(Object.assign(new Error('not authorized to perform iam:PassRole'), { name: 'AccessDeniedException' }));
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(1);
    expect(account.said).toMatch(/\[one-off task definition\].*iam:PassRole.*docs\/runbooks\/restore.md/);
    expect(account.calls).toEqual(['count 0', 'count 1']);
  });
});

describe('Ctrl-C', () => {
  test.each([1, 2, 3])('at pause %i: the task is stopped, its definition gone, the application starts', async (at) => {
    account = new FakeAccount({ tasks: [{}], draining: ['STOPPING', 'STOPPED'] });
    account.onSleep = (count) => count === at && process.emit('SIGINT');
    expect(await account.run('snapshots', 'take', ...WORKLOAD)).toBe(130);
    expect(account.calls).toEqual(
      at === 1 ? ['count 0', 'count 1'] : ['count 0', 'register', 'run', 'stop task', 'deregister', 'count 1'],
    );
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  test('a second time ends at once and says what is left', async () => {
    account = new FakeAccount({ tasks: [{}] });
    const exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    account.ecs.on(DeregisterTaskDefinitionCommand).callsFake(() => process.emit('SIGINT'));
    account.onSleep = (count) => count === 1 && process.emit('SIGINT');
    await account.run('snapshots', 'take', ...WORKLOAD);
    expect(exit).toHaveBeenCalledWith(130);
    const left = account.notes.find((note) => note.startsWith('Ended at once'));
    expect(left).toMatch(/aws ecs deregister-task-definition .*one-off:1/);
    expect(left).toMatch(/aws ecs update-service .* --desired-count 1/);
    exit.mockRestore();
  });
});

describe('what is named', () => {
  test('a workload the stack has not', async () => {
    account = new FakeAccount({ tasks: [{}] });
    expect(await account.run('snapshots', 'list', '--stack', 'EfsDataLayer', '--workload', 'chat')).toBe(64);
    expect(account.said).toBe(
      '[--workload chat] The stack EfsDataLayer has no such workload. It has knowledge, open-webui.',
    );
  });

  test('a workload no service runs', async () => {
    account = new FakeAccount({ tasks: [{}] });
    expect(await account.run('snapshots', 'list', '--stack', 'EfsDataLayer', '--workload', 'knowledge')).toBe(64);
    expect(account.said).toMatch(/None of its 1 service\(s\) mounts \/knowledge.*--cluster and --service/);
  });

  test('a service of another stack', async () => {
    account = new FakeAccount({ tasks: [{}] });
    const service = ['--cluster', 'other', '--service', 'chat'];
    expect(await account.run('snapshots', 'list', ...WORKLOAD, ...service)).toBe(0);
    expect(account.ecs.commandCalls(DescribeServicesCommand)[0].args[0].input).toEqual({
      cluster: 'other',
      services: ['chat'],
    });
    expect(await account.run('snapshots', 'list', ...WORKLOAD, '--cluster', 'other')).toBe(64);
  });

  test('a stack that is not there', async () => {
    account = new FakeAccount({ tasks: [{}] });
    account.cloudFormation
      .on(ListStackResourcesCommand)
      .rejects(Object.assign(new Error('Stack with id Nope does not exist'), { name: 'ValidationError' }));
    expect(await account.run('snapshots', 'list', '--stack', 'Nope', '--workload', 'open-webui')).toBe(1);
    expect(account.said).toContain('[--stack Nope] AWS answered ValidationError: Stack with id Nope does not exist.');
  });

  test('a stack of more than one page', async () => {
    account = new FakeAccount({ tasks: [{}] });
    const page = await new CloudFormationClient({}).send(new ListStackResourcesCommand({ StackName: 'x' }));
    account.cloudFormation
      .on(ListStackResourcesCommand)
      .resolves({ StackResourceSummaries: [], NextToken: '2' })
      .on(ListStackResourcesCommand, { NextToken: '2' })
      .resolves(page);
    expect(await account.run('snapshots', 'list', ...WORKLOAD)).toBe(0);
  });

  test.each([
    [['snapshots', 'list'], /Neither a mounted directory nor a stack/],
    [['snapshots', 'list', '--stack', 'x'], /\[--workload\] It is missing/],
    [['snapshots', 'list', '--dir', '/tmp', '--stack', 'x'], /does not go together with --stack/],
    [['snapshots', 'restore', '--dir', '/tmp'], /missing required argument 'ids'/],
    [['snapshots', 'lists'], /unknown command 'lists'/],
  ])('%j is refused before anything is asked', async (args, message) => {
    const mock = mockClient(CloudFormationClient);
    const notes: string[] = [];
    const io = { out: () => {}, note: (line: string) => void notes.push(line) };
    expect(await main(args, { io })).toBe(64);
    expect(notes.join('\n')).toMatch(message);
    expect(mock.calls()).toHaveLength(0);
    mock.restore();
  });
});
