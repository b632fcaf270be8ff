import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EfsDataLayer, StopFirstServiceOptions } from '../../lib';
import { importedVpc } from '../helpers';

function run(options: StopFirstServiceOptions = {}, vpc?: (stack: Stack) => ec2.IVpc) {
  const app = new App();
  const stack = new Stack(app, 'Test');
  const data = new EfsDataLayer(stack, 'Data', { vpc: vpc?.(stack) });
  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
  const service = data.openWebUi.runOn(cluster, options);
  return { app, stack, data, cluster, service };
}

const SINGLE = {
  DesiredCount: 1,
  AvailabilityZoneRebalancing: 'DISABLED',
  EnableExecuteCommand: true,
  DeploymentConfiguration: {
    MinimumHealthyPercent: 0,
    MaximumPercent: 100,
    DeploymentCircuitBreaker: { Enable: true, Rollback: false },
  },
};

test('a service of a single-writer workload never runs two tasks by ECS’s own doing', () => {
  Template.fromStack(run().stack).hasResourceProperties('AWS::ECS::Service', SINGLE);
});

test('desired count 0 stops the application', () => {
  Template.fromStack(run({ desiredCount: 0 }).stack).hasResourceProperties('AWS::ECS::Service', { DesiredCount: 0 });
});

describe('a prop that would undo it is refused, and the text says why', () => {
  test.each<[StopFirstServiceOptions, RegExp]>([
    [{ desiredCount: 2 }, /DesiredCount is 2; allowed is 0 or 1/],
    [{ minHealthyPercent: 50 }, /MinimumHealthyPercent is 50; allowed is 0/],
    [{ maxHealthyPercent: 200 }, /MaximumPercent is 200; allowed is 100/],
    [
      { availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED },
      /AvailabilityZoneRebalancing is "ENABLED"/,
    ],
    [{ circuitBreaker: { enable: true, rollback: true } }, /Rollback is true.*older image/s],
  ])('%p', (options, message) => {
    expect(() => run(options)).toThrow(message);
    expect(() => run(options)).toThrow(/corrupts the files/);
  });
});

describe('an escape hatch that would undo it fails the synth', () => {
  test.each([
    ['DesiredCount', 2],
    ['DeploymentConfiguration.MaximumPercent', 200],
    ['DeploymentConfiguration.MinimumHealthyPercent', 100],
    ['AvailabilityZoneRebalancing', 'ENABLED'],
    ['DeploymentConfiguration.Strategy', 'BLUE_GREEN'],
    ['SchedulingStrategy', 'DAEMON'],
  ])('%s = %p', (property, value) => {
    const { app, service } = run();
    (service.service.node.defaultChild as ecs.CfnService).addPropertyOverride(property, value);
    expect(() => app.synth()).toThrow(/Single writer: .*corrupts the files/s);
  });
  test('a deleted setting', () => {
    const { app, service } = run();
    (service.service.node.defaultChild as ecs.CfnService).addPropertyDeletionOverride('DeploymentConfiguration');
    expect(() => app.synth()).toThrow(/MaximumPercent is undefined/);
  });
  test('auto scaling', () => {
    const { app, service } = run();
    service.service.autoScaleTaskCount({ maxCapacity: 4 });
    expect(() => app.synth()).toThrow(/auto scaling is attached/);
  });
  test('auto scaling of another service is none of our business', () => {
    const { app, stack, cluster } = run();
    const task = new ecs.FargateTaskDefinition(stack, 'Other');
    task.addContainer('c', { image: ecs.ContainerImage.fromRegistry('example/x:1') });
    const other = new ecs.FargateService(stack, 'OtherService', {
      cluster,
      taskDefinition: task,
      minHealthyPercent: 100,
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
    });
    other.autoScaleTaskCount({ maxCapacity: 4 });
    expect(() => app.synth()).not.toThrow();
  });
});

describe('placement', () => {
  test('default network: public subnets, a public address, no inbound rule', () => {
    const { stack, service } = run();
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
    const group = stack.getLogicalId(service.connections.securityGroups[0].node.defaultChild as ec2.CfnSecurityGroup);
    expect(template.toJSON().Resources[group].Properties.SecurityGroupIngress).toBeUndefined();
    const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'));
    expect(rules.filter((rule) => JSON.stringify(rule.Properties.GroupId).includes(group))).toEqual([]);
  });
  test('a VPC with NAT: private subnets, no public address', () => {
    const { stack } = run({}, (scope) =>
      importedVpc(scope, undefined, {
        privateSubnetIds: ['subnet-000000a1', 'subnet-000000b1'],
        publicSubnetIds: ['subnet-000000a2', 'subnet-000000b2'],
      }),
    );
    Template.fromStack(stack).hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: {
        AwsvpcConfiguration: { AssignPublicIp: 'DISABLED', Subnets: ['subnet-000000a1', 'subnet-000000b1'] },
      },
    });
  });
  test('a VPC without a way out is refused, unless the subnets are chosen', () => {
    expect(() => run({}, (scope) => importedVpc(scope))).toThrow(/no subnet with a way out.*interface endpoints/s);
    expect(() =>
      run({ vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED } }, (scope) => importedVpc(scope)),
    ).not.toThrow();
  });
});

test('a second service of the same directory is refused', () => {
  const { data, stack } = run();
  expect(() => data.openWebUi.runOn(new ecs.Cluster(stack, 'Second', { vpc: data.vpc }))).toThrow(/would be a second/);
});

describe('ECS Exec', () => {
  test('the four ssmmessages actions and nothing else on "*"', () => {
    const { stack } = run();
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: [
              'ssmmessages:CreateControlChannel',
              'ssmmessages:CreateDataChannel',
              'ssmmessages:OpenControlChannel',
              'ssmmessages:OpenDataChannel',
            ],
            Resource: '*',
          }),
        ]),
      },
    });
  });

  test('the printed port-forwarding command runs in a shell and aims at the running task', () => {
    const { stack } = run();
    const output = Object.entries(Template.fromStack(stack).toJSON().Outputs).find(([key]) =>
      key.includes('PortForward'),
    )![1] as {
      Value: { 'Fn::Join': [string, unknown[]] };
    };
    const command = output.Value['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'X')).join('');
    const bin = fs.mkdtempSync(path.join(os.tmpdir(), 'aws-stand-in-'));
    fs.writeFileSync(
      path.join(bin, 'aws'),
      '#!/bin/sh\ncase "$1 $2" in "ecs list-tasks") echo arn:aws:ecs:r:1:task/c/abc123;; "ecs describe-tasks") echo abc123-456;; *) echo "$@";; esac\n',
      { mode: 0o755 },
    );
    const printed = execFileSync('sh', ['-c', command], {
      env: { PATH: `${bin}:${process.env.PATH}` },
      encoding: 'utf8',
    });
    fs.rmSync(bin, { recursive: true });
    expect(printed).toContain('ssm start-session');
    expect(printed).toContain('--target ecs:X_abc123_abc123-456');
    expect(printed).toContain('--document-name AWS-StartPortForwardingSession');
  });
});

describe('Service Connect', () => {
  const chromaRules = (stack: Stack) =>
    Object.values(Template.fromStack(stack).findResources('AWS::EC2::SecurityGroupIngress')).filter(
      (rule) => rule.Properties.FromPort === 8000,
    );
  test('the Chroma server is published as chroma:8000', () => {
    const { stack, data, cluster } = run();
    data.knowledge.runOn(cluster);
    Template.fromStack(stack).hasResourceProperties('AWS::ECS::Service', {
      ServiceConnectConfiguration: {
        Enabled: true,
        Services: [{ PortName: 'chroma', ClientAliases: [{ DnsName: 'chroma', Port: 8000 }] }],
      },
    });
    expect(chromaRules(stack)).toEqual([]);
  });
  test('its port is open to those allowed', () => {
    const { stack, data, cluster, service } = run();
    data.knowledge.runOn(cluster);
    data.knowledge.allowClient(service);
    expect(chromaRules(stack)).toHaveLength(1);
  });
});
