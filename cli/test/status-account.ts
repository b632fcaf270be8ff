import { BackupClient, ListRecoveryPointsByResourceCommand } from '@aws-sdk/client-backup';
import { CloudFormationClient, GetTemplateCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand, DescribeFileSystemsCommand, EFSClient } from '@aws-sdk/client-efs';
import { mockClient } from 'aws-sdk-client-mock';
import { main } from '../src/main';

export const NOW = Date.UTC(2026, 10, 25, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const ID = 'fs-00000000000000001';
const ARN = `arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/${ID}`;
const NAMES = ['open-webui', 'knowledge', 'evidence'];

/** What the lines of a log group hold: milliseconds before now, the stream, the fields. */
export type Lines = [ago: number, stream: string, fields: object][];

/** A workload that has grown by 4 MiB a day for ten days and whose host crashed three days ago. */
export function keeperLines(): Lines {
  const stream = 'open-webui/open-webui/0a1b2c3d4e5f';
  const lines: Lines = [
    [9 * DAY, 'open-webui/open-webui/old', { keeper: 'leased', previous: 'released', epoch: 1 }],
    [3 * DAY, stream, { keeper: 'leased', previous: 'held', epoch: 2 }],
    [3 * DAY - MINUTE, stream, { keeper: 'takeover', takeover_s: 4.2, previous: 'held' }],
    [2 * HOUR, stream, { keeper: 'snapshot-failed', message: 'No space left on device.' }],
  ];
  for (let day = 10; day >= 0; day--) {
    // A keeper that counts has run for ten days.
    const people = day < 10 ? { users: 120 - 4 * day, active_users_30d: 90 - 4 * day } : {};
    const at = day * DAY + 5 * HOUR;
    lines.push([at, stream, { keeper: 'snapshot', store: 'webui.db', bytes: (100 - 4 * day) * MIB, ...people }]);
  }
  for (let minutes = 600; minutes >= 2; minutes -= 5) {
    const grown = minutes > 35 ? 0 : MIB;
    const report = { keeper: 'heartbeat', heartbeat_s: minutes === 300 ? 0.25 : 0.02, snapshot_age_s: 5 * 3600 };
    lines.push([minutes * MINUTE, stream, { ...report, database_bytes: 100 * MIB + grown, wal_bytes: 0 }]);
  }
  return lines;
}

function taskDefinition(name: string, more: { name: string; value: string }[]) {
  return {
    volumes: [
      {
        name: 'efs',
        efsVolumeConfiguration: { fileSystemId: ID, authorizationConfig: { accessPointId: `fsap-${name}` } },
      },
    ],
    containerDefinitions: [
      {
        name,
        environment: name === 'evidence' ? [] : [{ name: 'KEEPER_DIR', value: `/mnt/${name}` }, ...more],
        logConfiguration: { logDriver: 'awslogs' as const, options: { 'awslogs-group': `/${name}` } },
      },
    ],
  };
}

/** An account with a data layer, faked at the SDK's boundary. */
export class StatusAccount {
  public readonly mocks = {
    cloudFormation: mockClient(CloudFormationClient),
    ecs: mockClient(ECSClient),
    efs: mockClient(EFSClient),
    logs: mockClient(CloudWatchLogsClient),
    backup: mockClient(BackupClient),
    cloudWatch: mockClient(CloudWatchClient),
  };
  public readonly logs: { [group: string]: Lines } = {
    '/open-webui': keeperLines(),
    '/knowledge': [],
    '/evidence': [],
  };
  /** Settings of Open WebUI, and types of resources, beside the usual. */
  public settings: { name: string; value: string }[] = [];
  public more: string[] = [];
  public out: string[] = [];
  public notes: string[] = [];

  constructor() {
    const { cloudFormation, ecs, efs, logs, backup, cloudWatch } = this.mocks;
    const resource = (ResourceType: string, PhysicalResourceId: string) => ({
      ResourceType,
      PhysicalResourceId,
      LogicalResourceId: PhysicalResourceId,
      ResourceStatus: 'CREATE_COMPLETE' as const,
      LastUpdatedTimestamp: new Date(NOW),
    });
    const all = [
      resource('AWS::EFS::FileSystem', ID),
      ...NAMES.map((name) => resource('AWS::EFS::AccessPoint', `fsap-${name}`)),
      ...NAMES.map((name) => resource('AWS::ECS::TaskDefinition', `task/${name}:1`)),
      resource('AWS::ECS::Service', 'arn:aws:ecs:us-east-1:123456789012:service/chat/DataLayerOpenWebUi'),
    ];
    // Two pages, as with more than a hundred resources.
    cloudFormation.on(ListStackResourcesCommand).callsFake(({ NextToken }) => ({
      StackResourceSummaries: NextToken
        ? [...all.slice(4), ...this.more.map((type) => resource(type, 'more'))]
        : all.slice(0, 4),
      NextToken: NextToken ? undefined : 'more',
    }));
    cloudFormation.on(GetTemplateCommand).resolves({
      TemplateBody: JSON.stringify({
        Resources: {
          FileSystem: {
            Type: 'AWS::EFS::FileSystem',
            Properties: { LifecyclePolicies: [{ TransitionToIA: 'AFTER_30_DAYS' }] },
          },
        },
      }),
    });
    efs.on(DescribeFileSystemsCommand).resolves({
      FileSystems: [
        {
          FileSystemId: ID,
          FileSystemArn: ARN,
          CreationTime: new Date(NOW - 40 * DAY),
          SizeInBytes: { Value: 5 * GIB, ValueInStandard: 4 * GIB, ValueInIA: GIB },
        } as never,
      ],
    });
    efs.on(DescribeAccessPointsCommand).resolves({
      AccessPoints: NAMES.map((name) => ({
        AccessPointId: `fsap-${name}`,
        FileSystemId: ID,
        RootDirectory: { Path: `/${name}` },
      })),
    });
    ecs.on(DescribeTaskDefinitionCommand).callsFake(({ taskDefinition: arn }) => {
      const name = /task\/([\w-]+)/.exec(arn)![1];
      return { taskDefinition: taskDefinition(name, name === 'open-webui' ? this.settings : []) };
    });
    backup.on(ListRecoveryPointsByResourceCommand).callsFake(({ NextToken }) => ({
      RecoveryPoints: [{ Status: 'COMPLETED', CreationDate: new Date(NOW - (NextToken ? 20 : 44) * HOUR) }],
      NextToken: NextToken ? undefined : 'more',
    }));
    logs.on(FilterLogEventsCommand).callsFake(({ logGroupName, startTime }) => ({
      events: this.logs[logGroupName]
        .filter(([ago]) => NOW - ago >= startTime)
        .map(([ago, logStreamName, fields]) => ({
          timestamp: NOW - ago,
          logStreamName,
          message: JSON.stringify(fields),
        })),
    }));
    cloudWatch.on(GetMetricDataCommand).callsFake(({ MetricDataQueries }) => ({
      MetricDataResults: MetricDataQueries.map(({ Id }: { Id: string }) => series(Id)),
    }));
  }

  /** What a request is answered with instead: AWS's words for a permission that is missing. */
  public deny(service: keyof StatusAccount['mocks'], command: never, action: string): void {
    const error = new Error(`User: arn:aws:iam::123456789012:user/reader is not authorized to perform: ${action}`);
    error.name = 'AccessDeniedException';
    (this.mocks[service] as unknown as { on(command: never): { rejects(error: Error): void } })
      .on(command)
      .rejects(error);
  }

  public async run(...args: string[]): Promise<number> {
    return main(['status', ...args, '--region', 'us-east-1'], {
      io: { out: (line) => this.out.push(line), note: (line) => this.notes.push(line) },
      clock: { now: () => NOW, sleep: () => new Promise((resolve) => setTimeout(resolve, 20)) },
    });
  }

  public get text(): string {
    return this.out.join('\n');
  }

  public restore(): void {
    Object.values(this.mocks).forEach((mock) => mock.restore());
  }
}

/** Daily values of thirty days, or values of the last day. */
function series(Id: string) {
  const daily = (value: (day: number) => number) => ({
    Id,
    Timestamps: Array.from({ length: 30 }, (_, at) => new Date(NOW - (29 - at) * DAY)),
    Values: Array.from({ length: 30 }, (_, at) => value(at)),
  });
  switch (Id) {
    case 'stored':
      return daily((day) => (4 + day / 30) * GIB);
    case 'read':
      return daily(() => 2 * GIB);
    case 'written':
      return daily(() => GIB);
    case 'writes':
      // 900 in 15 minutes is one a second; it doubles in the second week.
      return daily((day) => (day < 23 ? 27_000 : 54_000));
    case 'credits':
      return { Id, Timestamps: [new Date(NOW - HOUR)], Values: [2 * 1024 * GIB] };
    case 'iolimit':
      return { Id, Timestamps: [new Date(NOW - HOUR)], Values: [12.5] };
    default:
      return daily(() => 40);
  }
}
