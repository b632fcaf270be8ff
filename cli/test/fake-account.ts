import { BackupClient } from '@aws-sdk/client-backup';
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeregisterTaskDefinitionCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  StopTaskCommand,
  Task,
  TaskDefinition,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand, EFSClient } from '@aws-sdk/client-efs';
import { IAMClient } from '@aws-sdk/client-iam';
import { mockClient } from 'aws-sdk-client-mock';
import { main } from '../src/main';

const PREFIX = 'arn:aws:ecs:ap-southeast-2:123456789012';
export const CLUSTER = `${PREFIX}:cluster/chat`;
export const SERVICE = 'open-webui';
export const ROLE = 'arn:aws:iam::123456789012:role/task';
const EFS = 'arn:aws:elasticfilesystem:ap-southeast-2:123456789012';

export const ACCESS_POINT = {
  AccessPointId: 'fsap-0000000000000001a',
  AccessPointArn: `${EFS}:access-point/fsap-0000000000000001a`,
  FileSystemId: 'fs-00000000000000001',
  LifeCycleState: 'available' as const,
  PosixUser: { Uid: 1000, Gid: 1000 },
  RootDirectory: { Path: '/open-webui' },
};
const KNOWLEDGE_POINT = {
  ...ACCESS_POINT,
  AccessPointId: 'fsap-0000000000000001b',
  RootDirectory: { Path: '/knowledge' },
};

export const TASK_DEFINITION: TaskDefinition = {
  taskDefinitionArn: `${PREFIX}:task-definition/chat:7`,
  family: 'chat',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '1024',
  memory: '4096',
  runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
  taskRoleArn: ROLE,
  executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
  volumes: [
    {
      name: 'efs-open-webui',
      efsVolumeConfiguration: {
        fileSystemId: ACCESS_POINT.FileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: ACCESS_POINT.AccessPointId, iam: 'ENABLED' },
      },
    },
  ],
  containerDefinitions: [
    {
      name: 'open-webui',
      image: 'ghcr.io/open-webui/open-webui:v0.12.4',
      environment: [
        { name: 'KEEPER_DIR', value: '/mnt/open-webui' },
        { name: 'KEEPER_STORES', value: 'webui.db,vector_db/' },
        { name: 'DATA_DIR', value: '/mnt/open-webui' },
      ],
      secrets: [{ name: 'OPENAI_API_KEY', valueFrom: 'arn:aws:ssm:…' }],
      mountPoints: [{ sourceVolume: 'efs-open-webui', containerPath: '/mnt/open-webui', readOnly: false }],
      logConfiguration: {
        logDriver: 'awslogs',
        options: {
          'awslogs-group': '/chat',
          'awslogs-region': 'ap-southeast-2',
          'awslogs-stream-prefix': 'open-webui',
        },
      },
    },
  ],
};

/** What one-off tasks say and how they end; the last entry holds for all that follow. */
export interface Scene {
  tasks: { lines?: string[]; exitCode?: number; stoppedReason?: string }[];
  /** Last statuses of the service's task, one for each time it is asked, after the count was set to 0. */
  draining?: string[];
  desiredCount?: number;
  taskDefinition?: TaskDefinition;
}

/**
 * An account with one stack, one service and its task definition, faked at the SDK's boundary. `calls` has every call
 * that changes something, in order.
 */
export class FakeAccount {
  public readonly cloudFormation = mockClient(CloudFormationClient);
  public readonly ecs = mockClient(ECSClient);
  public readonly efs = mockClient(EFSClient);
  public readonly iam = mockClient(IAMClient);
  public readonly logs = mockClient(CloudWatchLogsClient);
  public readonly backup = mockClient(BackupClient);
  public readonly calls: string[] = [];
  public readonly definitions: RegisterTaskDefinitionCommandInput[] = [];
  public out: string[] = [];
  public notes: string[] = [];
  public slept = 0;
  /** Called at every sleep, with the number of it. */
  public onSleep?: (count: number) => void;
  private sleeps = 0;
  private started = 0;

  constructor(public readonly scene: Scene) {
    this.cloudFormation.on(ListStackResourcesCommand).resolves({
      StackResourceSummaries: [
        resource('AWS::EFS::AccessPoint', ACCESS_POINT.AccessPointId),
        resource('AWS::EFS::AccessPoint', KNOWLEDGE_POINT.AccessPointId),
        resource('AWS::ECS::Service', `${PREFIX}:service/chat/${SERVICE}`),
      ],
    });
    this.efs.on(DescribeAccessPointsCommand).callsFake(({ AccessPointId }) => ({
      AccessPoints: [ACCESS_POINT, KNOWLEDGE_POINT].filter((point) => point.AccessPointId === AccessPointId),
    }));
    this.fakeService();
    this.fakeTasks();
  }

  /** Notes a change in `calls`; the tests compare their order. */
  public did(what: string): void {
    this.calls.push(what);
  }

  /** Runs the command line against this account. */
  public async run(...args: string[]): Promise<number> {
    return main([...args, '--region', 'ap-southeast-2'], {
      io: { out: (line) => this.out.push(line), note: (line) => this.notes.push(line) },
      clock: {
        now: () => this.slept,
        sleep: async (ms) => {
          this.slept += ms;
          this.onSleep?.(++this.sleeps);
        },
      },
    });
  }

  public get said(): string {
    return this.notes.join('\n');
  }

  public restore(): void {
    [this.cloudFormation, this.ecs, this.efs, this.iam, this.logs, this.backup].forEach((mock) => mock.restore());
  }

  private fakeService(): void {
    const { scene, ecs } = this;
    ecs.on(DescribeServicesCommand).callsFake(() => ({
      services: [
        {
          serviceName: SERVICE,
          clusterArn: CLUSTER,
          status: 'ACTIVE',
          desiredCount: scene.desiredCount ?? 1,
          taskDefinition: TASK_DEFINITION.taskDefinitionArn,
          platformVersion: '1.4.0',
          launchType: 'FARGATE',
          networkConfiguration: {
            awsvpcConfiguration: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'ENABLED' },
          },
        },
      ],
    }));
    ecs
      .on(DescribeTaskDefinitionCommand)
      .callsFake(() => ({ taskDefinition: scene.taskDefinition ?? TASK_DEFINITION }));
    ecs.on(UpdateServiceCommand).callsFake(({ desiredCount }) => {
      this.did(`count ${desiredCount}`);
      return {};
    });
    // ECS lists a task that is stopping among the stopped ones.
    ecs
      .on(ListTasksCommand)
      .callsFake(({ desiredStatus }) => ({ taskArns: desiredStatus === 'STOPPED' ? [`${PREFIX}:task/chat/old`] : [] }));
  }

  private fakeTasks(): void {
    const { scene, ecs } = this;
    const draining = [...(scene.draining ?? ['STOPPED'])];
    const statuses = new Map<string, string[]>();
    const play = (arn: string) => scene.tasks[Math.min(Number(arn.split('-').pop()), scene.tasks.length) - 1];
    ecs.on(RegisterTaskDefinitionCommand).callsFake((input) => {
      this.did('register');
      this.definitions.push(input);
      return { taskDefinition: { ...input, taskDefinitionArn: `${PREFIX}:task-definition/one-off:1` } };
    });
    ecs.on(DeregisterTaskDefinitionCommand).callsFake(() => {
      this.did('deregister');
      return {};
    });
    ecs.on(RunTaskCommand).callsFake(() => {
      this.did('run');
      const taskArn = `${PREFIX}:task/chat/one-off-${++this.started}`;
      statuses.set(taskArn, ['PROVISIONING', 'RUNNING', 'STOPPED']);
      return { tasks: [{ taskArn }] };
    });
    ecs.on(StopTaskCommand).callsFake(({ task }) => {
      this.did('stop task');
      statuses.set(task, ['STOPPED']);
      return {};
    });
    ecs.on(DescribeTasksCommand).callsFake(({ tasks: [taskArn] }): { tasks: Task[] } => {
      if (taskArn.endsWith('old')) {
        return { tasks: [{ taskArn, lastStatus: draining.length > 1 ? draining.shift() : draining[0] }] };
      }
      const left = statuses.get(taskArn)!;
      const lastStatus = left.length > 1 ? left.shift()! : left[0];
      const { exitCode, stoppedReason } = play(taskArn);
      return {
        tasks: [
          {
            taskArn,
            lastStatus,
            stoppedReason,
            containers: [
              {
                name: 'keeper',
                exitCode: lastStatus === 'STOPPED' ? (exitCode ?? (stoppedReason ? undefined : 0)) : undefined,
              },
            ],
          },
        ],
      };
    });
    // Two lines a page, and the stream appears only once the task runs.
    this.logs.on(GetLogEventsCommand).callsFake(({ logStreamName, nextToken }) => {
      const arn = `${PREFIX}:task/chat/${logStreamName.split('/').pop()}`;
      if (statuses.get(arn)!.length > 2) {
        throw Object.assign(new Error('no such stream'), { name: 'ResourceNotFoundException' });
      }
      const lines = play(arn).lines ?? [];
      const from = Number(nextToken ?? 0);
      const page = lines.slice(from, from + 2);
      return { events: page.map((message) => ({ message })), nextForwardToken: `${from + page.length}` };
    });
  }
}

function resource(ResourceType: string, PhysicalResourceId: string) {
  return {
    ResourceType,
    PhysicalResourceId,
    LogicalResourceId: PhysicalResourceId,
    LastUpdatedTimestamp: new Date(0),
    ResourceStatus: 'CREATE_COMPLETE' as const,
  };
}
