import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { DataLayerStack, DataLayerStackProps, EfsDataLayer, StopFirstServiceOptions, Writers } from '../lib';
import { importedVpc, newStack } from './helpers';

/**
 * Every prop with a value it must refuse: where it stands, what is wrong, the way out. The values are cast as
 * JavaScript, a context value or another language would bring them.
 */
const IMAGE = ecs.ContainerImage.fromRegistry('example/app:1.0');
const token = (stack: Stack) => new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
const text = (stack: Stack) => new CfnParameter(stack, 'Text').valueAsString;
const bucket = (stack: Stack) => s3.Bucket.fromBucketName(stack, 'Exports', 'exports');
const adopted = (stack: Stack) => ({
  fileSystemId: 'fs-0123456789abcdef0',
  vpc: importedVpc(stack),
  securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0'),
});

/** Prop, value, construct path, what the error says, the way out. */
type Case = [prop: string, value: unknown, path: string, problem: string, wayOut: string];

function refuse(make: () => unknown, path: string, problem: string, wayOut: string): void {
  let message = 'no error';
  try {
    make();
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toContain(`[${path}] `);
  expect(message).toContain(problem);
  expect(message).toContain(wayOut);
  expect(message).not.toMatch(/e\+\d{3}|\$\{Token/);
}

/** Builds { a: { b: value } } from 'a.b'. */
function nest(prop: string, value: unknown): object {
  return prop.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

describe('EfsDataLayer', () => {
  const VOLUME = 'Test/Data/Volume';
  const WEB = 'Test/Data/OpenWebUi';
  const ALARMS = 'Test/Data/Alarms';
  const cases: Case[] = [
    ['vpc', 'vpc-0123456789abcdef0', VOLUME, 'vpc is "vpc-0123456789abcdef0"', 'ec2.Vpc.fromLookup'],
    ['vpc', (s: Stack) => importedVpc(s, ['us-east-1a']), VOLUME, '1 Availability Zone', 'subnets in two zones'],
    ['kmsKey', 'arn:aws:kms:x', VOLUME, 'kmsKey is "arn:aws:kms:x"', 'kms.Key.fromKeyArn'],
    ['lifecyclePolicy', 30, VOLUME, 'lifecyclePolicy is 30', 'AFTER_30_DAYS'],
    ['removalPolicy', 'snapshot', VOLUME, 'removalPolicy is "snapshot"', 'RemovalPolicy.RETAIN'],
    ['removalPolicy', 'delete', VOLUME, 'removalPolicy is "delete"', 'RemovalPolicy.RETAIN'],
    ['backup', 'false', VOLUME, 'backup is "false" (string)', 'Pass true or false'],
    ['existingFileSystem', 'fs-0123456789abcdef0', VOLUME, 'existingFileSystem is "fs-', 'Pass { fileSystemId'],
    ['existingFileSystem', (s: Stack) => ({ ...adopted(s), vpc: undefined }), VOLUME, 'vpc is missing', 'Pass the VPC'],
    ['existingFileSystem', (s: Stack) => ({ ...adopted(s), vpc: 'vpc-1' }), VOLUME, 'vpc is "vpc-1"', 'Pass the VPC'],
    [
      'existingFileSystem',
      (s: Stack) => ({ ...adopted(s), securityGroup: undefined }),
      VOLUME,
      'securityGroup is missing',
      'createMountTargets: true',
    ],
    [
      'existingFileSystem',
      (s: Stack) => ({ ...adopted(s), securityGroup: 'sg-1' }),
      VOLUME,
      'securityGroup is "sg-1"',
      'fromSecurityGroupId',
    ],
    [
      'existingFileSystem',
      (s: Stack) => ({ ...adopted(s), createMountTargets: 'false' }),
      VOLUME,
      'createMountTargets is "false" (string)',
      'Pass true or false',
    ],
    [
      'existingFileSystem',
      (s: Stack) => ({ ...adopted(s), policyAttached: 'yes' }),
      VOLUME,
      'policyAttached is "yes" (string)',
      'Pass true or false',
    ],
    [
      'existingFileSystem',
      (s: Stack) => ({ ...adopted(s), fileSystemId: 'my-files' }),
      VOLUME,
      'fileSystemId is "my-files"',
      'fs-0123456789abcdef0',
    ],
    ['cpuArchitecture', 'arm64', WEB, 'cpuArchitecture is "arm64"', 'ecs.CpuArchitecture.ARM64'],
    [
      'cpuArchitecture',
      ecs.CpuArchitecture.of('RISCV'),
      WEB,
      'cpuArchitecture is "RISCV"',
      'ecs.CpuArchitecture.ARM64',
    ],
    ['logRetention', 31, WEB, 'logRetention is 31', 'logs.RetentionDays'],
    ['logRetention', token, WEB, 'logRetention is a token', 'logs.RetentionDays'],
    ['uid', 'root', WEB, 'uid is "root" (string)', 'whole number from 1 to 4294967295'],
    ['uid', 0, WEB, 'uid is 0 (number)', 'whole number from 1 to 4294967295'],
    ['uid', token, WEB, 'uid is a token', 'plain whole number'],
    ['gid', '1000', WEB, 'gid is "1000" (string)', 'whole number from 1 to 4294967295'],
    ['gid', -1, WEB, 'gid is -1 (number)', 'whole number from 1 to 4294967295'],
    ['gid', token, WEB, 'gid is a token', 'plain whole number'],
    ['alarms', true, ALARMS, 'alarms is true', 'Pass {} for all defaults'],
    ['alarms.storedGib', { Low: 1 }, ALARMS, 'storedGib is no kind of alarm', 'Did you mean storedGiB?'],
    [
      'alarms.storedGiB',
      20,
      ALARMS,
      'alarms.storedGiB is 20',
      'Pass names and thresholds (GiB), for example {"Large":20}',
    ],
    ['alarms.storedGiB', { Large: '20' }, ALARMS, 'storedGiB.Large is "20"', 'number from 0 to 1000000000 (GiB)'],
    ['alarms.storedGiB', (s: Stack) => ({ Large: token(s) }), ALARMS, 'Large is a token', 'Pass a number'],
    ['alarms.storedGiB', { 'too much': 20 }, ALARMS, 'has the name "too much"', 'letters and digits'],
    ['alarms.cpuPercent', { High: 120 }, ALARMS, 'cpuPercent.High is 120', 'from 0 to 100 (percent)'],
    ['alarms.overlapMinutes', { Two: 1 }, ALARMS, 'overlapMinutes.Two is 1', 'whole number from 2 to 60'],
    ['alarms.backupAgeHours', { Old: 1.5 }, ALARMS, 'backupAgeHours.Old is 1.5', 'whole number from 1 to 168'],
    ['alarms.topic', 'arn:aws:sns:x', ALARMS, 'alarms.topic is "arn:aws:sns:x"', 'sns.Topic.fromTopicArn'],
    ['alarms.eventTarget', 'queue', ALARMS, 'alarms.eventTarget is "queue"', 'aws-events-targets'],
    ['alarms.actions', [{}], ALARMS, 'alarms.actions is not a list of actions', 'aws-cloudwatch-actions'],
    ['alarms.dashboard', 'no', ALARMS, 'alarms.dashboard is "no" (string)', 'Pass true or false'],
    ['costCenter', 'a <b>', 'Test/Data', 'costCenter is "a <b>"', 'letters, digits'],
    ['costCenter', '', 'Test/Data', 'costCenter is ""', 'letters, digits'],
    ['costCenter', 42, 'Test/Data', 'costCenter is 42', 'letters, digits'],
    ['dataClassification', 'x'.repeat(257), 'Test/Data', 'dataClassification is "xxx', 'letters, digits'],
    ['openWebUi', true, 'Test/Data', 'openWebUi is true', 'Pass an object of props'],
    ['evidence', [], 'Test/Data', 'evidence is a list', 'Pass an object of props'],
    ['evidence.image', IMAGE, 'Test/Data/Evidence', 'come together', 'Pass both or neither'],
    ['evidence.focusExport', { prefix: 'a/b' }, 'Test/Data/Evidence', 'bucket is null', 's3.Bucket.fromBucketName'],
    [
      'evidence.focusExport',
      { bucket: 'exports', prefix: 'a/b' },
      'Test/Data/Evidence',
      'bucket is "exports"',
      's3.Bucket.fromBucketName',
    ],
    [
      'evidence.focusExport',
      (s: Stack) => ({ bucket: bucket(s), prefix: 'focus/*' }),
      'Test/Data/Evidence',
      'prefix is "focus/*"',
      'without * ? $',
    ],
    [
      'evidence.focusExport',
      (s: Stack) => ({ bucket: bucket(s) }),
      'Test/Data/Evidence',
      'prefix is undefined',
      'for example focus/cost-2026',
    ],
    ['knowledge.image', IMAGE, 'Test/Data/Knowledge', 'knowledge.image has no command', 'Pass both or neither'],
    ['knowledge.command', ['x'], 'Test/Data/Knowledge', 'without knowledge.image', 'Pass both or neither'],
  ];
  // What the three workloads have in common, for each.
  for (const [name, path] of [
    ['openWebUi', WEB],
    ['knowledge', 'Test/Data/Knowledge'],
    ['evidence', 'Test/Data/Evidence'],
  ]) {
    cases.push(
      [`${name}.image`, 'example/app:1.0', 'Test/Data', `${name}.image is "example/app:1.0"`, 'fromRegistry'],
      [`${name}.environment`, { A: 1 }, 'Test/Data', `${name}.environment.A is 1 (number)`, 'Pass a string'],
      [`${name}.environment`, 'A=1', 'Test/Data', `${name}.environment is "A=1"`, 'Pass names and strings'],
      [`${name}.cpu`, 300, path, 'cpu is 300', '256, 512'],
      [`${name}.cpu`, '256', path, 'cpu is "256" (string)', 'whole number'],
      [`${name}.cpu`, token, path, 'cpu is a token', 'plain whole number'],
      [`${name}.memoryLimitMiB`, 1000, path, 'memoryLimitMiB is 1000', 'Fargate takes'],
      [`${name}.memoryLimitMiB`, '2048', path, 'memoryLimitMiB is "2048" (string)', 'whole number'],
      [`${name}.memoryLimitMiB`, token, path, 'memoryLimitMiB is a token', 'plain whole number'],
      [`${name}.mountPath`, 'mnt/data', path, 'not an absolute path', '/mnt/'],
      [`${name}.mountPath`, '/app/backend/data', path, 'hides /app/backend/data', '/mnt/open-webui'],
      [`${name}.mountPath`, '/app', path, 'hides /app/backend/data', '/mnt/open-webui'],
      [`${name}.mountPath`, '/usr/share/x', path, "image's own /usr", 'Mount below /mnt'],
      [`${name}.mountPath`, 7, path, 'not an absolute path', '/mnt/'],
      [`${name}.mountPath`, text, path, 'mountPath is a token', 'Pass a plain path'],
    );
  }
  for (const name of ['knowledge', 'evidence']) {
    cases.push([`${name}.command`, 'run it', 'Test/Data', `${name}.command is not a list`, "['python', 'crew.py']"]);
    cases.push([`${name}.command`, [], 'Test/Data', `${name}.command is not a list`, "['python', 'crew.py']"]);
  }
  for (const name of ['openWebUi', 'knowledge']) {
    cases.push([`${name}.secrets`, { KEY: 'sk-1' }, 'Test/Data', `${name}.secrets.KEY is`, 'fromSecretsManager']);
    cases.push([
      `${name}.environment`,
      { MY_API_KEY: 'x' },
      `Test/Data/${name === 'openWebUi' ? 'OpenWebUi' : 'Knowledge'}`,
      'sets MY_API_KEY',
      `${name}.secrets`,
    ]);
  }

  test.each(cases)('%s = %p', (prop, value, path, problem, wayOut) => {
    const stack = newStack();
    const given = typeof value === 'function' ? value(stack) : value;
    refuse(() => new EfsDataLayer(stack, 'Data', nest(prop, given)), path, problem, wayOut);
  });

  test.each([
    ['vpc', (stack: Stack) => importedVpc(stack)],
    ['kmsKey', () => ({ keyArn: 'arn', grantDecrypt: () => undefined })],
    ['lifecyclePolicy', () => efs.LifecyclePolicy.AFTER_7_DAYS],
    ['removalPolicy', () => 'retain'],
  ])('%s contradicts existingFileSystem', (prop, value) => {
    const stack = newStack();
    const existing = adopted(new Stack(stack, 'Elsewhere'));
    refuse(
      () => new EfsDataLayer(stack, 'Data', { existingFileSystem: existing, [prop]: value(stack) }),
      VOLUME,
      `${prop} cannot be set together with existingFileSystem`,
      'Leave them out',
    );
  });

  test.each<[string, unknown, string, string]>([
    ['directory', 'reports', 'not an absolute path', '/reports'],
    ['directory', undefined, 'not an absolute path', '/reports'],
    ['directory', '/evidence/mine', 'overlaps /evidence', 'a directory of its own'],
    ['writers', 2, 'writers is 2', 'Writers.ONE or Writers.MANY'],
    ['uid', 'root', 'uid is "root"', 'whole number'],
    ['mountPath', '/app/backend/data', 'hides /app/backend/data', '/mnt/open-webui'],
  ])('addWorkload: %s = %p', (prop, value, problem, wayOut) => {
    const data = new EfsDataLayer(newStack(), 'Data');
    const options = { directory: '/mine', writers: Writers.MANY, [prop]: value } as { directory: string };
    refuse(() => data.addWorkload('Mine', options), 'Test/Data/Mine', problem, wayOut);
  });
});

describe('a service', () => {
  test.each<[string, unknown, string]>([
    ['desiredCount', 2, 'DesiredCount is 2'],
    ['desiredCount', -1, 'DesiredCount is -1'],
    ['desiredCount', '1', 'DesiredCount is "1"'],
    ['desiredCount', token, 'DesiredCount is a token, known only at deployment'],
    ['minHealthyPercent', 50, 'DeploymentConfiguration.MinimumHealthyPercent is 50'],
    ['minHealthyPercent', token, 'DeploymentConfiguration.MinimumHealthyPercent is a token'],
    ['maxHealthyPercent', 200, 'DeploymentConfiguration.MaximumPercent is 200'],
    ['maxHealthyPercent', token, 'DeploymentConfiguration.MaximumPercent is a token'],
    ['availabilityZoneRebalancing', 'ENABLED', 'AvailabilityZoneRebalancing is "ENABLED"'],
    ['circuitBreaker', { rollback: true }, 'DeploymentConfiguration.DeploymentCircuitBreaker.Rollback is true'],
  ])('%s = %p', (prop, value, problem) => {
    const stack = newStack();
    const data = new EfsDataLayer(stack, 'Data');
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
    const given = typeof value === 'function' ? value(stack) : value;
    refuse(
      () => data.openWebUi.runOn(cluster, { [prop]: given } as StopFirstServiceOptions),
      'Test/Cluster/DataOpenWebUi',
      problem,
      'Leave the setting out',
    );
  });

  test.each(['openWebUi', 'knowledge', 'evidence'] as const)('%s in a cluster of another VPC', (name) => {
    const stack = newStack();
    const data = new EfsDataLayer(stack, 'Data');
    const elsewhere = new ecs.Cluster(stack, 'Elsewhere', { vpc: new ec2.Vpc(stack, 'Other', { natGateways: 0 }) });
    const run = () => (name === 'evidence' ? data.evidence.scheduleOn(elsewhere) : data[name].runOn(elsewhere));
    refuse(run, data[name].node.path, 'is in the VPC Test/Other', '{ vpc: data.vpc }');
  });

  test('an imported service without a security group', () => {
    const stack = newStack();
    const data = new EfsDataLayer(stack, 'Data');
    const noGroup = { connections: new ec2.Connections() };
    refuse(
      () => data.evidence.allowFrom(noGroup),
      data.volume.securityGroup.node.path,
      'no security group',
      'securityGroups',
    );
  });
});

describe('DataLayerStack', () => {
  test.each<[string, unknown, string, string]>([
    ['services', 'false', 'services is "false" (string)', 'Pass true or false'],
    ['dataLayer', 'none', 'dataLayer is "none"', 'Pass an object'],
    ['alarmTopicArn', 'alerts', 'alarmTopicArn is "alerts"', 'Pass the ARN of a topic'],
    [
      'alarmTopicArn',
      'arn:aws:sns:us-east-1:123456789012:alerts',
      'alarmTopicArn is set without dataLayer.alarms',
      'dataLayer: { alarms: {} }',
    ],
    ['focusExport', 's3://exports/focus', 'focusExport is "s3://', 'Pass { bucketName'],
    ['focusExport', { bucketName: 's3://exports', prefix: 'a/b' }, 'bucketName is "s3://exports"', 'without s3://'],
    ['focusExport', { bucketName: 7, prefix: 'a/b' }, 'bucketName is 7', 'without s3://'],
  ])('%s = %p', (prop, value, problem, wayOut) => {
    refuse(
      () => new DataLayerStack(new App(), 'Test', { [prop]: value } as DataLayerStackProps),
      'Test',
      problem,
      wayOut,
    );
  });

  test('a prefix that would widen the permission', () => {
    const make = () => new DataLayerStack(new App(), 'Test', { focusExport: { bucketName: 'exports', prefix: '*' } });
    refuse(make, 'Test/DataLayer/Evidence', 'prefix is "*"', 'without * ? $');
  });

  test('two sources of evidence', () => {
    const app = new App();
    const other = new Stack(app, 'Buckets');
    const make = () =>
      new DataLayerStack(app, 'Test', {
        focusExport: { bucketName: 'exports', prefix: 'a/b' },
        dataLayer: { evidence: { focusExport: { bucket: bucket(other), prefix: 'a/b' } } },
      });
    refuse(make, 'Test', 'are both set', 'Pass one');
  });

  test('services in a VPC without a way out', () => {
    const app = new App();
    const network = new Stack(app, 'Network');
    const make = () => new DataLayerStack(app, 'Test', { services: true, dataLayer: { vpc: importedVpc(network) } });
    refuse(make, 'Test/Cluster/DataLayerKnowledge', 'no subnet with a way out', 'interface endpoints');
  });
});
