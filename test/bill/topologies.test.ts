import { bill, Bodies } from './helpers';

/**
 * Five topologies by hand. Every number below is arithmetic on unit prices of AWS's pricing pages and price lists
 * (dates beside them), not on the price book, so that a wrong rate, quantity or rule shows.
 */

const volume = (properties: object = {}): Bodies => ({
  Fs: {
    Type: 'AWS::EFS::FileSystem',
    Properties: { ThroughputMode: 'bursting', LifecyclePolicies: [{ TransitionToIA: 'AFTER_30_DAYS' }], ...properties },
  },
});
const backedUp: Bodies = {
  Vault: { Type: 'AWS::Backup::BackupVault' },
  Plan: {
    Type: 'AWS::Backup::BackupPlan',
    Properties: { BackupPlan: { BackupPlanRule: [{ RuleName: 'Daily', Lifecycle: { DeleteAfterDays: 7 } }] } },
  },
  Selection: {
    Type: 'AWS::Backup::BackupSelection',
    Properties: {
      BackupPlanId: { Ref: 'Plan' },
      BackupSelection: { Resources: [{ 'Fn::Sub': 'arn:aws:elasticfilesystem:x:y:file-system/${Fs}' }] },
    },
  },
};
const PLAIN = { 'efs.storedGiB': 20, 'efs.snapshotsKept': 0 };

describe('1. the volume alone: 20 GiB of EFS Standard', () => {
  // EFS Standard per GB-month: $0.30, $0.36, $0.33 (EFS price list 20250925214139, in force 2026-05-14).
  test.each([
    ['us-east-1', 20 * 0.3], // $6.00: the decision record's figure
    ['ap-southeast-2', 20 * 0.36], // $7.20
    ['eu-west-1', 20 * 0.33], // $6.60
  ])('%s: $%d', (region, byHand) => {
    const { totals } = bill(volume(), PLAIN, { region });
    expect(totals.dataLayer.totalUsd).toBeCloseTo(byHand, 10);
    expect(totals.compute.totalUsd).toBe(0);
  });
  test('$6.00 exactly, to the cent and below', () => {
    expect(bill(volume(), PLAIN).totals.dataLayer.totalUsd.toFixed(6)).toBe('6.000000');
  });
});

test('2. with snapshots on it, AWS Backup for a week and a customer managed key, us-east-1', () => {
  // Stored: 10 GiB live + 3 snapshots of 10 % of it = 13 GiB. Backup holds them once and 7 days of 0.5 GiB of changes.
  // EFS $0.30; AWS Backup of EFS, warm $0.05 (cloudburn.io 2026-02-07); KMS key $1, 20,000 requests free (2026-05-14).
  const byHand = 13 * 0.3 + (13 + 0.5 * 7) * 0.05 + 1;
  const { totals } = bill(
    { ...volume(), ...backedUp, Key: { Type: 'AWS::KMS::Key' } },
    { 'efs.storedGiB': 10, 'efs.snapshotsKept': 3, 'efs.snapshotPercent': 10, 'backup.changedGiBPerDay': 0.5 },
  );
  expect(totals.dataLayer.totalUsd).toBeCloseTo(byHand, 10);
  expect(byHand).toBeCloseTo(5.725, 10);
});

test('3. two ARM64 tasks with public addresses behind a load balancer, Sydney', () => {
  // Fargate ARM64 Sydney: vCPU $0.03885/h, GB $0.00426/h (ecs.json 2025-10-27); IPv4 $0.005/h (vpc.json 2025-11-04).
  // Load balancer $0.0252/h (from memory: the book marks it), LCU of us-east-1 $0.008/h, as Sydney's is not known.
  const task = 730 * (0.5 * 0.03885 + 1 * 0.00426 + 0.005);
  const balancer = 730 * (0.0252 + 2 * 0.008 + 2 * 0.005);
  const { totals } = bill(
    {
      Task: {
        Type: 'AWS::ECS::TaskDefinition',
        Properties: { Cpu: '512', Memory: '1024', RuntimePlatform: { CpuArchitecture: 'ARM64' } },
      },
      Service: {
        Type: 'AWS::ECS::Service',
        Properties: {
          DesiredCount: 2,
          LaunchType: 'FARGATE',
          TaskDefinition: { Ref: 'Task' },
          NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
        },
      },
      Balancer: {
        Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
        Properties: { Type: 'application', Scheme: 'internet-facing', Subnets: ['subnet-a', 'subnet-b'] },
      },
    },
    { 'alb.lcu': 2 },
    { region: 'ap-southeast-2' },
  );
  expect(totals.compute.totalUsd).toBeCloseTo(2 * task + balancer, 10);
  expect(totals.dataLayer.totalUsd).toBe(0);
});

test('4. the relational upgrade in Ireland: RDS PostgreSQL micro with 20 GB gp3, a secret, a NAT gateway', () => {
  // db.t4g.micro $0.017/h and gp3 $0.127/GB (Cost Explorer, Ireland, 2026); secret $0.40, 10,000 calls $0.05 (2026-09-11);
  // NAT $0.048/h and $0.048/GB (natgateway.json 2025-10-28); its address $0.005/h is compute.
  const byHand = 730 * 0.017 + 20 * 0.127 + 0.4 + (5000 / 10_000) * 0.05 + 730 * 0.048 + 100 * 0.048;
  const { totals } = bill(
    {
      Db: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          Engine: 'postgres',
          DBInstanceClass: 'db.t4g.micro',
          AllocatedStorage: '20',
          StorageType: 'gp3',
        },
      },
      Secret: { Type: 'AWS::SecretsManager::Secret' },
      Nat: { Type: 'AWS::EC2::NatGateway' },
      Eip: { Type: 'AWS::EC2::EIP' },
    },
    { 'secrets.apiCalls': 5000, 'nat.processedGB': 100 },
    { region: 'eu-west-1' },
  );
  expect(totals.dataLayer.totalUsd).toBeCloseTo(byHand, 10);
  expect(totals.compute.totalUsd).toBeCloseTo(730 * 0.005, 10);
});

test('5. the analytics and search upgrades in us-east-1: S3 Tables, Athena, OpenSearch classic, Valkey, Aurora awake', () => {
  // S3 Tables $0.0265/GB, monitoring $0.025/1k objects, PUT $0.005 and GET $0.0004 per 1k, compaction $0.005/GB and
  // $0.002/1k objects (price list to 2026-07-31); Athena $5/TB (2025-06-27).
  const tables = 190 * 0.0265 + 2 * 0.025 + 1 * 0.005 + 10 * 0.0004 + 1 * 0.005 + 1 * 0.002;
  const athena = 1 * 5;
  // Two OCUs at $0.24, never less, and $0.024/GB (price list 2026-09-29).
  const search = 730 * 2 * 0.24 + 10 * 0.024;
  // 100 MB at $0.084/GB-h and $0.0023 per million ECPU (cloudburn 2026-04, usage.ai 2026-06).
  const cache = 730 * 0.1 * 0.084 + 1 * 0.0023;
  // 0.5 ACU at $0.12/h all month, 20 GB at $0.10, a million I/O at $0.20.
  const aurora = 730 * 0.5 * 0.12 + 20 * 0.1 + 0.2;
  const { totals, notPriced } = bill(
    {
      Tables: { Type: 'AWS::S3Tables::TableBucket' },
      WorkGroup: { Type: 'AWS::Athena::WorkGroup' },
      Collection: { Type: 'AWS::OpenSearchServerless::Collection' },
      Cache: { Type: 'AWS::ElastiCache::ServerlessCache', Properties: { Engine: 'valkey' } },
      Cluster: {
        Type: 'AWS::RDS::DBCluster',
        Properties: {
          Engine: 'aurora-postgresql',
          ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 1 },
        },
      },
      Writer: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          Engine: 'aurora-postgresql',
          DBInstanceClass: 'db.serverless',
          DBClusterIdentifier: { Ref: 'Cluster' },
        },
      },
    },
    { 's3tables.storedGB': 190, 's3tables.objects': 2000, 'athena.scannedTB': 1, 'opensearch.storedGB': 10 },
  );
  expect(notPriced).toEqual([]);
  expect(totals.dataLayer.totalUsd).toBeCloseTo(tables + athena + search + cache + aurora, 8);
});

test('86 % cheaper than Aurora at 0.5 ACU: $6.00 against $43.80', () => {
  const aurora = bill({
    Cluster: {
      Type: 'AWS::RDS::DBCluster',
      Properties: {
        Engine: 'aurora-postgresql',
        ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 1 },
      },
    },
    Writer: {
      Type: 'AWS::RDS::DBInstance',
      Properties: { DBInstanceClass: 'db.serverless', DBClusterIdentifier: { Ref: 'Cluster' } },
    },
  });
  const capacity = aurora.resources.find(({ logicalId }) => logicalId === 'Writer')!.monthlyUsd;
  const efs = bill(volume(), PLAIN).totals.dataLayer.totalUsd;
  expect(capacity).toBeCloseTo(43.8, 10);
  expect(Math.round((1 - efs / capacity) * 100)).toBe(86);
});
