import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm';
import { DescribeSecurityGroupRulesCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListClustersCommand,
  ListServicesCommand,
} from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand, DescribeFileSystemsCommand, EFSClient } from '@aws-sdk/client-efs';
import { DescribeListenersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { targetOf } from '../../cli/src/commands/migrate';
import { Deployment } from './deployment';

jest.setTimeout(300_000);

/** Whatever a step may neither replace nor delete: data, its doors and keys, and the services that run on it. */
const KEPT = /^AWS::(EFS::|RDS::|SecretsManager::|ECS::Service$|ECS::Cluster$|Backup::BackupVault$|EC2::VPC$)/;

const flags = (values: Record<string, string>) =>
  Object.entries({ services: 'true', monthlyBudgetUsd: '200', ...values }).flatMap(([name, value]) => [
    '-c',
    `data-layer:${name}=${value}`,
  ]);
const phase = (relationalPhase: string) => flags({ relational: 'rds-postgres', relationalPhase });

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(() => deployment?.stop());

/** Open WebUI's service and the task definition that it runs, not the one that the template would have it run. */
async function running() {
  const ecs = new ECSClient(deployment.aws.client);
  const [cluster] = (await ecs.send(new ListClustersCommand({}))).clusterArns!;
  const { serviceArns } = await ecs.send(new ListServicesCommand({ cluster }));
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: serviceArns! }));
  const service = services!.find(({ serviceName }) => serviceName!.includes('OpenWebUi'))!;
  const { taskDefinition } = await ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: service.taskDefinition }),
  );
  const container = taskDefinition!.containerDefinitions!.find(({ name }) => name === 'open-webui')!;
  return {
    service,
    entryPoint: container.entryPoint ?? [],
    command: container.command ?? [],
    environment: Object.fromEntries(container.environment!.map(({ name, value }) => [name!, value!])),
    secrets: Object.fromEntries((container.secrets ?? []).map(({ name, valueFrom }) => [name!, valueFrom!])),
  };
}

/** What the SDK says exists, by the ids that a new resource would not have. */
async function existing() {
  const { client } = deployment.aws;
  const efs = new EFSClient(client);
  const secrets = new SecretsManagerClient(client);
  const { SecretList } = await secrets.send(new ListSecretsCommand({}));
  const values = await Promise.all(
    SecretList!.map(
      async ({ ARN }) => (await secrets.send(new GetSecretValueCommand({ SecretId: ARN }))).SecretString!,
    ),
  );
  const { DBInstances } = await new RDSClient(client).send(new DescribeDBInstancesCommand({}));
  return {
    fileSystems: (await efs.send(new DescribeFileSystemsCommand({}))).FileSystems!.map((fs) => fs.FileSystemId!),
    accessPoints: (await efs.send(new DescribeAccessPointsCommand({})))
      .AccessPoints!.map((p) => p.AccessPointId!)
      .sort(),
    databases: DBInstances!.map((database) => database.DbiResourceId!),
    secrets: values,
    service: (await running()).service.serviceArn!,
  };
}

async function database() {
  const { DBInstances } = await new RDSClient(deployment.aws.client).send(new DescribeDBInstancesCommand({}));
  expect(DBInstances).toHaveLength(1);
  return DBInstances![0];
}

async function runsOnSqlite(): Promise<void> {
  const { environment, secrets, entryPoint, command } = await running();
  expect(environment.DATABASE_URL).toBe('sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl&uri=true');
  expect(environment.KEEPER_STORES).toBe('webui.db,vector_db/');
  expect(
    Object.keys({ ...environment, ...secrets }).filter((name) =>
      /^(DATABASE_(HOST|USER)$|DATA_LAYER_(?!TARGET_))/.test(name),
    ),
  ).toEqual([]);
  expect(entryPoint.join()).toContain('KEEPER');
  expect(command).toEqual(['run', '--', 'bash', 'start.sh']);
}

async function runsOnPostgres(wanted: string): Promise<void> {
  const { environment, secrets, entryPoint, command } = await running();
  const { Endpoint, DBName } = await database();
  expect(environment).toMatchObject({
    DATABASE_TYPE: 'postgresql',
    DATABASE_HOST: Endpoint!.Address,
    DATABASE_PORT: `${Endpoint!.Port}`,
    DATABASE_NAME: DBName,
    PGSSLMODE: 'require',
    DATA_LAYER_PHASE: wanted,
    DATA_LAYER_DIR: '/mnt/open-webui',
    DATA_DIR: '/mnt/open-webui',
  });
  expect(environment).not.toHaveProperty('DATABASE_URL');
  const { SecretList } = await new SecretsManagerClient(deployment.aws.client).send(new ListSecretsCommand({}));
  expect(secrets).toEqual({
    DATABASE_USER: `${SecretList![0].ARN}:username::`,
    DATABASE_PASSWORD: `${SecretList![0].ARN}:password::`,
  });
  // The check of the entry program stands before the application.
  expect(command.slice(-2)).toEqual(['bash', 'start.sh']);
  expect([...entryPoint, ...command].join(' ')).toContain('efs_data_layer_migration');
}

/** On SQLite still, and `efs-data-layer migrate` finds in the task definition where to move to. */
async function isPrepared(): Promise<void> {
  await runsOnSqlite();
  const { service } = await running();
  const ecs = new ECSClient(deployment.aws.client);
  const { taskDefinition } = await ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: service.taskDefinition }),
  );
  const container = taskDefinition!.containerDefinitions!.find(({ name }) => name === 'open-webui')!;
  const { Endpoint, DBName } = await database();
  const { SecretList } = await new SecretsManagerClient(deployment.aws.client).send(new ListSecretsCommand({}));
  expect(targetOf({ name: 'open-webui', container }, {})).toEqual({
    environment: [
      { name: 'DATABASE_HOST', value: Endpoint!.Address },
      { name: 'DATABASE_PORT', value: `${Endpoint!.Port}` },
      { name: 'DATABASE_NAME', value: DBName },
      { name: 'PGSSLMODE', value: 'require' },
    ],
    secrets: [
      { name: 'DATABASE_USER', valueFrom: `${SecretList![0].ARN}:username::` },
      { name: 'DATABASE_PASSWORD', valueFrom: `${SecretList![0].ARN}:password::` },
    ],
  });
}

/** A service's tasks may reach the database, and nobody else. */
async function databaseOpenFor(service: {
  networkConfiguration?: { awsvpcConfiguration?: { securityGroups?: string[] } };
}) {
  const [{ VpcSecurityGroupId }] = (await database()).VpcSecurityGroups!;
  const { SecurityGroupRules } = await new EC2Client(deployment.aws.client).send(
    new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: [VpcSecurityGroupId!] }] }),
  );
  const inbound = SecurityGroupRules!.filter((rule) => !rule.IsEgress);
  expect(inbound.map((rule) => [rule.FromPort, rule.ReferencedGroupInfo?.GroupId, rule.CidrIpv4])).toEqual([
    [5432, service.networkConfiguration!.awsvpcConfiguration!.securityGroups![0], undefined],
  ]);
}

let before: Record<string, string>;
let existedBefore: Awaited<ReturnType<typeof existing>>;

test('it begins on SQLite, with no database', async () => {
  await deployment.deploy(...flags({}));
  await runsOnSqlite();
  before = await deployment.resources(KEPT);
  existedBefore = await existing();
  expect(existedBefore).toMatchObject({ databases: [], secrets: [] });
});

describe.each<[string, string, () => Promise<void>]>([
  ['PREPARE', 'prepare', isPrepared],
  ['CUTOVER', 'cutover', () => runsOnPostgres('cutover')],
  ['back to PREPARE', 'prepare', isPrepared],
  ['CUTOVER again', 'cutover', () => runsOnPostgres('cutover')],
  ['COMPLETE', 'complete', () => runsOnPostgres('complete')],
])('%s', (_name, wanted, runsWhereItShould) => {
  test('nothing that carries data is replaced or deleted, and the settings point where they should', async () => {
    const output = await deployment.deploy(...phase(wanted));
    expect(output).not.toMatch(
      /DELETE_(IN_PROGRESS|COMPLETE|SKIPPED).*AWS::(EFS|RDS|SecretsManager|ECS::Service|Backup)/,
    );

    const after = await deployment.resources(KEPT);
    expect(after).toMatchObject(before);
    const exists = await existing();
    expect(exists.fileSystems).toEqual(existedBefore.fileSystems);
    expect(exists.accessPoints).toEqual(existedBefore.accessPoints);
    expect(exists.service).toBe(existedBefore.service);
    if (existedBefore.databases.length > 0) {
      // The same database with the same password.
      expect(exists).toEqual(existedBefore);
    }
    [before, existedBefore] = [after, exists];

    await runsWhereItShould();
    expect(await deployment.output('RelationalPhase')).toBe(wanted.toUpperCase());
    const { service } = await running();
    expect(service).toMatchObject({
      desiredCount: 1,
      deploymentConfiguration: {
        minimumHealthyPercent: 0,
        maximumPercent: 100,
        deploymentCircuitBreaker: { enable: true, rollback: false },
      },
      availabilityZoneRebalancing: 'DISABLED',
    });
    await databaseOpenFor(service);
    expect(await database()).toMatchObject({
      DeletionProtection: true,
      StorageEncrypted: true,
      PubliclyAccessible: false,
    });
  });
});

test('then two replicas behind a load balancer, on the same database', async () => {
  const acm = new ACMClient(deployment.aws.client);
  const { CertificateArn } = await acm.send(new RequestCertificateCommand({ DomainName: 'chat.example.com' }));
  await deployment.deploy(
    ...phase('complete'),
    ...flags({
      vectors: 'pgvector',
      cache: 'valkey-serverless',
      replicas: '2',
      certificateArn: CertificateArn!,
      allowedCidrs: '203.0.113.0/24',
    }),
  );
  expect(await deployment.resources(KEPT)).toMatchObject(before);
  expect(await existing()).toEqual(existedBefore);
  await runsOnPostgres('complete');
  const { service, environment } = await running();
  expect(service).toMatchObject({
    desiredCount: 2,
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
    loadBalancers: [{ containerName: 'open-webui', containerPort: 8080 }],
  });
  expect(environment).toMatchObject({ VECTOR_DB: 'pgvector', REDIS_CLUSTER: 'true', DATA_LAYER_REPLICAS: '2' });
  const [cache] = (await deployment.aws.recorded()).filter(({ type }) => type === 'AWS::ElastiCache::ServerlessCache');
  expect(environment.REDIS_URL).toMatch(new RegExp(`^rediss://${cache.properties.ServerlessCacheName as string}-`));
  const balancers = await deployment.resources(/^AWS::ElasticLoadBalancingV2::LoadBalancer$/);
  const { Listeners } = await new ElasticLoadBalancingV2Client(deployment.aws.client).send(
    new DescribeListenersCommand({ LoadBalancerArn: Object.values(balancers)[0] }),
  );
  expect(Listeners!.map(({ Port, Protocol }) => [Port, Protocol])).toEqual([[443, 'HTTPS']]);
});

test('a destroyed stack leaves the database, its secret and the file system', async () => {
  const { code, output } = await deployment.cdk('destroy', '--force', ...phase('complete'));
  expect({ code, output: code ? output : '' }).toEqual({ code: 0, output: '' });
  const { databases, secrets, fileSystems } = existedBefore;
  const { client } = deployment.aws;
  const { DBInstances } = await new RDSClient(client).send(new DescribeDBInstancesCommand({}));
  expect(DBInstances!.map((left) => left.DbiResourceId)).toEqual(databases);
  const { SecretList } = await new SecretsManagerClient(client).send(new ListSecretsCommand({}));
  expect(SecretList).toHaveLength(secrets.length);
  const { FileSystems } = await new EFSClient(client).send(new DescribeFileSystemsCommand({}));
  expect(FileSystems!.map((left) => left.FileSystemId)).toEqual(fileSystems);
});
