import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { BackupClient, GetBackupPlanCommand, ListBackupPlansCommand } from '@aws-sdk/client-backup';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand, ListDashboardsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeMetricFiltersCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DescribeSecurityGroupRulesCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListClustersCommand,
  ListServicesCommand,
} from '@aws-sdk/client-ecs';
import {
  DescribeAccessPointsCommand,
  DescribeBackupPolicyCommand,
  DescribeFileSystemPolicyCommand,
  DescribeFileSystemsCommand,
  DescribeLifecycleConfigurationCommand,
  DescribeMountTargetSecurityGroupsCommand,
  DescribeMountTargetsCommand,
  EFSClient,
} from '@aws-sdk/client-efs';
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { EmulatedAws } from '../../scripts/emulated-aws';
import { Deployment, STACK } from './deployment';

const SERVICES = ['-c', 'data-layer:services=true', '-c', 'data-layer:focusExport=s3://my-exports/focus/cost'];

const TOPIC = 'arn:aws:sns:us-east-1:123456789012:alerts';
const ALARMS = ['-c', 'data-layer:alarms=true', '-c', `data-layer:alarmTopicArn=${TOPIC}`];

jest.setTimeout(300_000);

const PYTHON = path.join(__dirname, '..', '..', '.venv', 'bin', 'python');

let deployment: Deployment;
let aws: EmulatedAws;
let out: string;

beforeAll(async () => {
  deployment = await Deployment.start();
  ({ aws, out } = deployment);
});

afterAll(() => deployment?.stop());

const cdk = (command: string, ...args: string[]) => deployment.cdk(command, ...args);
const deploy = (...flags: string[]) => deployment.deploy(...flags);

const DATA_BEARING = /^AWS::EFS::|^AWS::Backup::BackupVault$/;

/** What cdk diff would destroy, orphan or replace: marked [-], or [~] with "replace" at the end of the line. */
function destroyedTypes(diff: string): string[] {
  return diff
    .split('\n')
    .filter((line) => /^\[-\] AWS::|^\[~\] AWS::.* (replaced?|destroy)$/.test(line.trim()))
    .map((line) => line.trim().split(' ')[1]);
}

/** Everything whose replacement would lose data or run a second writer, by physical id. */
const dataBearing = () => deployment.resources(DATA_BEARING);

describe('first deploy', () => {
  beforeAll(async () => {
    await deploy();
  });

  test('one file system with the promised settings', async () => {
    const efs = new EFSClient(aws.client);
    const { FileSystems } = await efs.send(new DescribeFileSystemsCommand({}));
    expect(FileSystems).toHaveLength(1);
    const [{ FileSystemId }] = FileSystems!;
    expect(FileSystems![0]).toMatchObject({
      Encrypted: true,
      PerformanceMode: 'generalPurpose',
      ThroughputMode: 'bursting',
    });
    expect((await efs.send(new DescribeLifecycleConfigurationCommand({ FileSystemId }))).LifecyclePolicies).toEqual([
      { TransitionToIA: 'AFTER_30_DAYS' },
      { TransitionToPrimaryStorageClass: 'AFTER_1_ACCESS' },
    ]);
    const { Policy } = await efs.send(new DescribeFileSystemPolicyCommand({ FileSystemId }));
    expect(JSON.parse(Policy!).Statement.map((s: { Effect: string; Sid: string }) => [s.Effect, s.Sid])).toEqual([
      ['Deny', 'DenyWithoutTls'],
    ]);
    await expect(efs.send(new DescribeBackupPolicyCommand({ FileSystemId }))).rejects.toMatchObject({
      name: 'PolicyNotFound',
    });
  });

  test('one mount target in each of two zones, in a group that lets nobody in yet', async () => {
    const efs = new EFSClient(aws.client);
    const [{ FileSystemId }] = (await efs.send(new DescribeFileSystemsCommand({}))).FileSystems!;
    const { MountTargets } = await efs.send(new DescribeMountTargetsCommand({ FileSystemId }));
    expect(new Set(MountTargets!.map((target) => target.AvailabilityZoneName)).size).toBe(2);
    for (const { MountTargetId } of MountTargets!) {
      const { SecurityGroups } = await efs.send(new DescribeMountTargetSecurityGroupsCommand({ MountTargetId }));
      expect(SecurityGroups).toHaveLength(1);
      const rules = await new EC2Client(aws.client).send(
        new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: SecurityGroups! }] }),
      );
      expect(rules.SecurityGroupRules!.filter((rule) => !rule.IsEgress)).toEqual([]);
    }
  });

  test('three access points with their identities', async () => {
    const { AccessPoints } = await new EFSClient(aws.client).send(new DescribeAccessPointsCommand({}));
    expect(AccessPoints!.map((point) => point.RootDirectory!.Path).sort()).toEqual([
      '/evidence',
      '/knowledge',
      '/open-webui',
    ]);
    for (const point of AccessPoints!) {
      expect(point.PosixUser).toMatchObject({ Uid: 1000, Gid: 1000 });
      expect(point.RootDirectory!.CreationInfo).toEqual({ OwnerUid: 1000, OwnerGid: 1000, Permissions: '750' });
    }
  });

  test('task definitions mount their own access point with TLS and IAM, and their role may use no other', async () => {
    const { AccessPoints } = await new EFSClient(aws.client).send(new DescribeAccessPointsCommand({}));
    const { Stacks } = await new CloudFormationClient(aws.client).send(new DescribeStacksCommand({ StackName: STACK }));
    const arns = Stacks![0]
      .Outputs!.filter(({ OutputKey }) => OutputKey!.includes('TaskDefinitionArn'))
      .map((o) => o.OutputValue!);
    expect(arns).toHaveLength(3);
    for (const taskDefinition of arns) {
      const task = (await new ECSClient(aws.client).send(new DescribeTaskDefinitionCommand({ taskDefinition })))
        .taskDefinition!;
      expect(task).toMatchObject({
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      });
      const [container] = task.containerDefinitions!;
      const volumes = task.volumes!.filter(({ efsVolumeConfiguration }) => efsVolumeConfiguration);
      expect(volumes).toHaveLength(1);
      const [volume] = volumes;
      const mountPoint = container.mountPoints!.find(({ sourceVolume }) => sourceVolume === volume.name)!;
      const point = AccessPoints!.find(
        ({ AccessPointId }) => AccessPointId === volume.efsVolumeConfiguration!.authorizationConfig!.accessPointId,
      )!;
      expect(mountPoint.containerPath).toBe(`/mnt${point.RootDirectory!.Path}`);
      expect(volume.efsVolumeConfiguration).toMatchObject({
        transitEncryption: 'ENABLED',
        authorizationConfig: { iam: 'ENABLED' },
      });

      const iam = new IAMClient(aws.client);
      const RoleName = task.taskRoleArn!.split('/').pop()!;
      const documents = await Promise.all(
        (await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames!.map(async (PolicyName) =>
          decodeURIComponent((await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))).PolicyDocument!),
        ),
      );
      expect(documents.join()).toContain(point.AccessPointArn!);
      AccessPoints!
        .filter((other) => other !== point)
        .forEach((other) => expect(documents.join()).not.toContain(other.AccessPointArn!));
    }
  });

  test('a daily backup plan kept seven days, selecting the file system; logs with retention', async () => {
    const backup = new BackupClient(aws.client);
    const [{ BackupPlanId }] = (await backup.send(new ListBackupPlansCommand({}))).BackupPlansList!;
    const { BackupPlan } = await backup.send(new GetBackupPlanCommand({ BackupPlanId }));
    expect(BackupPlan!.Rules![0]).toMatchObject({
      ScheduleExpression: 'cron(0 16 * * ? *)',
      Lifecycle: { DeleteAfterDays: 7 },
    });
    const selection = (await aws.recorded()).find(({ type }) => type === 'AWS::Backup::BackupSelection')!;
    const [{ FileSystemArn }] = (await new EFSClient(aws.client).send(new DescribeFileSystemsCommand({}))).FileSystems!;
    expect(selection.properties.BackupSelection).toMatchObject({ Resources: [FileSystemArn] });
    const { logGroups } = await new CloudWatchLogsClient(aws.client).send(new DescribeLogGroupsCommand({}));
    expect(
      logGroups!.filter(({ logGroupName }) => logGroupName!.startsWith(STACK)).map((group) => group.retentionInDays),
    ).toEqual([30, 30, 30]);
  });

  test('deploying the same again changes nothing', async () => {
    expect(await deploy()).toContain('(no changes)');
  });
});

describe('updates', () => {
  const FLAGS: [string, string[]][] = [
    ['services and export', SERVICES],
    ['alarms', [...SERVICES, ...ALARMS]],
    ['x86', [...SERVICES, '-c', 'data-layer:architecture=x86_64']],
    ['cost centre', [...SERVICES, '-c', 'data-layer:costCenter=finops']],
    ['no backup', [...SERVICES, '-c', 'data-layer:backup=false']],
    ['back to the default', []],
  ];

  test.each(FLAGS)('%s: nothing that carries data is replaced or deleted', async (name, flags) => {
    const before = await dataBearing();
    const deployed = path.join(out, 'deployed.template.json');
    fs.copyFileSync(path.join(out, 'cdk.out', `${STACK}.template.json`), deployed);
    // Before anything is deployed, the gate's own words: what would be replaced or destroyed.
    const { output } = await cdk('diff', '--template', deployed, '--fail-on', 'destructive', ...flags);
    expect(destroyedTypes(output).filter((type) => DATA_BEARING.test(type))).toEqual([]);
    await deploy(...flags);
    const after = await dataBearing();
    const gone = Object.keys(before).filter((id) => after[id] !== before[id]);
    expect(gone).toEqual([]);
    const efs = new EFSClient(aws.client);
    expect((await efs.send(new DescribeFileSystemsCommand({}))).FileSystems).toHaveLength(1);
    expect((await efs.send(new DescribeAccessPointsCommand({}))).AccessPoints).toHaveLength(3);
    if (name === 'services and export') {
      await servicesAreSingle();
    }
    await alarmsAre(name === 'alarms');
  });

  /** All of them, with the topic told and the metrics that they read made from the logs; or none. */
  async function alarmsAre(wanted: boolean): Promise<void> {
    const cloudwatch = new CloudWatchClient(aws.client);
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({}));
    const { DashboardEntries = [] } = await cloudwatch.send(new ListDashboardsCommand({}));
    const { metricFilters } = await new CloudWatchLogsClient(aws.client).send(new DescribeMetricFiltersCommand({}));
    expect([MetricAlarms.length, DashboardEntries.length, metricFilters!.length]).toEqual(
      wanted ? [14, 1, 16] : [0, 0, 0],
    );
    MetricAlarms.forEach(({ AlarmActions }) => expect(AlarmActions).toEqual([TOPIC]));
    const made = new Set(metricFilters!.map(({ metricTransformations: [metric] = [] }) => metric.metricName));
    const read = MetricAlarms.flatMap(({ MetricName, Namespace, Metrics }) => [
      { MetricName, Namespace },
      ...Metrics!.map(({ MetricStat }) => MetricStat?.Metric),
    ]).filter((metric) => metric?.Namespace?.startsWith('efs-data-layer/'));
    expect(new Set(read.map((metric) => metric!.MetricName))).toEqual(made);
  }

  async function servicesAreSingle(): Promise<void> {
    const ecs = new ECSClient(aws.client);
    const [cluster] = (await ecs.send(new ListClustersCommand({}))).clusterArns!;
    const { serviceArns } = await ecs.send(new ListServicesCommand({ cluster }));
    expect(serviceArns).toHaveLength(2);
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: serviceArns! }));
    for (const service of services!) {
      expect(service).toMatchObject({
        desiredCount: 1,
        launchType: 'FARGATE',
        enableExecuteCommand: true,
        availabilityZoneRebalancing: 'DISABLED',
        deploymentConfiguration: {
          minimumHealthyPercent: 0,
          maximumPercent: 100,
          deploymentCircuitBreaker: { enable: true, rollback: false },
        },
        networkConfiguration: { awsvpcConfiguration: { assignPublicIp: 'ENABLED' } },
      });
    }
    const scheduler = new SchedulerClient(aws.client);
    const [{ Name }] = (await scheduler.send(new ListSchedulesCommand({}))).Schedules!;
    expect(await scheduler.send(new GetScheduleCommand({ Name }))).toMatchObject({
      ScheduleExpression: 'cron(0 6 * * ? *)',
      State: 'ENABLED',
    });
  }
});

describe('the gate against destructive changes', () => {
  test.each([
    ['lets new services through', ['-c', 'data-layer:services=true'], 0],
    ['stops a change that replaces the file system', ['--destroy-something'], 1],
  ])('%s', async (_name, flags, expected) => {
    const baseline = path.join(out, 'baseline.template.json');
    const template = JSON.parse(fs.readFileSync(path.join(out, 'cdk.out', `${STACK}.template.json`), 'utf8'));
    if (expected === 1) {
      const fileSystem = Object.values<{ Type: string; Properties: Record<string, unknown> }>(template.Resources).find(
        ({ Type }) => Type === 'AWS::EFS::FileSystem',
      )!;
      fileSystem.Properties.Encrypted = false;
    }
    fs.writeFileSync(baseline, JSON.stringify(template));
    const { code, output } = await cdk(
      'diff',
      '--template',
      baseline,
      '--fail-on',
      'destructive',
      ...(expected === 1 ? [] : flags),
    );
    expect({ code, output: code === expected ? '' : output }).toEqual({ code: expected, output: '' });
    expect(destroyedTypes(output).includes('AWS::EFS::FileSystem')).toBe(expected === 1);
  });
});

test('a mistake in a flag ends the command with one readable message', async () => {
  const { code, output } = await cdk('synth', '-q', '-c', 'data-layer:relational=oracle');
  expect(code).toBe(1);
  expect(output).toContain('data-layer:relational="oracle" is not valid. Valid: sqlite-on-efs | rds-postgres');
  expect(output).not.toContain('    at ');
});

describe('destroy', () => {
  test('keeps the file system, the vault and the backup role, and removes everything else', async () => {
    await deploy(...SERVICES);
    const { code, output } = await cdk('destroy', '--force');
    expect({ code, output: code ? output : '' }).toEqual({ code: 0, output: '' });
    const efs = new EFSClient(aws.client);
    const { FileSystems } = await efs.send(new DescribeFileSystemsCommand({}));
    expect(FileSystems).toHaveLength(1);
    expect(FileSystems![0].NumberOfMountTargets).toBe(0);
    const { Vpcs } = await new EC2Client(aws.client).send(new DescribeVpcsCommand({}));
    expect(Vpcs!.filter((vpc) => !vpc.IsDefault)).toEqual([]);
    const { logGroups } = await new CloudWatchLogsClient(aws.client).send(new DescribeLogGroupsCommand({}));
    expect(logGroups!.filter(({ logGroupName }) => logGroupName!.startsWith(STACK))).toEqual([]);
    expect((await aws.recorded()).filter(({ type }) => type === 'AWS::Backup::BackupSelection')).toEqual([]);
  });

  test('with both keys the file system goes too', async () => {
    const dev = ['-c', 'data-layer:stage=dev', '-c', 'data-layer:allowDestroy=true'];
    await deploy(...dev);
    const efs = new EFSClient(aws.client);
    const count = async () => (await efs.send(new DescribeFileSystemsCommand({}))).FileSystems!.length;
    const before = await count();
    const { code, output } = await cdk('destroy', '--force', ...dev);
    expect({ code, output: code ? output : '' }).toEqual({ code: 0, output: '' });
    expect(await count()).toBe(before - 1);
  });
});

test('the keeper of the deployed task definition guards a directory as the container would', async () => {
  await deploy(...SERVICES);
  const task = await deployment.taskDefinition('OpenWebUi');
  const [{ entryPoint, command, environment }] = task.containerDefinitions!;
  expect(command).toEqual(['run', '--', 'bash', 'start.sh']);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-'));
  try {
    const env = Object.fromEntries(environment!.map(({ name, value }) => [name!, value!]));
    Object.assign(env, {
      KEEPER_DIR: directory,
      KEEPER_LOCAL_DIR: path.join(directory, 'local'),
      PATH: process.env.PATH,
    });
    const [, ...boot] = entryPoint!;
    const run = (...words: string[]) =>
      execFileSync(PYTHON, [...boot, ...words], { encoding: 'utf8', env: env as never });
    run('run', '--', 'sh', '-c', `echo hello > ${directory}/note`);
    expect(JSON.parse(run('status'))).toMatchObject({ directory, lease: { epoch: 1, state: 'released' } });
    expect(fs.existsSync(path.join(directory, 'note'))).toBe(true);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});

test('the evidence collector of the deployed task definition runs as the container would run it', async () => {
  // The registered text, not the file: what a task would execute.
  await deploy(...SERVICES);
  const [{ entryPoint, command }] = (await deployment.taskDefinition('Evidence')).containerDefinitions!;
  expect(entryPoint).toEqual(['/usr/bin/python3', '-c']);
  const help = execFileSync(PYTHON, ['-c', ...command!, '--help'], {
    encoding: 'utf8',
  });
  expect(help).toContain('FOCUS_EXPORT_BUCKET');
});
