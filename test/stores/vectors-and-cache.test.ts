import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  CacheStore,
  EfsDataLayer,
  EfsDataLayerProps,
  EfsSafetyChecks,
  MigrationPhase,
  RelationalStore,
  VectorStore,
} from '../../lib';
import { dataLayer, statementsOf } from '../helpers';
import { openWebUi } from './helpers';

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:qdrant-AbCdEf';
const POSTGRES = RelationalStore.rdsPostgres();

function running(props: EfsDataLayerProps, options?: { desiredCount?: number }) {
  const app = new App();
  const stack = new Stack(app, 'Test');
  const data = new EfsDataLayer(stack, 'Data', props);
  const cluster = new ecs.Cluster(stack, 'Cluster', {
    vpc: data.vpc,
    containerInsightsV2: ecs.ContainerInsights.ENABLED,
  });
  data.openWebUi.runOn(cluster, options);
  return { app, template: Template.fromStack(stack) };
}

/** Ports that security groups are opened for, and whether by a service. */
function doors(template: Template): number[] {
  return Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'))
    .map(({ Properties }) => Properties.FromPort)
    .sort();
}

describe('pgvector', () => {
  test('in the relational database: an index, no address of its own', () => {
    const { environment, secrets } = openWebUi(
      dataLayer({ relational: POSTGRES, vectors: VectorStore.pgvector() }).template,
    );
    expect(environment).toMatchObject({
      VECTOR_DB: 'pgvector',
      PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH: '1536',
      PGVECTOR_USE_HALFVEC: 'false',
      PGVECTOR_INDEX_METHOD: 'hnsw',
    });
    expect(environment).not.toHaveProperty('DATA_LAYER_VECTORS_HOST');
    expect(secrets).toEqual(['DATABASE_PASSWORD', 'DATABASE_USER']);
  });
  test('long embeddings are stored in half the bytes, because the others could not be indexed', () => {
    const { template } = dataLayer({ relational: POSTGRES, vectors: VectorStore.pgvector({ dimensions: 3072 }) });
    expect(openWebUi(template).environment).toMatchObject({
      PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH: '3072',
      PGVECTOR_USE_HALFVEC: 'true',
    });
  });
  test('in a database of its own, while the relational data stays in SQLite under the keeper', () => {
    const { template } = running({ vectors: VectorStore.pgvector({ database: RelationalStore.auroraServerlessV2() }) });
    const { environment, secrets, command } = openWebUi(template);
    expect(environment).toMatchObject({
      KEEPER_STORES: 'webui.db',
      DATABASE_URL: 'sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl&uri=true',
      DATA_LAYER_VECTORS_NAME: 'openwebui',
      DATA_LAYER_VECTORS_SSLMODE: 'require',
    });
    expect(environment).not.toHaveProperty('DATA_LAYER_PHASE');
    expect(secrets).toEqual(['DATA_LAYER_VECTORS_PASSWORD', 'DATA_LAYER_VECTORS_USER']);
    expect(command.slice(0, 3)).toEqual(['run', '--', 'python3']);
    expect(doors(template)).toEqual([2049, 5432]);
  });
  test('the authority that verifies one database is not asked about the other', () => {
    const secretArn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:own-AbCdEf';
    const database = RelationalStore.external({ host: 'vectors.example.com', secretArn });
    const { template } = dataLayer({
      relational: RelationalStore.rdsPostgres(),
      vectors: VectorStore.pgvector({ database }),
    });
    const { environment } = openWebUi(template);
    expect(environment).toMatchObject({
      PGSSLMODE: 'require',
      DATA_LAYER_VECTORS_SSLMODE: 'verify-full',
      DATA_LAYER_VECTORS_SSLROOTCERT: '/etc/ssl/certs/ca-certificates.crt',
    });
    expect(environment).not.toHaveProperty('PGSSLROOTCERT');
  });
  test('two databases in one data layer do not meet', () => {
    const { template } = dataLayer({
      relational: POSTGRES,
      vectors: VectorStore.pgvector({ database: RelationalStore.rdsPostgres() }),
    });
    template.resourceCountIs('AWS::RDS::DBInstance', 2);
  });
});

describe('s3Vectors', () => {
  const { template } = running({ vectors: VectorStore.s3Vectors() });
  test('a bucket that stays, named in the settings', () => {
    template.hasResource('AWS::S3Vectors::VectorBucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    const [bucket] = Object.values(template.findResources('AWS::S3Vectors::VectorBucket'));
    const { environment } = openWebUi(template);
    expect(environment.VECTOR_DB).toBe('s3vector');
    expect(environment.S3_VECTOR_BUCKET_NAME).toEqual(bucket.Properties.VectorBucketName);
    expect(environment.S3_VECTOR_REGION).toEqual({ Ref: 'AWS::Region' });
  });
  test('the role may use its indexes and nothing else', () => {
    const own = statementsOf(template, 'OpenWebUiTaskTaskRole').filter((s) => JSON.stringify(s).includes('s3vectors'));
    expect(
      own.map(({ Resource }) => JSON.stringify(Resource)).every((resource) => resource.includes('VectorBucketArn')),
    ).toBe(true);
    expect(JSON.stringify(own)).not.toContain('s3vectors:*');
    expect(JSON.stringify(own)).not.toContain('DeleteVectorBucket');
  });
});

describe('qdrant', () => {
  test('an address and a key that is a secret', () => {
    const { template } = dataLayer({
      vectors: VectorStore.qdrant({ url: 'https://q.example.com:6333', apiKeySecretArn: SECRET }),
    });
    expect(openWebUi(template)).toMatchObject({
      environment: { VECTOR_DB: 'qdrant', QDRANT_URI: 'https://q.example.com:6333' },
      secrets: ['QDRANT_API_KEY'],
    });
  });
  test.each<[object, RegExp]>([
    [{}, /no url.*block storage.*does not work on NFS/s],
    [{ url: 'https://q.example.com' }, /apiKeySecretArn is missing/],
    [{ url: 'q.example.com:6333' }, /Pass scheme, host and port/],
    [{ url: 'https://q.example.com', apiKeySecretArn: 'key' }, /apiKeySecretArn is "key"/],
  ])('refuses %p', (props, message) => {
    expect(() => dataLayer({ vectors: VectorStore.qdrant(props as never) })).toThrow(message);
  });
  test('its image is not put onto the volume, and the error says why', () => {
    const { data, stack } = dataLayer();
    const task = new ecs.FargateTaskDefinition(stack, 'Task', { cpu: 1024, memoryLimitMiB: 2048 });
    const image = ecs.ContainerImage.fromRegistry('qdrant/qdrant:v1.16.0');
    const one = data.addWorkload('Qdrant', { directory: '/qdrant' });
    expect(() => one.addContainer(task, 'qdrant', { image, command: ['./qdrant'], imageHasPython: true })).toThrow(
      /block storage.*VectorStore.pgvector/s,
    );
  });
});

describe('valkeyServerless', () => {
  test('maximums only, no snapshots, encrypted addresses, the cluster protocol', () => {
    const { template } = running({ cache: CacheStore.valkeyServerless() });
    const [cache] = Object.values(template.findResources('AWS::ElastiCache::ServerlessCache'));
    expect(cache.Properties).toMatchObject({
      Engine: 'valkey',
      CacheUsageLimits: { DataStorage: { Maximum: 1, Unit: 'GB' }, ECPUPerSecond: { Maximum: 1000 } },
      SnapshotRetentionLimit: 0,
    });
    expect(JSON.stringify(cache.Properties)).not.toContain('Minimum');
    const { environment } = openWebUi(template);
    expect(environment).toMatchObject({
      REDIS_CLUSTER: 'true',
      WEBSOCKET_MANAGER: 'redis',
      WEBSOCKET_REDIS_CLUSTER: 'true',
    });
    expect(JSON.stringify(environment.REDIS_URL)).toMatch(/rediss:\/\/.*:6379/);
    expect(environment.WEBSOCKET_REDIS_URL).toEqual(environment.REDIS_URL);
    expect(doors(template)).toEqual([2049, 6379]);
  });
  test.each<[object, RegExp]>([
    [{ maxDataGb: 0 }, /maxDataGb is 0.*1 to 5000/s],
    [{ maxEcpuPerSecond: 10 }, /maxEcpuPerSecond is 10.*1000 to/s],
  ])('refuses %p', (props, message) => {
    expect(() => dataLayer({ cache: CacheStore.valkeyServerless(props) })).toThrow(message);
  });
});

describe('replicas', () => {
  const ALL: EfsDataLayerProps = {
    relational: POSTGRES,
    vectors: VectorStore.pgvector(),
    cache: CacheStore.valkeyServerless(),
    openWebUi: { replicas: 3 },
  };
  test('three when everything is there; a deployment still stops all of them first', () => {
    const { template } = running(ALL);
    template.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 3,
      DeploymentConfiguration: {
        MinimumHealthyPercent: 0,
        MaximumPercent: 100,
        DeploymentCircuitBreaker: { Enable: true, Rollback: false },
      },
      AvailabilityZoneRebalancing: 'DISABLED',
    });
    expect(openWebUi(template).environment).toMatchObject({ DATA_LAYER_REPLICAS: '3', UVICORN_WORKERS: '1' });
  });
  test.each<[string, EfsDataLayerProps, string[]]>([
    ['nothing is there', {}, ['relational is sqlite-on-efs', 'vectors is chroma-on-efs', 'cache is none']],
    [
      'only SQLite is left',
      { ...ALL, relational: undefined, vectors: VectorStore.s3Vectors() },
      ['relational is sqlite-on-efs'],
    ],
    [
      'the move is only prepared',
      {
        ...ALL,
        relational: RelationalStore.rdsPostgres({ phase: MigrationPhase.PREPARE }),
        vectors: VectorStore.s3Vectors(),
      },
      ['phase PREPARE'],
    ],
    ['only Chroma is left', { ...ALL, vectors: undefined }, ['vectors is chroma-on-efs']],
    ['only the cache is missing', { ...ALL, cache: undefined }, ['cache is none']],
  ])('refused when %s, and what is missing is told', (_name, props, missing) => {
    let message = '';
    try {
      dataLayer({ ...props, openWebUi: { replicas: 2 } });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(`replicas is 2, but ${missing.length} of what`);
    missing.forEach((text) => expect(message).toContain(text));
    ['relational is', 'vectors is', 'cache is']
      .filter((text) => !missing.join().includes(text.split(' ')[0]))
      .filter((text) => !(text === 'relational is' && missing.join().includes('phase')))
      .forEach((text) => expect(message).not.toContain(text));
  });
  test('a desired count cannot go round the check', () => {
    expect(() => running({ ...ALL, openWebUi: { replicas: 1 } }, { desiredCount: 2 })).toThrow(
      /openWebUi.replicas is 1/,
    );
    expect(() => running({}, { desiredCount: 2 })).toThrow(/Single writer: DesiredCount is 2/);
  });
  test.each([0, 1.5, '2', 101])('replicas is not %p', (replicas) => {
    expect(() => dataLayer({ ...ALL, openWebUi: { replicas: replicas as number } })).toThrow(/replicas is/);
  });
  test('two versions at a time are refused by the template too', () => {
    const app = new App();
    const stack = new Stack(app, 'Test');
    const data = new EfsDataLayer(stack, 'Data', ALL);
    const service = data.openWebUi.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
    (service.service.node.defaultChild as ecs.CfnService).addPropertyOverride(
      'DeploymentConfiguration.MaximumPercent',
      200,
    );
    expect(() => app.synth()).toThrow(/One version at a time: DeploymentConfiguration.MaximumPercent is 200/);
  });
});

test.each<[string, EfsDataLayerProps]>([
  ['pgvector', { relational: POSTGRES, vectors: VectorStore.pgvector() }],
  ['S3 Vectors', { vectors: VectorStore.s3Vectors() }],
  ['Qdrant', { vectors: VectorStore.qdrant({ url: 'http://qdrant.internal:6333' }) }],
  [
    'three replicas',
    {
      relational: POSTGRES,
      vectors: VectorStore.s3Vectors(),
      cache: CacheStore.valkeyServerless(),
      openWebUi: { replicas: 3 },
    },
  ],
])('%s passes cdk-nag and the safety checks', (_name, props) => {
  const { app } = running(props);
  for (const checks of [new AwsSolutionsChecks(), new EfsSafetyChecks()]) {
    expect(checks.validateScope(app).violations.map(({ ruleName }) => ruleName)).toEqual([]);
  }
});

test.each<[string, EfsDataLayerProps, RegExp]>([
  ['pgvector without PostgreSQL', { vectors: VectorStore.pgvector() }, /not in PostgreSQL yet.*database of its own/s],
  [
    'pgvector before the cutover',
    { relational: RelationalStore.rdsPostgres({ phase: MigrationPhase.PREPARE }), vectors: VectorStore.pgvector() },
    /not in PostgreSQL yet/,
  ],
  [
    'pgvector in SQLite',
    { vectors: VectorStore.pgvector({ database: RelationalStore.sqliteOnEfs() }) },
    /sqlite-on-efs: pgvector is an extension/,
  ],
  ['dimensions', { relational: POSTGRES, vectors: VectorStore.pgvector({ dimensions: 4001 }) }, /dimensions is 4001/],
  ['a store that is none', { vectors: 'pgvector' as never }, /vectors is "pgvector"/],
  ['a cache that is none', { cache: 'valkey' as never }, /cache is "valkey"/],
])('refuses %s', (_name, props, message) => {
  expect(() => dataLayer(props)).toThrow(message);
});
