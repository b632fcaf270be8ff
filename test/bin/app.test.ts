import * as fs from 'fs';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createApp } from '../../bin/app';
import { FLAGS } from '../../bin/flags';
import { DataLayerStack, EfsDataLayer } from '../../lib';
import { census } from '../helpers';

const cdkJson = require('../../cdk.json');
const recommendedFlags = require('aws-cdk-lib/recommended-feature-flags.json');

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf';
const RDS = {
  'data-layer:services': true,
  'data-layer:relational': 'rds-postgres',
  'data-layer:monthlyBudgetUsd': 100,
};
const REPLICAS = {
  ...RDS,
  'data-layer:relationalPhase': 'complete',
  'data-layer:vectors': 'pgvector',
  'data-layer:cache': 'valkey-serverless',
  'data-layer:replicas': 2,
};

const BALANCED = {
  'data-layer:services': true,
  'data-layer:certificateArn': 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000',
  'data-layer:allowedCidrs': '203.0.113.0/24,198.51.100.0/24',
  'data-layer:domainName': 'chat.example.com',
  'data-layer:hostedZoneId': 'Z0123456789',
};

const SEARCH = {
  'data-layer:search': 'open-search-serverless',
  'data-layer:searchReaders': 'arn:aws:iam::123456789012:role/Auditor',
  'data-layer:monthlyBudgetUsd': 100,
};

const ALARMS = {
  'data-layer:services': true,
  'data-layer:alarms': true,
  'data-layer:alarmTopicArn': 'arn:aws:sns:us-east-1:123456789012:alerts',
};
const TABLES = { 'data-layer:analytics': 's3-tables', 'data-layer:focusExport': 's3://exports/focus/cost' };

const VARIANTS: [string, Record<string, unknown>][] = [
  ['default', {}],
  ['services', { 'data-layer:services': true, 'data-layer:focusExport': 's3://exports/focus/cost' }],
  ['no backup', { 'data-layer:backup': false }],
  ['x86', { 'data-layer:architecture': 'x86_64' }],
  ['dev', { 'data-layer:stage': 'dev', 'data-layer:allowDestroy': true }],
  ['tagged', { 'data-layer:costCenter': 'finops' }],
  ['rds prepared', { ...RDS, 'data-layer:relationalPhase': 'prepare' }],
  ['rds', { ...RDS, 'data-layer:relationalPhase': 'cutover' }],
  [
    'aurora and s3 vectors',
    {
      'data-layer:relational': 'aurora-serverless-v2',
      'data-layer:monthlyBudgetUsd': 100,
      'data-layer:relationalPhase': 'complete',
      'data-layer:vectors': 's3-vectors',
    },
  ],
  [
    'external and qdrant',
    {
      'data-layer:services': true,
      'data-layer:relational': 'external',
      'data-layer:monthlyBudgetUsd': 100,
      'data-layer:relationalPhase': 'cutover',
      'data-layer:relationalHost': 'db.example.com',
      'data-layer:relationalSecret': SECRET,
      'data-layer:vectors': 'qdrant',
      'data-layer:qdrantUrl': 'https://q.example.com:6333',
      'data-layer:qdrantSecret': SECRET,
    },
  ],
  ['replicas', REPLICAS],
  ['balanced', BALANCED],
  ['private search', { ...SEARCH, 'data-layer:searchPrivate': true, 'data-layer:services': true }],
  ['alarms', ALARMS],
  ['s3 tables with an export made in another region', { ...TABLES, 'data-layer:createFocusExport': 'ap-southeast-2' }],
  [
    's3 tables that were kept',
    { ...TABLES, 'data-layer:tableBucket': 'kept-bucket', 'data-layer:glueCatalog': 'existing' },
  ],
];

/** Types whose replacement or deletion loses data, or runs a second writer. */
const GUARDED = new Set([
  'AWS::EFS::FileSystem',
  'AWS::EFS::AccessPoint',
  'AWS::EFS::MountTarget',
  'AWS::Backup::BackupVault',
  'AWS::ECS::Service',
  'AWS::RDS::DBCluster',
  'AWS::RDS::DBInstance',
  'AWS::S3Tables::Namespace',
  'AWS::S3Tables::Table',
  'AWS::S3Tables::TableBucket',
  'AWS::S3Vectors::VectorBucket',
  'AWS::SecretsManager::Secret',
]);

const templates = new Map<string, object>();

/** The app's template with these flags, made once for each set of them. */
function template(context: Record<string, unknown>) {
  const key = JSON.stringify(context);
  if (!templates.has(key)) {
    const app = createApp({ context: { ...cdkJson.context, ...context } });
    templates.set(key, Template.fromStack(app.node.children.find(Stack.isStack) as Stack).toJSON());
  }
  return structuredClone(templates.get(key)) as Record<string, Record<string, object>>;
}

function guarded(context: Record<string, unknown>) {
  return Object.entries(template(context).Resources as Record<string, { Type: string }>)
    .filter(([, { Type }]) => GUARDED.has(Type))
    .map(([id, { Type }]) => `${Type} ${id}`)
    .sort();
}

describe('checks at every synth', () => {
  beforeAll(() => {
    delete process.env.CDK_VALIDATION;
  });
  afterAll(() => {
    process.env.CDK_VALIDATION = 'false';
  });

  test.each(VARIANTS)('%s: passes CloudFormation’s rules as errors and cdk-nag', (_name, context) => {
    expect(() => createApp({ context: { ...cdkJson.context, ...context } }).synth()).not.toThrow();
  });

  function addToStack(make: (stack: Stack) => void): App {
    const app = createApp({ context: cdkJson.context });
    make(app.node.children.find(Stack.isStack) as Stack);
    return app;
  }
  test('an open security group beside the data layer fails the synth', () => {
    const app = addToStack(
      (stack) =>
        new ec2.CfnSecurityGroup(stack, 'Open', {
          groupDescription: 'open',
          vpcId: 'vpc-0123456789abcdef0',
          securityGroupIngress: [{ cidrIp: '0.0.0.0/0', ipProtocol: '-1' }],
        }),
    );
    expect(() => app.synth()).toThrow(/AwsSolutions-EC23/);
  });
  test('more stored than the budget pays for fails the synth', () => {
    const context = { ...cdkJson.context, 'data-layer:storedGiB': 30 };
    expect(() => createApp({ context }).synth()).toThrow(/over the limit of \$6\.00/);
  });
  test('a value CloudFormation does not know fails the synth', () => {
    const app = addToStack(
      (stack) => new efs.CfnFileSystem(stack, 'Typo', { encrypted: true, throughputMode: 'burstable' }),
    );
    expect(() => app.synth()).toThrow(/burstable/);
  });
});

/** The actions of a statement are a set; a flag that merges statements sorts them. */
function inOrder(template: object): object {
  const text = JSON.stringify(template, (key, value) =>
    key === 'Action' && Array.isArray(value) ? [...value].sort() : value,
  );
  return JSON.parse(text) as object;
}

describe('feature flags of CDK', () => {
  test('cdk.json sets every recommended one to the recommended value', () => {
    const different = Object.keys(recommendedFlags).filter(
      (flag) => JSON.stringify(cdkJson.context[flag]) !== JSON.stringify(recommendedFlags[flag]),
    );
    expect(different).toEqual([]);
  });
  // Where the region is known, one of them writes the partition out: the same value in other words.
  const ofAnyRegion = VARIANTS.filter(([, context]) => !('data-layer:createFocusExport' in context));
  test.each(ofAnyRegion)('%s: the template is the same with none of them set', (_name, context) => {
    const bare = createApp({ context: context as Record<string, unknown> });
    const made = Template.fromStack(bare.node.children.find(Stack.isStack) as Stack).toJSON();
    expect(inOrder(made)).toEqual(inOrder(template(context)));
  });
});

describe('what each flag changes in the topology', () => {
  /** Types whose number differs from the default, as "more or fewer". */
  function difference(context: Record<string, unknown>): Record<string, number> {
    const [before, after] = [{}, context].map((flags) => census(Template.fromJSON(template(flags))));
    return Object.fromEntries(
      [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .sort()
        .map((type) => [type, (after[type] ?? 0) - (before[type] ?? 0)] as const)
        .filter(([, change]) => change !== 0),
    );
  }
  test('services: a cluster and two services; the public IPv4 address of each task is what is billed besides compute', () => {
    expect(difference({ 'data-layer:services': true })).toMatchInlineSnapshot(`
     {
       "AWS::EC2::SecurityGroup": 2,
       "AWS::EC2::SecurityGroupIngress": 3,
       "AWS::ECS::Cluster": 1,
       "AWS::ECS::Service": 2,
       "AWS::ServiceDiscovery::HttpNamespace": 1,
     }
    `);
  });
  test('services with an export: the daily schedule too', () => {
    expect(difference({ 'data-layer:services': true, 'data-layer:focusExport': 's3://exports/focus/cost' }))
      .toMatchInlineSnapshot(`
     {
       "AWS::EC2::SecurityGroup": 3,
       "AWS::EC2::SecurityGroupIngress": 4,
       "AWS::ECS::Cluster": 1,
       "AWS::ECS::Service": 2,
       "AWS::IAM::Role": 1,
       "AWS::Scheduler::Schedule": 1,
       "AWS::ServiceDiscovery::HttpNamespace": 1,
     }
    `);
  });
  test('backup off: the plan and its selection go, the vault stays', () => {
    expect(difference({ 'data-layer:backup': false })).toMatchInlineSnapshot(`
     {
       "AWS::Backup::BackupPlan": -1,
       "AWS::Backup::BackupSelection": -1,
     }
    `);
  });
  /** What a store adds beside the running services. */
  function added(context: Record<string, unknown>): Record<string, number> {
    const [all, services] = [context, { 'data-layer:services': true }].map(difference);
    return Object.fromEntries(
      Object.entries(all)
        .map(([type, count]) => [type, count - (services[type] ?? 0)] as const)
        .filter(([, count]) => count !== 0),
    );
  }
  test.each(['prepare', 'cutover', 'complete'])('rds-postgres in phase %s: the same resources', (phase) => {
    expect(added({ ...RDS, 'data-layer:relationalPhase': phase })).toEqual({
      'AWS::EC2::SecurityGroup': 1,
      'AWS::EC2::SecurityGroupIngress': 1,
      'AWS::RDS::DBInstance': 1,
      'AWS::RDS::DBParameterGroup': 1,
      'AWS::RDS::DBSubnetGroup': 1,
      'AWS::SecretsManager::Secret': 1,
    });
  });
  test('alarms: what watches, and nothing else', () => {
    expect(added(ALARMS)).toEqual({
      'AWS::CloudWatch::Alarm': 14,
      'AWS::CloudWatch::Dashboard': 1,
      'AWS::Logs::MetricFilter': 16,
    });
    const { Resources } = template(ALARMS) as { Resources: Record<string, { Type: string; Properties: object }> };
    const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    alarms.forEach(({ Properties }) =>
      expect(Properties).toMatchObject({ AlarmActions: [ALARMS['data-layer:alarmTopicArn']] }),
    );
  });
  test('aurora-serverless-v2: a cluster and its writer', () => {
    expect(
      difference({
        'data-layer:relational': 'aurora-serverless-v2',
        'data-layer:monthlyBudgetUsd': 100,
        'data-layer:relationalPhase': 'prepare',
      }),
    ).toMatchInlineSnapshot(`
     {
       "AWS::EC2::SecurityGroup": 1,
       "AWS::RDS::DBCluster": 1,
       "AWS::RDS::DBClusterParameterGroup": 1,
       "AWS::RDS::DBInstance": 1,
       "AWS::RDS::DBSubnetGroup": 1,
       "AWS::SecretsManager::Secret": 1,
     }
    `);
  });
  test('s3-vectors: a bucket and a policy', () => {
    expect(difference({ 'data-layer:vectors': 's3-vectors' })).toMatchInlineSnapshot(`
     {
       "AWS::IAM::Policy": 1,
       "AWS::S3Vectors::VectorBucket": 1,
     }
    `);
  });
  test('open-search-serverless: a collection, its group and policies; private, an endpoint and its door', () => {
    expect(difference(SEARCH)).toMatchInlineSnapshot(`
     {
       "AWS::OpenSearchServerless::AccessPolicy": 1,
       "AWS::OpenSearchServerless::Collection": 1,
       "AWS::OpenSearchServerless::CollectionGroup": 1,
       "AWS::OpenSearchServerless::SecurityPolicy": 2,
     }
    `);
    expect(added({ ...SEARCH, 'data-layer:searchPrivate': true, 'data-layer:services': true })).toMatchInlineSnapshot(`
     {
       "AWS::EC2::SecurityGroup": 1,
       "AWS::OpenSearchServerless::AccessPolicy": 1,
       "AWS::OpenSearchServerless::Collection": 1,
       "AWS::OpenSearchServerless::CollectionGroup": 1,
       "AWS::OpenSearchServerless::SecurityPolicy": 2,
       "AWS::OpenSearchServerless::VpcEndpoint": 1,
     }
    `);
  });
  test('s3-tables: bucket, tables, catalog, workgroup, queries and the load', () => {
    expect(difference(TABLES)).toMatchInlineSnapshot(`
     {
       "AWS::Athena::NamedQuery": 6,
       "AWS::Athena::WorkGroup": 1,
       "AWS::Glue::Catalog": 1,
       "AWS::Glue::Database": 1,
       "AWS::Glue::Table": 1,
       "AWS::IAM::ManagedPolicy": 2,
       "AWS::IAM::Policy": 1,
       "AWS::IAM::Role": 2,
       "AWS::Logs::LogGroup": 1,
       "AWS::S3::Bucket": 1,
       "AWS::S3::BucketPolicy": 1,
       "AWS::S3Tables::Namespace": 1,
       "AWS::S3Tables::Table": 2,
       "AWS::S3Tables::TableBucket": 1,
       "AWS::Scheduler::Schedule": 1,
       "AWS::StepFunctions::StateMachine": 1,
     }
    `);
  });
  test('s3-tables that were kept: no bucket, no table, no catalog is made', () => {
    const kept = difference({
      ...TABLES,
      'data-layer:tableBucket': 'kept-bucket',
      'data-layer:glueCatalog': 'existing',
    });
    expect(Object.keys(kept).filter((type) => /^AWS::(S3Tables::|Glue::Catalog)/.test(type))).toEqual([]);
  });
  test('createFocusExport: a bucket, and the export where CloudFormation makes one', () => {
    const create = (region: string) => ({
      'data-layer:focusExport': 's3://exports/focus/cost',
      'data-layer:createFocusExport': region,
    });
    const bucket = { 'AWS::S3::Bucket': 1, 'AWS::S3::BucketPolicy': 1 };
    expect(difference(create('ap-southeast-2'))).toEqual(bucket);
    expect(difference(create('us-east-1'))).toEqual({ ...bucket, 'AWS::BCMDataExports::Export': 1 });
  });
  test('external and qdrant make nothing', () => {
    const context = VARIANTS.find(([name]) => name === 'external and qdrant')![1];
    expect(Object.keys(added(context)).filter((type) => type !== 'AWS::IAM::Policy')).toEqual([]);
  });
  test('valkey-serverless and replicas: a cache and its door', () => {
    const without = { ...REPLICAS, 'data-layer:cache': 'none', 'data-layer:replicas': 1 };
    const [all, before] = [REPLICAS, without].map((flags) => census(Template.fromJSON(template(flags))));
    expect(Object.keys(all).filter((type) => all[type] !== before[type])).toEqual([
      'AWS::EC2::SecurityGroup',
      'AWS::EC2::SecurityGroupIngress',
      'AWS::ElastiCache::ServerlessCache',
    ]);
  });
  test('a load balancer: its target, listener, doors and record', () => {
    expect(added(BALANCED)).toEqual({
      'AWS::EC2::SecurityGroup': 1,
      'AWS::EC2::SecurityGroupEgress': 1,
      'AWS::EC2::SecurityGroupIngress': 1,
      'AWS::ElasticLoadBalancingV2::Listener': 1,
      'AWS::ElasticLoadBalancingV2::LoadBalancer': 1,
      'AWS::ElasticLoadBalancingV2::TargetGroup': 1,
      'AWS::Route53::RecordSet': 1,
    });
  });
  test.each<[string, string]>([
    ['stage', 'staging'],
    ['stage', 'dev'],
    ['architecture', 'x86_64'],
    ['focusExport', 's3://exports/focus/cost'],
    ['costCenter', 'finops'],
  ])('%s=%s adds and removes nothing', (flag, value) => {
    expect(difference({ [`data-layer:${flag}`]: value })).toEqual({});
  });
  test('allowDestroy adds and removes nothing', () => {
    expect(difference({ 'data-layer:stage': 'dev', 'data-layer:allowDestroy': true })).toEqual({});
  });
  test.each([
    ['relational', 'sqlite-on-efs'],
    ['vectors', 'chroma-on-efs'],
    ['analytics', 'evidence-files'],
    ['search', 'none'],
    ['cache', 'none'],
    ['replicas', '1'],
  ])('%s=%s is the default', (flag, value) => {
    expect(template({ [`data-layer:${flag}`]: value })).toEqual(template({}));
  });
  test.each([
    ['monthlyBudgetUsd', 3],
    ['storedGiB', 5],
    ['priceRegion', 'ap-southeast-2'],
  ])('%s decides what is checked, not what is deployed', (flag, value) => {
    expect(template({ [`data-layer:${flag}`]: value })).toEqual(template({}));
  });
  test('every flag has a test here', () => {
    const source = fs.readFileSync(__filename, 'utf8');
    const missing = Object.keys(FLAGS).filter((name) => !new RegExp(`'(data-layer:)?${name}'`).test(source));
    expect(missing).toEqual([]);
  });
  test('searchIndexers may fill the index, searchReaders may not', () => {
    const all = Template.fromJSON(
      template({ ...SEARCH, 'data-layer:searchIndexers': 'arn:aws:iam::123456789012:role/Ci' }),
    );
    const [{ Properties }] = Object.values(all.findResources('AWS::OpenSearchServerless::AccessPolicy'));
    const rules = JSON.stringify(Properties.Policy).split('Description').slice(1);
    const of = (name: string) => rules.filter((rule) => rule.includes(name));
    expect(of('role/Ci').map((rule) => rule.includes('aoss:WriteDocument'))).toEqual([true]);
    expect(of('role/Auditor').map((rule) => rule.includes('aoss:WriteDocument'))).toEqual([false]);
  });
  test('architecture, cost centre and export reach the resources', () => {
    const all = Template.fromJSON(
      template({
        'data-layer:architecture': 'x86_64',
        'data-layer:costCenter': 'finops',
        'data-layer:focusExport': 's3://exports/focus/cost',
      }),
    );
    all.allResourcesProperties('AWS::ECS::TaskDefinition', { RuntimePlatform: { CpuArchitecture: 'X86_64' } });
    all.allResourcesProperties('AWS::EFS::AccessPoint', {
      AccessPointTags: Match.arrayWith([{ Key: 'CostCenter', Value: 'finops' }]),
    });
    expect(JSON.stringify(all.findResources('AWS::ECS::TaskDefinition'))).toContain('focus/cost');
  });
});

test('logical ids of what carries data, and of the single-writer services, are pinned', () => {
  expect(guarded({ 'data-layer:services': true })).toMatchInlineSnapshot(`
   [
     "AWS::Backup::BackupVault DataLayerVolumeBackupVault8809994A",
     "AWS::ECS::Service ClusterDataLayerKnowledgeServiceF256CDAF",
     "AWS::ECS::Service ClusterDataLayerOpenWebUiService25F997CA",
     "AWS::EFS::AccessPoint DataLayerEvidenceAccessPoint7B4B24C3",
     "AWS::EFS::AccessPoint DataLayerKnowledgeAccessPoint1B4DFB80",
     "AWS::EFS::AccessPoint DataLayerOpenWebUiAccessPoint1E525E0B",
     "AWS::EFS::FileSystem DataLayerVolumeFileSystemE87AB1FD",
     "AWS::EFS::MountTarget DataLayerVolumeMountTarget1E09141A0",
     "AWS::EFS::MountTarget DataLayerVolumeMountTarget2D425FD19",
   ]
  `);
});

test('logical ids of the databases are pinned', () => {
  const before = guarded({});
  const added = (context: Record<string, unknown>) => guarded(context).filter((id) => !before.includes(id));
  expect([
    ...added({
      'data-layer:relational': 'rds-postgres',
      'data-layer:monthlyBudgetUsd': 100,
      'data-layer:relationalPhase': 'prepare',
    }),
    ...added(VARIANTS.find(([name]) => name === 'aurora and s3 vectors')![1]),
  ]).toMatchInlineSnapshot(`
   [
     "AWS::RDS::DBInstance DataLayerStoresRdsPostgresDatabase66745264",
     "AWS::SecretsManager::Secret DataLayerStoresRdsPostgresAccessSecretF9030E53",
     "AWS::RDS::DBCluster DataLayerStoresAuroraDatabaseC3EAC59E",
     "AWS::RDS::DBInstance DataLayerStoresAuroraWriterDBACF98D",
     "AWS::S3Vectors::VectorBucket DataLayerStoresS3VectorsBucket30D91A2B",
     "AWS::SecretsManager::Secret DataLayerStoresAuroraAccessSecret517FAD81",
   ]
  `);
});

test.each(VARIANTS.filter(([name]) => name !== 'dev' && name !== 'no backup'))(
  'turning on "%s" moves nothing that carries data',
  (_name, context) => {
    const before = guarded({});
    expect(guarded(context)).toEqual(expect.arrayContaining(before));
  },
);

describe('an acknowledgement does not leak', () => {
  function violations(make: (stack: Stack) => void): string[] {
    const app = new App();
    const stack = new Stack(app, 'Test');
    new EfsDataLayer(stack, 'Data');
    make(stack);
    const report = new AwsSolutionsChecks().validateScope(app);
    return report.violations.map((violation) => violation.ruleName);
  }
  test('the data layer itself has no finding', () => {
    expect(violations(() => undefined)).toEqual([]);
  });
  test('a VPC beside it still needs flow logs', () => {
    expect(
      violations((stack) => new ec2.Vpc(stack, 'Mine', { natGateways: 0, restrictDefaultSecurityGroup: false })).join(),
    ).toMatch(/VPC7/);
  });
  test('a task definition beside it still may not carry plain environment', () => {
    const found = violations((stack) => {
      const task = new ecs.FargateTaskDefinition(stack, 'Mine');
      task.addContainer('c', {
        image: ecs.ContainerImage.fromRegistry('example/x:1'),
        environment: { A: 'b' },
        logging: ecs.LogDrivers.awsLogs({ streamPrefix: 'x' }),
      });
    });
    expect(found.join()).toMatch(/ECS2/);
  });
  test('a cluster beside it still needs Container Insights', () => {
    const app = new App();
    const stack = new DataLayerStack(app, 'Test', { services: true });
    new ecs.CfnCluster(stack, 'Mine');
    const report = new AwsSolutionsChecks().validateScope(app);
    expect(report.violations.map((violation) => violation.ruleName).join()).toMatch(/ECS4/);
    expect(report.violations.flatMap((violation) => violation.violatingResources)).toHaveLength(1);
  });
  test('a role beside it still may not have the managed policy of the backup role', () => {
    const found = violations((stack) => {
      new iam.Role(stack, 'Mine', {
        assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
        managedPolicies: [
          iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup'),
        ],
      });
    });
    expect(found.join()).toMatch(/IAM4/);
  });
  test('a role beside it still may not read a whole prefix of a bucket', () => {
    const found = violations((stack) => {
      const role = new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
      role.addToPolicy(
        new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::exports/focus/cost/*'] }),
      );
    });
    expect(found.join()).toMatch(/IAM5/);
  });
  test('a role beside it still may not have wildcards', () => {
    const found = violations((stack) => {
      const role = new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
      role.addToPolicy(new iam.PolicyStatement({ actions: ['ssmmessages:OpenDataChannel'], resources: ['*'] }));
    });
    expect(found.join()).toMatch(/IAM5/);
  });
});

test('stages have stacks of their own, and only dev may delete its data', () => {
  const stackOf = (context: Record<string, unknown>) =>
    createApp({ context: { ...cdkJson.context, ...context } })
      .node.children.filter(Stack.isStack)
      .map((stack) => stack.stackName);
  expect(stackOf({})).toEqual(['EfsDataLayer']);
  expect(stackOf({ 'data-layer:stage': 'staging' })).toEqual(['EfsDataLayer-staging']);
  const policies = (context: Record<string, unknown>) =>
    Object.values(template(context).Resources as Record<string, { Type: string; DeletionPolicy?: string }>)
      .filter(({ Type }) => Type === 'AWS::EFS::FileSystem')
      .map(({ DeletionPolicy }) => DeletionPolicy);
  expect(policies({ 'data-layer:stage': 'staging' })).toEqual(['Retain']);
  expect(policies({ 'data-layer:stage': 'dev' })).toEqual(['Retain']);
  expect(policies({ 'data-layer:stage': 'dev', 'data-layer:allowDestroy': 'true' })).toEqual(['Delete']);
});
