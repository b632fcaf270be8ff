import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createApp } from '../../bin/app';
import { EfsDataLayer } from '../../lib';

const cdkJson = require('../../cdk.json');

const VARIANTS: [string, Record<string, unknown>][] = [
  ['default', {}],
  ['services', { 'data-layer:services': true, 'data-layer:focusExport': 's3://exports/focus/cost' }],
  ['no backup', { 'data-layer:backup': false }],
  ['x86', { 'data-layer:architecture': 'x86_64' }],
  ['dev', { 'data-layer:stage': 'dev', 'data-layer:allowDestroy': true }],
  ['tagged', { 'data-layer:costCenter': 'finops' }],
];

/** Types whose replacement or deletion loses data, or runs a second writer. */
const GUARDED = new Set([
  'AWS::EFS::FileSystem',
  'AWS::EFS::AccessPoint',
  'AWS::Backup::BackupVault',
  'AWS::ECS::Service',
]);

function template(context: Record<string, unknown>) {
  const app = createApp({ context: { ...cdkJson.context, ...context } });
  return Template.fromStack(app.node.children.find(Stack.isStack) as Stack).toJSON();
}

function guarded(context: Record<string, unknown>) {
  return Object.entries(template(context).Resources as Record<string, { Type: string }>)
    .filter(([, { Type }]) => GUARDED.has(Type))
    .map(([id, { Type }]) => `${Type} ${id}`)
    .sort();
}

test.each(VARIANTS)('%s: passes CloudFormation’s rules as errors and cdk-nag', (_name, context) => {
  expect(cdkJson.context['@aws-cdk/core:validateAgainstDefaultRules']).toBe(true);
  expect(cdkJson.context['@aws-cdk/core:strictCfnValidateErrors']).toBe(true);
  expect(() => createApp({ context: { ...cdkJson.context, ...context } }).synth()).not.toThrow();
});

test('the gate works: an open security group beside the data layer fails the synth', () => {
  const app = createApp({ context: cdkJson.context });
  const stack = app.node.children.find(Stack.isStack) as Stack;
  new ec2.CfnSecurityGroup(stack, 'Open', {
    groupDescription: 'open',
    vpcId: 'vpc-0123456789abcdef0',
    securityGroupIngress: [{ cidrIp: '0.0.0.0/0', ipProtocol: '-1' }],
  });
  expect(() => app.synth()).toThrow(/AwsSolutions-EC23/);
});

test('logical ids of what carries data are pinned', () => {
  expect(guarded({ 'data-layer:services': true })).toMatchInlineSnapshot(`
   [
     "AWS::Backup::BackupVault DataLayerVolumeBackupVault8809994A",
     "AWS::ECS::Service ClusterDataLayerKnowledgeServiceF256CDAF",
     "AWS::ECS::Service ClusterDataLayerOpenWebUiService25F997CA",
     "AWS::EFS::AccessPoint DataLayerEvidenceAccessPoint7B4B24C3",
     "AWS::EFS::AccessPoint DataLayerKnowledgeAccessPoint1B4DFB80",
     "AWS::EFS::AccessPoint DataLayerOpenWebUiAccessPoint1E525E0B",
     "AWS::EFS::FileSystem DataLayerVolumeFileSystemE87AB1FD",
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
