import { App, AppProps, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { EfsDataLayer, EfsDataLayerProps } from '../lib';

export function newStack(props?: AppProps): Stack {
  return new Stack(new App(props), 'Test');
}

/** A data layer in a stack of its own, and its template. */
export function dataLayer(
  props?: EfsDataLayerProps | ((stack: Stack) => EfsDataLayerProps),
  app?: AppProps,
): { stack: Stack; data: EfsDataLayer; template: Template } {
  const stack = newStack(app);
  const data = new EfsDataLayer(stack, 'Data', typeof props === 'function' ? props(stack) : props);
  return { stack, data, template: Template.fromStack(stack) };
}

/** Types and how many of each: what a bill counts. */
export function census(template: Template): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { Type } of Object.values(template.toJSON().Resources as Record<string, { Type: string }>)) {
    counts[Type] = (counts[Type] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort());
}

/** An id in the form CloudFormation's rules ask for, one per zone. */
export const id = (kind: 'subnet' | 'rtb', zone: string, tier = 'd') => `${kind}-0000000${tier}${zone.slice(-1)}`;

/** A VPC made elsewhere, with one isolated subnet in each zone. */
export function importedVpc(
  stack: Stack,
  zones = ['us-east-1a', 'us-east-1b'],
  extra: Partial<ec2.VpcAttributes> = {},
) {
  return ec2.Vpc.fromVpcAttributes(stack, 'Existing', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: zones,
    isolatedSubnetIds: zones.map((zone) => id('subnet', zone)),
    isolatedSubnetRouteTableIds: zones.map((zone) => id('rtb', zone)),
    ...extra,
  });
}

/** The statements of every policy that a role of this logical id prefix has. */
export function statementsOf(template: Template, rolePrefix: string): Record<string, unknown>[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .filter((policy) => JSON.stringify(policy.Properties.Roles).includes(rolePrefix))
    .flatMap((policy) => policy.Properties.PolicyDocument.Statement);
}
