import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { CloudFormationClient, DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DescribeSecurityGroupRulesCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListClustersCommand,
  ListServicesCommand,
  Service,
} from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand, DescribeFileSystemsCommand, EFSClient } from '@aws-sdk/client-efs';
import {
  DescribeListenersCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeDBClustersCommand, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { EmulatedAws } from '../../scripts/emulated-aws';

const STACK = 'EfsDataLayer';
const AWS_CLI = path.join(__dirname, '..', '..', '.venv', 'bin', 'aws');

jest.setTimeout(900_000);

let aws: EmulatedAws;
let out: string;

beforeAll(async () => {
  aws = await EmulatedAws.start();
  out = fs.mkdtempSync(path.join(os.tmpdir(), 'deploy-stores-'));
  await aws.bootstrap();
});

afterAll(async () => {
  await aws?.stop();
  fs.rmSync(out, { recursive: true, force: true });
});

/** Deploys with services and these flags, by their names without the prefix. */
async function deploy(flags: Record<string, string>): Promise<void> {
  const { code, output } = await aws.cdk(
    'deploy',
    '--output',
    path.join(out, 'cdk.out'),
    '--method=direct',
    '--require-approval',
    'never',
    ...Object.entries({ services: 'true', monthlyBudgetUsd: '100', ...flags }).flatMap(([name, value]) => [
      '-c',
      `data-layer:${name}=${value}`,
    ]),
  );
  if (code !== 0) {
    throw new Error(output);
  }
}

/** The ARN of a certificate; a listener of the emulator takes only one that exists. */
function certificate(): string {
  const words = ['acm', 'request-certificate', '--domain-name', 'chat.example.com', '--output', 'json'];
  return JSON.parse(execFileSync(AWS_CLI, words, { env: aws.env, encoding: 'utf8' })).CertificateArn;
}

/** What must outlive every step, by physical id. */
const KEPT = /^AWS::(EFS::|ECS::Service$|RDS::|SecretsManager::|S3Vectors::|Backup::BackupVault$)/;

async function kept(): Promise<Record<string, string>> {
  const { StackResourceSummaries } = await new CloudFormationClient(aws.client).send(
    new ListStackResourcesCommand({ StackName: STACK }),
  );
  return Object.fromEntries(
    StackResourceSummaries!
      .filter(({ ResourceType }) => KEPT.test(ResourceType!))
      .map(({ LogicalResourceId, PhysicalResourceId }) => [LogicalResourceId!, PhysicalResourceId!]),
  );
}

async function outputs(): Promise<Record<string, string>> {
  const { Stacks } = await new CloudFormationClient(aws.client).send(new DescribeStacksCommand({ StackName: STACK }));
  return Object.fromEntries(Stacks![0].Outputs!.map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
}

async function chat(): Promise<Service> {
  const ecs = new ECSClient(aws.client);
  const [cluster] = (await ecs.send(new ListClustersCommand({}))).clusterArns!;
  const { serviceArns } = await ecs.send(new ListServicesCommand({ cluster }));
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: serviceArns! }));
  return services!.find(({ serviceName }) => serviceName!.includes('OpenWebUi'))!;
}

/** The settings the running service has. */
async function settings() {
  const { taskDefinition: arn } = await chat();
  const { taskDefinition } = await new ECSClient(aws.client).send(
    new DescribeTaskDefinitionCommand({ taskDefinition: arn }),
  );
  const container = taskDefinition!.containerDefinitions!.find(({ name }) => name === 'open-webui')!;
  return {
    environment: Object.fromEntries(container.environment!.map(({ name, value }) => [name!, value!])),
    secrets: Object.fromEntries((container.secrets ?? []).map(({ name, valueFrom }) => [name!, valueFrom!])),
    entryPoint: container.entryPoint!,
    command: container.command!,
  };
}

async function nothingIsLost(before: Record<string, string>): Promise<void> {
  const after = await kept();
  expect(Object.keys(before).filter((id) => after[id] !== before[id])).toEqual([]);
  const efs = new EFSClient(aws.client);
  expect((await efs.send(new DescribeFileSystemsCommand({}))).FileSystems).toHaveLength(1);
  expect((await efs.send(new DescribeAccessPointsCommand({}))).AccessPoints).toHaveLength(3);
}

async function instances() {
  return (await new RDSClient(aws.client).send(new DescribeDBInstancesCommand({}))).DBInstances!;
}

const rds = (relationalPhase: string) => ({ relational: 'rds-postgres', relationalPhase });

describe('SQLite to RDS PostgreSQL and back', () => {
  const SQLITE = 'sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl&uri=true';

  async function onSqlite(): Promise<void> {
    const { environment, secrets, command } = await settings();
    expect(environment).toMatchObject({ DATABASE_URL: SQLITE, KEEPER_STORES: 'webui.db,vector_db/' });
    expect(environment).not.toHaveProperty('DATABASE_HOST');
    expect(secrets).toEqual({});
    expect(command).toEqual(['run', '--', 'bash', 'start.sh']);
  }

  async function onPostgres(phase: string): Promise<void> {
    const { environment, secrets, command } = await settings();
    const [{ Endpoint, DBName }] = await instances();
    expect(environment).toMatchObject({
      DATABASE_TYPE: 'postgresql',
      DATABASE_HOST: Endpoint!.Address,
      DATABASE_PORT: `${Endpoint!.Port}`,
      DATABASE_NAME: DBName,
      PGSSLMODE: 'require',
      DATA_LAYER_PHASE: phase,
      KEEPER_STORES: 'vector_db/',
    });
    expect(environment).not.toHaveProperty('DATABASE_URL');
    const secret = Object.entries(await outputs()).find(([name]) => name.includes('RelationalSecretArn'))![1];
    expect(secrets).toEqual({ DATABASE_USER: `${secret}:username::`, DATABASE_PASSWORD: `${secret}:password::` });
    expect(command.slice(0, 4)).toEqual(['run', '--', 'python3', '-c']);
  }

  beforeAll(() => deploy({}));

  test.each<[string, Record<string, string>, () => Promise<void>]>([
    ['prepare', rds('prepare'), onSqlite],
    ['cutover', rds('cutover'), () => onPostgres('cutover')],
    ['back', rds('prepare'), onSqlite],
    ['cutover again', rds('cutover'), () => onPostgres('cutover')],
    ['complete', rds('complete'), () => onPostgres('complete')],
  ])('%s: nothing is replaced or deleted, and the application is where it should be', async (_name, flags, isRight) => {
    const before = await kept();
    await deploy(flags);
    await nothingIsLost(before);
    await isRight();
    expect(await instances()).toHaveLength(1);
    expect((await chat()).desiredCount).toBe(1);
  });

  test('the database is what was promised, and only the service gets in', async () => {
    const [instance] = await instances();
    expect(instance).toMatchObject({
      Engine: 'postgres',
      EngineVersion: '18.3',
      DBInstanceClass: 'db.t4g.micro',
      AllocatedStorage: 20,
      StorageType: 'gp3',
      StorageEncrypted: true,
      BackupRetentionPeriod: 7,
      DeletionProtection: true,
      PubliclyAccessible: false,
      MasterUsername: 'openwebui',
    });
    const [{ VpcSecurityGroupId }] = instance.VpcSecurityGroups!;
    const { SecurityGroupRules } = await new EC2Client(aws.client).send(
      new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: [VpcSecurityGroupId!] }] }),
    );
    const inbound = SecurityGroupRules!.filter(({ IsEgress }) => !IsEgress);
    const [service] = (await chat()).networkConfiguration!.awsvpcConfiguration!.securityGroups!;
    expect(inbound.map(({ FromPort, ReferencedGroupInfo }) => [FromPort, ReferencedGroupInfo!.GroupId])).toEqual([
      [5432, service],
    ]);
  });

  test('back to the SQLite flag: the database leaves the stack and stays in the account', async () => {
    const before = await kept();
    await deploy({});
    const after = await kept();
    expect(Object.entries(before).filter(([id, physical]) => after[id] !== physical && !/Stores/.test(id))).toEqual([]);
    expect(await instances()).toHaveLength(1);
    await onSqlite();
  });
});

describe('growing further', () => {
  const AURORA = { relational: 'aurora-serverless-v2', relationalPhase: 'complete' };
  const REPLICAS = { ...AURORA, vectors: 'pgvector', cache: 'valkey-serverless', replicas: '3' };
  const BALANCED = {
    ...REPLICAS,
    allowedCidrs: '203.0.113.0/24',
    certificateArn: '',
  };

  beforeAll(() => {
    BALANCED.certificateArn = certificate();
  });

  test.each<[string, Record<string, string>]>([
    ['aurora', AURORA],
    ['vectors in S3', { ...AURORA, vectors: 's3-vectors' }],
    ['pgvector, a cache and three replicas', REPLICAS],
    ['a load balancer', BALANCED],
    ['one replica less the load balancer', { ...REPLICAS, replicas: '1' }],
  ])('%s: nothing that was there is replaced or deleted', async (_name, flags) => {
    const before = Object.fromEntries(Object.entries(await kept()).filter(([id]) => !/S3Vectors/.test(id)));
    await deploy(flags);
    await nothingIsLost(before);
    expect((await chat()).desiredCount).toBe(Number(flags.replicas ?? '1'));
    if (flags === BALANCED) {
      await sessionsStick();
    }
  });

  async function sessionsStick(): Promise<void> {
    const elb = new ElasticLoadBalancingV2Client(aws.client);
    const [{ TargetGroupArn, LoadBalancerArns, HealthCheckPath }] = (
      await elb.send(new DescribeTargetGroupsCommand({}))
    ).TargetGroups!;
    expect(HealthCheckPath).toBe('/health');
    const { Attributes } = await elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }));
    expect(Attributes).toEqual(expect.arrayContaining([{ Key: 'stickiness.enabled', Value: 'true' }]));
    const { Listeners } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: LoadBalancerArns![0] }));
    expect(Listeners!.map(({ Port, Protocol }) => [Port, Protocol])).toEqual([[443, 'HTTPS']]);
    expect((await chat()).loadBalancers).toMatchObject([{ containerName: 'open-webui', containerPort: 8080 }]);
  }

  test('without the keeper, several tasks are told of each other and where the cache is', async () => {
    await deploy(REPLICAS);
    const { environment, entryPoint, command } = await settings();
    const cache = (await aws.recorded()).find(({ type }) => type === 'AWS::ElastiCache::ServerlessCache')!;
    expect(environment).toMatchObject({ DATA_LAYER_REPLICAS: '3', VECTOR_DB: 'pgvector', REDIS_CLUSTER: 'true' });
    expect(environment.REDIS_URL).toContain(cache.properties.ServerlessCacheName as string);
    expect(Object.keys(environment).filter((name) => name.startsWith('KEEPER'))).toEqual([]);
    expect([entryPoint.slice(0, 2), command]).toEqual([
      ['python3', '-c'],
      ['bash', 'start.sh'],
    ]);
  });

  test('the cluster scales to nothing', async () => {
    const { DBClusters } = await new RDSClient(aws.client).send(new DescribeDBClustersCommand({}));
    expect(DBClusters).toHaveLength(1);
    expect(DBClusters![0]).toMatchObject({
      StorageEncrypted: true,
      DeletionProtection: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 1 },
    });
  });

  test('a step that has not all it needs is refused before anything is deployed', async () => {
    await expect(deploy({ ...REPLICAS, cache: 'none' })).rejects.toThrow(/cache is none: pass CacheStore/);
    await expect(deploy({ relational: 'rds-postgres' })).rejects.toThrow(/needs data-layer:relationalPhase/);
  });
});
