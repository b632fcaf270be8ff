import { App, CfnElement, CfnOutput, CfnParameter, CfnResource, Fn, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import { Construct } from 'constructs';
import { AppTemplate } from '../../lib/checks/template';
import { check, compliant, compliantBut, findings } from './helpers';

function task(scope: Construct, fileSystem: efs.IFileSystem, accessPoint: efs.IAccessPoint) {
  const taskDefinition = new ecs.FargateTaskDefinition(scope, 'Task', {
    volumes: [
      {
        name: 'data',
        efsVolumeConfiguration: {
          fileSystemId: fileSystem.fileSystemId,
          transitEncryption: 'ENABLED',
          authorizationConfig: { accessPointId: accessPoint.accessPointId, iam: 'ENABLED' },
        },
      },
    ],
  });
  const container = taskDefinition.addContainer('app', {
    image: ecs.ContainerImage.fromRegistry('example/app:1'),
    environment: { DATABASE_URL: 'sqlite:////data/app.db' },
  });
  container.addMountPoints({ sourceVolume: 'data', containerPath: '/data', readOnly: false });
  return taskDefinition;
}

/** File system, task and service of the CDK's own constructs, each where it is told. */
function app(place: (app: App) => { storage: Construct; compute: Construct; services: Construct }) {
  const root = new App({ builtinCloudFormationValidation: false });
  const { storage, compute, services } = place(root);
  const vpc = new ec2.Vpc(storage, 'Vpc', { natGateways: 0 });
  const fileSystem = new efs.FileSystem(storage, 'Fs', { vpc, enableAutomaticBackups: true });
  const accessPoint = fileSystem.addAccessPoint('Ap', { path: '/app', posixUser: { uid: '1000', gid: '1000' } });
  const service = new ecs.FargateService(services, 'Service', {
    cluster: new ecs.Cluster(storage, 'Cluster', { vpc }),
    taskDefinition: task(compute, fileSystem, accessPoint),
    desiredCount: 2,
  });
  service.autoScaleTaskCount({ maxCapacity: 3 });
  return { root, service };
}

const EXPECTED = [/^AutoScaling .*Service\/TaskCount\/Target/, /^Overlapping.*Service\/Service/, /^Plain/, /^ZoneReb/];

test.each<[string, Parameters<typeof app>[0]]>([
  [
    'one stack',
    (root) => {
      const stack = new Stack(root, 'One');
      return { storage: stack, compute: stack, services: stack };
    },
  ],
  [
    'three stacks',
    (root) => ({
      storage: new Stack(root, 'Storage'),
      compute: new Stack(root, 'Compute'),
      services: new Stack(root, 'Services'),
    }),
  ],
  [
    'nested stacks of a stage',
    (root) => {
      const stack = new Stack(new Stage(root, 'Prod'), 'Parent');
      return {
        storage: new NestedStack(stack, 'Storage'),
        compute: new NestedStack(stack, 'Compute'),
        services: stack,
      };
    },
  ],
])('L2s in %s: references are followed', (_name, place) => {
  const { root } = app(place);
  const before = findings(root);
  expect([...new Set(before)]).toEqual(EXPECTED.map((pattern) => expect.stringMatching(pattern)));
  // After a synth the same references are exports and parameters.
  root.synth();
  expect(findings(root)).toEqual(before);
});

test('an escape hatch is seen', () => {
  const { root, service } = app((at) => {
    const stack = new Stack(at, 'One');
    return { storage: stack, compute: stack, services: stack };
  });
  const l1 = service.node.defaultChild as ecs.CfnService;
  l1.addPropertyOverride('AvailabilityZoneRebalancing', 'DISABLED');
  l1.addPropertyOverride('DesiredCount', 1);
  l1.addPropertyOverride('DeploymentConfiguration', { MinimumHealthyPercent: 0, MaximumPercent: 100 });
  expect(findings(root).map((found) => found.split(' ')[0])).toEqual(['AutoScaling', 'PlaintextAllowed']);
});

describe('references', () => {
  const stack = new Stack(new App(), 'Test');
  const target = new CfnResource(stack, 'Target', { type: 'Test::Target' });
  new CfnParameter(stack, 'Parameter');
  new CfnOutput(stack, 'Output', { value: target.ref });
  const id = stack.getLogicalId(target as CfnElement);
  let count = 0;
  const refers = (value: unknown) => {
    const from = new CfnResource(stack, `From${count++}`, { type: 'Test::From', properties: { value } });
    const template = new AppTemplate(stack.node.root);
    const { properties } = template.resources.find(({ construct }) => construct === from)!;
    return template.references(properties.value).map(({ logicalId }) => logicalId);
  };
  test.each<[string, unknown]>([
    ['a token', target.ref],
    ['a token in a text', `arn:aws:test:${target.ref}/x`],
    ['a token of an attribute', target.getAtt('Arn')],
    ['Fn.sub', Fn.sub('x-${Name.Id}', { 'Name.Id': target.ref })],
    ['Ref', { Ref: id }],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': [id, 'Arn'] }],
    ['Fn::GetAtt as a text', { 'Fn::GetAtt': `${id}.Arn` }],
    ['Fn::Sub', { 'Fn::Sub': `arn:\${AWS::Partition}:test/\${${id}.Name}` }],
    ['a variable of Fn::Sub', { 'Fn::Sub': ['${Name}', { Name: { Ref: id } }] }],
    ['deep inside', [{ a: { 'Fn::Join': ['/', ['x', { Ref: id }]] } }]],
  ])('%s', (_name, value) => {
    expect(refers(value)).toEqual([id]);
  });
  test.each<[string, unknown]>([
    ['a parameter', { Ref: 'Parameter' }],
    ['a pseudo parameter', { Ref: 'AWS::Region' }],
    ['a literal of Fn::Sub', { 'Fn::Sub': `\${!${id}}` }],
    ['nothing', null],
  ])('not %s', (_name, value) => {
    expect(refers(value)).toEqual([]);
  });
});

test('a template that is wrong elsewhere does not stop the rules', () => {
  const resources = compliantBut('Td', (td) => {
    td.ContainerDefinitions = 'nonsense';
    td.Volumes = { also: 'nonsense' };
  });
  resources.Fs.Properties!.LifecyclePolicies = 7;
  resources.Ap.Properties!.AccessPointTags = 'x';
  expect(check(resources)).toEqual([]);
});

test('of many conditions in one resource the extremes are looked at', () => {
  const branches = (value: string) =>
    Object.fromEntries(['A', 'B', 'C', 'D', 'E'].map((name) => [name, { 'Fn::If': [name, value, 'x'] }]));
  const resources = compliant();
  resources.Ap.Properties!.ClientToken = branches('y');
  resources.Ap.Properties!.PosixUser = { 'Fn::If': ['A', { Uid: '0', Gid: '0' }, { Uid: '1', Gid: '1' }] };
  expect(check(resources)).toEqual(['AccessPointAsRoot Ap']);
});
