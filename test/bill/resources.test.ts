import { FREE, PRICERS } from '../../lib/bill';
import { bill, Bodies, quantities } from './helpers';

const one = (Type: string, Properties: object = {}): Bodies => ({ One: { Type, Properties } });
const close = (expected: Record<string, number>) =>
  Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, expect.closeTo(value, 6)]));
const NO_SNAPSHOTS = { 'efs.snapshotsKept': 0 };

describe('EFS', () => {
  const fs = (properties: object) => one('AWS::EFS::FileSystem', properties);
  test('an unset throughput mode is bursting: reading and writing cost nothing', () => {
    expect(quantities(fs({}), NO_SNAPSHOTS)).toEqual({ 'Storage (Standard)': 20 });
  });
  test('elastic throughput bills what is read and written, and its own rate of Infrequent Access', () => {
    const resources = fs({ ThroughputMode: 'elastic', LifecyclePolicies: [{ TransitionToIA: 'AFTER_7_DAYS' }] });
    const usage = { ...NO_SNAPSHOTS, 'efs.readGiB': 1024, 'efs.writtenGiB': 1, 'efs.infrequentAccessGiB': 80 };
    const { resources: billed } = bill(resources, usage);
    const usd = Object.fromEntries(billed[0].lines.map(({ name, monthlyUsd }) => [name, monthlyUsd]));
    expect(usd['Elastic throughput, read']).toBeCloseTo(30.72, 10);
    expect(usd['Elastic throughput, written']).toBeCloseTo(0.06, 10);
    expect(usd['Storage (Infrequent Access)']).toBeCloseTo(1.28, 10);
  });
  test('provisioned throughput: only what storage does not include', () => {
    const resources = fs({ ThroughputMode: 'provisioned', ProvisionedThroughputInMibps: 5 });
    expect(quantities(resources, NO_SNAPSHOTS)).toMatchObject({
      'Provisioned throughput beyond what storage includes': 4,
    });
  });
  test('One Zone and Archive', () => {
    const oneZone = fs({ AvailabilityZoneName: 'us-east-1a' });
    expect(bill(oneZone, NO_SNAPSHOTS).totals.all.totalUsd).toBeCloseTo(3.2, 10);
    const archive = fs({ ThroughputMode: 'elastic', LifecyclePolicies: [{ TransitionToArchive: 'AFTER_90_DAYS' }] });
    expect(quantities(archive, { 'efs.archiveGiB': 7 })).toMatchObject({ 'Storage (Archive)': 7 });
  });
  test('the automatic backup policy keeps 35 days of changes', () => {
    const resources = fs({ BackupPolicy: { Status: 'ENABLED' } });
    expect(quantities(resources, { ...NO_SNAPSHOTS, 'backup.changedGiBPerDay': 1 })).toMatchObject({
      'Automatic backup, kept 35 days': 55,
    });
  });
  test('a replica is billed where it is, and its transfer has no rate', () => {
    const resources = fs({ ReplicationConfiguration: { Destinations: [{ Region: 'eu-west-1' }] } });
    const { resources: billed, notPriced } = bill(resources, NO_SNAPSHOTS);
    expect(billed[0].lines.find(({ name }) => name.startsWith('Replica, storage'))).toMatchObject({
      priceRegion: 'eu-west-1',
      monthlyUsd: expect.closeTo(6.6, 10),
    });
    expect(notPriced.map(({ reason }) => reason)).toEqual([expect.stringContaining('Replica, transfer: no rate')]);
  });
  test('live data by access point adds up', () => {
    const resources = {
      ...fs({}),
      Chat: { Type: 'AWS::EFS::AccessPoint', Properties: { FileSystemId: { Ref: 'One' } } },
      Crew: { Type: 'AWS::EFS::AccessPoint', Properties: { FileSystemId: { Ref: 'One' } } },
    };
    const own = { 'Test/Chat': { 'efs.storedGiB': 4 }, 'Test/Crew': { 'efs.storedGiB': 3 } };
    expect(quantities(resources, { ...NO_SNAPSHOTS, resources: own })).toEqual({ 'Storage (Standard)': 7 });
  });
});

describe('AWS Backup', () => {
  const plan = (lifecycle: object | undefined, selection: object): Bodies => ({
    Fs: { Type: 'AWS::EFS::FileSystem' },
    Plan: {
      Type: 'AWS::Backup::BackupPlan',
      Properties: { BackupPlan: { BackupPlanRule: [{ RuleName: 'R', Lifecycle: lifecycle }] } },
    },
    Selection: {
      Type: 'AWS::Backup::BackupSelection',
      Properties: { BackupPlanId: { 'Fn::GetAtt': ['Plan', 'BackupPlanId'] }, BackupSelection: selection },
    },
  });
  const USAGE = { ...NO_SNAPSHOTS, 'efs.storedGiB': 10, 'backup.changedGiBPerDay': 2 };
  test('stored once, and what changed on each day', () => {
    expect(quantities(plan({ DeleteAfterDays: 7 }, { Resources: [{ Ref: 'Fs' }] }), USAGE)).toMatchObject({
      'Backup (R), kept 7 days': 24,
    });
  });
  test('a selection by tag or pattern covers every file system', () => {
    for (const selection of [{ Resources: ['arn:aws:elasticfilesystem:*:*:file-system/*'] }, { ListOfTags: [{}] }]) {
      expect(quantities(plan({ DeleteAfterDays: 1 }, selection), USAGE)).toMatchObject({
        'Backup (R), kept 1 days': 12,
      });
    }
  });
  test('kept for ever, or of another service: not priced', () => {
    const reasons = (bodies: Bodies) => bill(bodies, USAGE).notPriced.map(({ reason }) => reason);
    expect(reasons(plan(undefined, { Resources: [{ Ref: 'Fs' }] }))).toEqual([
      expect.stringContaining('never deleted'),
    ]);
    const bucket = { ...plan({ DeleteAfterDays: 1 }, { Resources: [{ Ref: 'B' }] }), B: { Type: 'AWS::S3::Bucket' } };
    expect(reasons(bucket)).toEqual([expect.stringContaining('the backup of Test/B (AWS::S3::Bucket) has no rate')]);
  });
});

describe('Fargate', () => {
  const service = (properties: object, task: object = {}, more: Bodies = {}): Bodies => ({
    Td: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu: '1024', Memory: '2048', ...task } },
    Svc: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition: { Ref: 'Td' }, ...properties } },
    ...more,
  });
  const spot = [{ CapacityProvider: 'FARGATE_SPOT', Weight: 1 }];
  test('x86_64 is what an unset architecture means; ephemeral storage beyond 20 GB is billed', () => {
    const resources = service({ LaunchType: 'FARGATE' }, { EphemeralStorage: { SizeInGiB: 30 } });
    expect(quantities(resources)).toEqual({
      'vCPU (x86_64), 1 each': 730,
      'Memory (x86_64), 2 GB each': 1460,
      'Ephemeral storage beyond 20 GB': 7300,
    });
  });
  test('Spot is a part of the on-demand price, which is the upper estimate', () => {
    const { totals } = bill(service({ CapacityProviderStrategy: spot }));
    const onDemand = 730 * (0.04048 + 2 * 0.004445);
    expect(totals.compute.totalUsd).toBeCloseTo(0.3 * onDemand, 8);
    expect(totals.compute.upperUsd).toBeCloseTo(onDemand, 8);
  });
  test('the default strategy of the cluster holds; base and weight share the tasks out', () => {
    const cluster = {
      C: {
        Type: 'AWS::ECS::Cluster',
        Properties: {
          DefaultCapacityProviderStrategy: [
            { CapacityProvider: 'FARGATE', Base: 1, Weight: 1 },
            { CapacityProvider: 'FARGATE_SPOT', Weight: 3 },
          ],
        },
      },
    };
    expect(quantities(service({ Cluster: { Ref: 'C' }, DesiredCount: 5 }, {}, cluster))).toMatchObject({
      'vCPU (x86_64), 1 each': 730 * 2,
      'vCPU (x86_64, Spot), 1 each': 730 * 3,
    });
  });
  test('on EC2, or with a task definition from elsewhere: not priced; with no task: free', () => {
    expect(bill(service({ LaunchType: 'EC2' })).notPriced).toHaveLength(1);
    expect(bill(one('AWS::ECS::Service', { TaskDefinition: 'arn:of:another' })).notPriced).toHaveLength(1);
    expect(bill(service({ LaunchType: 'FARGATE', DesiredCount: 0 })).free).toMatchObject({ 'AWS::ECS::Service': 1 });
  });
  test('a scheduled task runs as often as its schedule says', () => {
    const schedule = (ScheduleExpression: unknown): Bodies => ({
      Td: service({}).Td,
      S: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: { ScheduleExpression, Target: { EcsParameters: { TaskDefinitionArn: { Ref: 'Td' } } } },
      },
    });
    const runs = (expression: string) =>
      quantities(schedule(expression), { 'schedule.taskMinutes': 60 })['vCPU (x86_64), 1 each'];
    expect(runs('rate(1 hour)')).toBeCloseTo(730);
    expect(runs('cron(0 6 * * ? *)')).toBeCloseTo(730 / 24);
    expect(runs('cron(0/15 8-17 ? * MON-FRI *)')).toBeCloseTo((4 * 10 * (730 / 24) * 5) / 7);
    expect(runs('cron(0 6 1 * ? *)')).toBeCloseTo(1);
    expect(() => bill(schedule('every day'))).toThrow(/\[Test\/S, ScheduleExpression\] It is "every day"/);
    expect(() => bill(schedule('cron(0 6 * *)'))).toThrow(/no number of runs/);
  });
});

describe('free allowances are those of the account: the tenth alarm is free, the eleventh is not', () => {
  test.each([
    [10, 0],
    [11, 0.1],
    [13, 0.3],
  ])('%d alarms: $%d', (count, usd) => {
    const alarms = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`A${i}`, { Type: 'AWS::CloudWatch::Alarm' }]),
    );
    expect(bill(alarms).totals.all.totalUsd).toBeCloseTo(usd, 10);
  });
});

test.each<[string, Bodies, object, Record<string, number>]>([
  [
    'an interface endpoint by zone',
    one('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b'] }),
    { 'endpoint.processedGB': 0 },
    { 'Interface endpoint in 2 zone(s)': 1460 },
  ],
  [
    'an alarm on an expression, by metric',
    one('AWS::CloudWatch::Alarm', { Metrics: [{ MetricStat: {} }, { MetricStat: {} }, { Expression: 'a+b' }] }),
    {},
    { 'Alarm, per metric': 2 },
  ],
  [
    'log lines that are metrics',
    one('AWS::Logs::LogGroup', { RetentionInDays: 365 }),
    { 'logs.ingestedGB': 1, 'logs.compressionPercent': 15, 'cloudwatch.embeddedMetrics': 4 },
    { 'Logs ingested': 1, 'Logs stored, 365 days': 1.8, 'Metrics written as log lines': 4 },
  ],
  [
    'a rotated key',
    one('AWS::KMS::Key', { EnableKeyRotation: true }),
    { 'kms.rotations': 2, 'kms.requests': 0 },
    { 'Customer managed key': 1, 'Key versions from rotation': 2 },
  ],
  [
    'a replicated secret',
    one('AWS::SecretsManager::Secret', { ReplicaRegions: [{ Region: 'eu-west-1' }] }),
    { 'secrets.apiCalls': 0 },
    { Secret: 2 },
  ],
  ['an advanced parameter', one('AWS::SSM::Parameter', { Tier: 'Advanced' }), {}, { 'Advanced parameter': 1 }],
  [
    'nodes of a replication group',
    one('AWS::ElastiCache::ReplicationGroup', {
      Engine: 'valkey',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheClusters: 2,
    }),
    {},
    { '2 node(s) (cache.t4g.micro, valkey)': 1460 },
  ],
  [
    'a minimum of a serverless cache, billed as if used',
    one('AWS::ElastiCache::ServerlessCache', {
      Engine: 'valkey',
      CacheUsageLimits: { DataStorage: { Minimum: 1, Unit: 'GB' }, ECPUPerSecond: { Minimum: 1000 } },
    }),
    {},
    { 'Data stored': 730, 'Processing units': 2628 },
  ],
  [
    'NextGen search, asleep',
    one('AWS::OpenSearchServerless::CollectionGroup', { Generation: 'NEXTGEN' }),
    { 'opensearch.awakeHours': 0 },
    {},
  ],
  [
    'a private search: its endpoint is billed by the hour and zone',
    one('AWS::OpenSearchServerless::VpcEndpoint', { Name: 'a', VpcId: 'vpc-1', SubnetIds: ['a', 'b'] }),
    { 'endpoint.processedGB': 3 },
    { 'Interface endpoint in 2 zone(s)': 1460, 'Data processed': 3 },
  ],
  [
    'a function',
    one('AWS::Lambda::Function', { MemorySize: 1024, Architectures: ['arm64'] }),
    { 'lambda.requests': 1e6, 'lambda.milliseconds': 500 },
    { Requests: 1, 'Duration (ARM64)': 500_000 },
  ],
  [
    'a state machine',
    one('AWS::StepFunctions::StateMachine'),
    { 'stepfunctions.transitions': 5000 },
    { 'State transitions': 5 },
  ],
  [
    'a Multi-AZ database',
    one('AWS::RDS::DBInstance', {
      Engine: 'postgres',
      DBInstanceClass: 'db.t4g.small',
      MultiAZ: true,
      StorageType: 'gp3',
      AllocatedStorage: 20,
    }),
    {},
    { 'Instance (db.t4g.small, postgres, Multi-AZ)': 730, 'Storage (gp3, Multi-AZ)': 40 },
  ],
])('%s', (_name, resources, usage, expected) => {
  expect(quantities(resources, usage)).toEqual(close(expected));
});

test('four thousand steps of a state machine are free; an express one has no price', () => {
  const steps = (properties: object) =>
    bill(one('AWS::StepFunctions::StateMachine', properties), { 'stepfunctions.transitions': 5000 });
  expect(steps({}).totals.all.totalUsd).toBeCloseTo(0.025, 10);
  expect(JSON.stringify(steps({ StateMachineType: 'EXPRESS' }))).toContain('billed by its duration');
});

test('collections without a standby start at half an OCU each, and share them', () => {
  const collection = (name: string) => ({
    Type: 'AWS::OpenSearchServerless::Collection',
    Properties: { Name: name, StandbyReplicas: 'DISABLED' },
  });
  const { totals } = bill({ A: collection('a'), B: collection('b') }, { 'opensearch.storedGB': 0 });
  expect(totals.all.totalUsd).toBeCloseTo(175.2, 8);
});

test('Aurora that may pause: awake while something is connected, and the note says when it is not', () => {
  const cluster: Bodies = {
    C: {
      Type: 'AWS::RDS::DBCluster',
      Properties: { Engine: 'aurora-postgresql', ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 1 } },
    },
    W: {
      Type: 'AWS::RDS::DBInstance',
      Properties: { DBInstanceClass: 'db.serverless', DBClusterIdentifier: { Ref: 'C' } },
    },
  };
  const line = (usage: object) => bill(cluster, usage).resources[1].lines[0];
  expect(line({})).toMatchObject({
    monthlyUsd: expect.closeTo(43.8, 8),
    note: expect.stringContaining('paused it costs $0.00'),
  });
  expect(line({ 'aurora.awakeHours': 0 }).monthlyUsd).toBe(0);
});

test.each<[string, Bodies, string]>([
  ['an unknown type', one('AWS::Redshift::Cluster'), 'the type is not known'],
  [
    'an instance class without a rate',
    one('AWS::RDS::DBInstance', {
      Engine: 'postgres',
      DBInstanceClass: 'db.m5.large',
      AllocatedStorage: 20,
      StorageType: 'gp3',
    }),
    'no rate rds/postgresql-db-m5-large for us-east-1',
  ],
  [
    'a network load balancer',
    one('AWS::ElasticLoadBalancingV2::LoadBalancer', { Type: 'network' }),
    'type network has no rate',
  ],
])('%s is not priced', (_name, resources, reason) => {
  expect(bill(resources).notPriced.map((one) => one.reason)).toEqual([expect.stringContaining(reason)]);
});

test('no type is both free and priced', () => {
  expect(Object.keys(PRICERS).filter((type) => FREE.has(type))).toEqual([]);
});

test('a rate that a region lacks is that of us-east-1, marked', () => {
  const lines = bill(one('AWS::ECR::Repository'), {}, { region: 'eu-west-1' }).resources[0].lines;
  expect(lines).toMatchObject([{ priceRegion: 'us-east-1', confidence: 'unverified' }]);
});

test('the assumptions that move a total by more than 1 % are named, and only those', () => {
  const { assumptions } = bill(one('AWS::EFS::FileSystem'), { 'efs.storedGiB': 100, 'efs.snapshotPercent': 0.1 });
  expect(assumptions.map(({ key, isDefault }) => [key, isDefault])).toEqual([['efs.storedGiB', false]]);
});
