import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { DataLayerStack, EfsDataLayer, Writers } from '../lib';
import { census, dataLayer, newStack, statementsOf } from './helpers';

const RECOMMENDED_FLAGS = require('aws-cdk-lib/recommended-feature-flags.json');

describe('the $6 topology', () => {
  test('is exactly these resources: a new billable one must be added here on purpose', () => {
    expect(census(dataLayer().template)).toMatchInlineSnapshot(`
{
  "AWS::Backup::BackupPlan": 1,
  "AWS::Backup::BackupSelection": 1,
  "AWS::Backup::BackupVault": 1,
  "AWS::EC2::InternetGateway": 1,
  "AWS::EC2::Route": 2,
  "AWS::EC2::RouteTable": 4,
  "AWS::EC2::SecurityGroup": 1,
  "AWS::EC2::Subnet": 4,
  "AWS::EC2::SubnetRouteTableAssociation": 4,
  "AWS::EC2::VPC": 1,
  "AWS::EC2::VPCEndpoint": 1,
  "AWS::EC2::VPCGatewayAttachment": 1,
  "AWS::ECS::TaskDefinition": 3,
  "AWS::EFS::AccessPoint": 3,
  "AWS::EFS::FileSystem": 1,
  "AWS::EFS::MountTarget": 2,
  "AWS::IAM::Policy": 6,
  "AWS::IAM::Role": 7,
  "AWS::Logs::LogGroup": 3,
}
`);
  });

  test('has only a gateway endpoint, which is free', () => {
    const endpoints = Object.values(dataLayer().template.findResources('AWS::EC2::VPCEndpoint'));
    expect(endpoints.map((endpoint) => endpoint.Properties.VpcEndpointType)).toEqual(['Gateway']);
  });
});

test('the template does not depend on the feature flags of the app that uses it', () => {
  const make = (context: Record<string, unknown>) => {
    const stack = new DataLayerStack(new App({ context }), 'Test', {
      services: true,
      focusExport: { bucketName: 'exports', prefix: 'focus/cost' },
    });
    return Template.fromStack(stack).toJSON();
  };
  expect(make(RECOMMENDED_FLAGS)).toEqual(make({}));
});

describe('the file system', () => {
  test('is encrypted, bursting, General Purpose, tiered, retained, with the automatic backup off', () => {
    dataLayer().template.hasResource('AWS::EFS::FileSystem', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Encrypted: true,
        KmsKeyId: Match.absent(),
        PerformanceMode: 'generalPurpose',
        ThroughputMode: 'bursting',
        LifecyclePolicies: [{ TransitionToIA: 'AFTER_30_DAYS' }, { TransitionToPrimaryStorageClass: 'AFTER_1_ACCESS' }],
        BackupPolicy: { Status: 'DISABLED' },
      },
    });
  });

  test('takes a key of one’s own', () => {
    const { template } = dataLayer((stack) => ({ kmsKey: new kms.Key(stack, 'Key') }));
    template.hasResourceProperties('AWS::EFS::FileSystem', {
      KmsKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] },
    });
  });
});

describe('deletion needs two keys', () => {
  const policyOf = (props: object, context?: object) => {
    const { template, stack } = dataLayer(props, { context: context as Record<string, unknown> });
    const [fileSystem] = Object.values(template.findResources('AWS::EFS::FileSystem'));
    const warned = JSON.stringify(stack.node.findChild('Data').node.findChild('Volume').node.metadata).includes(
      'OneKeyOnly',
    );
    return { policy: fileSystem.DeletionPolicy, warned };
  };
  test('the prop alone keeps the data and warns', () => {
    expect(policyOf({ removalPolicy: RemovalPolicy.DESTROY })).toEqual({ policy: 'Retain', warned: true });
  });
  test('the context alone keeps the data', () => {
    expect(policyOf({}, { 'data-layer:allowDestroy': true })).toEqual({ policy: 'Retain', warned: false });
  });
  test.each([true, 'true'])('both together delete (context %p)', (value) => {
    expect(policyOf({ removalPolicy: RemovalPolicy.DESTROY }, { 'data-layer:allowDestroy': value })).toEqual({
      policy: 'Delete',
      warned: false,
    });
  });
  test('SNAPSHOT is refused: CloudFormation has none for EFS', () => {
    expect(() => dataLayer({ removalPolicy: RemovalPolicy.SNAPSHOT })).toThrow(
      /\[Test\/Data\/Volume\].*snapshot.*RETAIN/is,
    );
  });
});

describe('workloads', () => {
  test.each([
    ['/open-webui', 'DataOpenWebUi'],
    ['/knowledge', 'DataKnowledge'],
    ['/evidence', 'DataEvidence'],
  ])('%s: an access point, a role for this access point only, a volume with TLS and IAM', (path, prefix) => {
    const { template } = dataLayer();
    template.hasResourceProperties('AWS::EFS::AccessPoint', {
      PosixUser: { Uid: '1000', Gid: '1000' },
      RootDirectory: { Path: path, CreationInfo: { OwnerUid: '1000', OwnerGid: '1000', Permissions: '750' } },
    });
    const [accessPoint] = Object.keys(
      template.findResources('AWS::EFS::AccessPoint', { Properties: { RootDirectory: { Path: path } } }),
    );
    const efs = statementsOf(template, `${prefix}TaskTaskRole`).filter((statement) =>
      JSON.stringify(statement.Action).includes('elasticfilesystem'),
    );
    expect(efs).toHaveLength(1);
    expect(efs[0].Action).toEqual(['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite']);
    expect(JSON.stringify(efs[0].Condition)).toContain(`"Ref":"${accessPoint}"`);
    expect(JSON.stringify(efs[0].Resource)).not.toContain('"*"');
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      RequiresCompatibilities: ['FARGATE'],
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      Volumes: Match.arrayWith([
        Match.objectLike({
          EFSVolumeConfiguration: {
            TransitEncryption: 'ENABLED',
            RootDirectory: Match.absent(),
            AuthorizationConfig: { AccessPointId: { Ref: accessPoint }, IAM: 'ENABLED' },
          },
        }),
      ]),
    });
  });

  test('x86 by prop, logs with retention', () => {
    const { template } = dataLayer({
      cpuArchitecture: ecs.CpuArchitecture.X86_64,
      logRetention: logs.RetentionDays.ONE_WEEK,
    });
    template.allResourcesProperties('AWS::ECS::TaskDefinition', { RuntimePlatform: { CpuArchitecture: 'X86_64' } });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
  });

  test('no task definition comes near the limit of 64 KiB', () => {
    for (const task of Object.values(dataLayer().template.findResources('AWS::ECS::TaskDefinition'))) {
      // The keeper takes up to half of it.
      expect(JSON.stringify(task.Properties).length).toBeLessThan(48 * 1024);
    }
  });
});

describe('isolation between access points', () => {
  type Statement = {
    Effect: string;
    Action: string | string[];
    Resource: unknown;
    Condition?: { StringEquals?: Record<string, unknown> };
  };
  /** What IAM decides for one access point, as far as these statements use its language. */
  function allowed(statements: Statement[], action: string, accessPoint: string): boolean {
    const given = JSON.stringify({ 'Fn::GetAtt': [accessPoint, 'Arn'] });
    return statements
      .filter(
        ({ Effect, Action }) =>
          Effect === 'Allow' && [Action].flat().some((name) => ['*', 'elasticfilesystem:*', action].includes(name)),
      )
      .some(({ Condition }) => {
        const wanted = Condition?.StringEquals?.['elasticfilesystem:AccessPointArn'];
        return (
          wanted === undefined ||
          JSON.stringify(wanted) === given ||
          JSON.stringify(wanted).includes(`"Ref":"${accessPoint}"`)
        );
      });
  }
  test('each role may mount and write through its own access point and through no other; nobody has root', () => {
    const stack = newStack();
    const data = new EfsDataLayer(stack, 'Data');
    data.addWorkload('Reports', { directory: '/reports', writers: Writers.MANY });
    const mine = new ecs.FargateTaskDefinition(stack, 'Mine');
    data.evidence.mountOn(mine, mine.addContainer('c', { image: ecs.ContainerImage.fromRegistry('example/x:1') }), {
      readOnly: true,
    });
    const template = Template.fromStack(stack);
    const points = Object.keys(template.findResources('AWS::EFS::AccessPoint'));
    expect(points).toHaveLength(4);
    const decisions = Object.keys(template.findResources('AWS::ECS::TaskDefinition')).map((task) => {
      const statements = statementsOf(template, `${task.slice(0, -8)}TaskRole`) as unknown as Statement[];
      const may = (action: string) =>
        points.filter((point) => allowed(statements, `elasticfilesystem:${action}`, point)).map((p) => p.slice(0, -8));
      return [task.slice(0, -8), may('ClientMount'), may('ClientWrite'), may('ClientRootAccess')];
    });
    expect(decisions.sort()).toEqual([
      ['DataEvidenceTask', ['DataEvidenceAccessPoint'], ['DataEvidenceAccessPoint'], []],
      ['DataKnowledgeTask', ['DataKnowledgeAccessPoint'], ['DataKnowledgeAccessPoint'], []],
      ['DataOpenWebUiTask', ['DataOpenWebUiAccessPoint'], ['DataOpenWebUiAccessPoint'], []],
      ['Mine', ['DataEvidenceAccessPoint'], [], []],
    ]);
  });
});

test('outputs name what people need', () => {
  const descriptions = Object.keys(dataLayer().template.toJSON().Outputs).map((key) => key.replace(/^Data|.{8}$/g, ''));
  expect(descriptions.sort()).toEqual(
    ['OpenWebUi', 'Knowledge', 'Evidence']
      .flatMap((name) => [`${name}AccessPointId`, `${name}MountPath`, `${name}TaskDefinitionArn`])
      .concat('FileSystemId', 'Region')
      .sort(),
  );
});

test('tags for cost allocation and data classification', () => {
  const { template } = dataLayer({ costCenter: 'finops' });
  template.hasResourceProperties('AWS::EFS::FileSystem', {
    FileSystemTags: Match.arrayWith([
      { Key: 'CostCenter', Value: 'finops' },
      { Key: 'DataClassification', Value: 'confidential' },
      { Key: 'ManagedBy', Value: 'efs-data-layer' },
    ]),
  });
});

test.each([
  ['without feature flags', {}],
  ['with the recommended ones, where references between stacks are weak', RECOMMENDED_FLAGS],
])(
  'data layer and services in two stacks have no cycle, and the rule is on the consumer’s side: %s',
  (_name, context) => {
    const app = new App({ context });
    const dataStack = new Stack(app, 'DataStack');
    const data = new EfsDataLayer(dataStack, 'Data');
    const serviceStack = new Stack(app, 'Services');
    const cluster = new ecs.Cluster(serviceStack, 'Cluster', { vpc: data.vpc });
    const server = data.knowledge.runOn(cluster);
    const chat = data.openWebUi.runOn(cluster);
    data.knowledge.allowClient(chat);
    data.evidence.scheduleOn(cluster);
    app.synth();
    expect(server.service.node.path).toMatch(/^Services\//);
    Template.fromStack(dataStack).resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    const rules = Object.values(Template.fromStack(serviceStack).findResources('AWS::EC2::SecurityGroupIngress'));
    expect(rules.map((rule) => rule.Properties.FromPort).sort()).toEqual([2049, 2049, 2049, 8000]);
    expect(serviceStack.dependencies).toContain(dataStack);
    expect(dataStack.dependencies).toEqual([]);
  },
);
