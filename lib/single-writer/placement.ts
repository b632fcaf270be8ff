import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { IConstruct } from 'constructs';
import { inputError } from '../errors';

/** Where tasks run. */
export interface Placement {
  readonly vpcSubnets: ec2.SubnetSelection;
  readonly assignPublicIp: boolean;
}

/**
 * Chooses subnets from which an image can be pulled. In the VPC the data layer makes these are the public ones, with a
 * public IPv4 address (about $3.65 a month while the task runs; AmazonVPC PublicIPv4:InUseAddress, $0.005 per hour,
 * vpc price list of 2025-11-04) and no inbound rule: cheaper than any NAT gateway or set of interface endpoints.
 */
export function placeTasks(scope: IConstruct, vpc: ec2.IVpc, vpcSubnets?: ec2.SubnetSelection): Placement {
  if (vpcSubnets) {
    const chosen = vpc.selectSubnets(vpcSubnets);
    return { vpcSubnets: { subnets: chosen.subnets }, assignPublicIp: chosen.hasPublic };
  }
  if (vpc.privateSubnets.length > 0) {
    return { vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }, assignPublicIp: false };
  }
  if (vpc.publicSubnets.length > 0) {
    return { vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC }, assignPublicIp: true };
  }
  throw inputError(
    scope,
    `The VPC ${vpc.node.path} has no subnet with a way out: no task could pull its image.`,
    'Pass vpcSubnets with isolated subnets if the VPC has interface endpoints for ECR, CloudWatch Logs and SSM and your images are in ECR; else add a NAT gateway or public subnets.',
  );
}
