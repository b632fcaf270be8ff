import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { inputError } from '../errors';

/**
 * A VPC with no hourly cost: two zones, public and isolated subnets, no NAT gateway, no interface endpoint,
 * the free S3 gateway endpoint. Mount targets stand in the isolated subnets; a service that must pull images
 * runs in the public ones with a public IPv4 address and no inbound rule.
 */
export function createVpcWithoutHourlyCost(scope: Construct): ec2.Vpc {
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    ipAddresses: ec2.IpAddresses.cidr('10.0.0.0/16'),
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [
      // Services ask for a public address themselves; nothing else may get one by accident.
      { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask: 20 },
      { name: 'Data', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 20 },
    ],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    // Set here because a feature flag decides otherwise, and true brings a custom resource with a Lambda function.
    // Nothing of the data layer is in the default security group.
    restrictDefaultSecurityGroup: false,
  });
  Validations.of(vpc).acknowledge({
    id: 'AwsSolutions-VPC7',
    reason:
      'Flow logs are billed per GiB and would cost more than the volume. The VPC has no inbound rule; add vpc.addFlowLog() where an audit asks for it.',
  });
  return vpc;
}

/** A subnet for one mount target, and the name of its zone for the construct id. */
export interface MountTargetSubnet {
  readonly id: string;
  readonly subnet: ec2.ISubnet;
}

/**
 * One subnet per Availability Zone (EFS allows one mount target per zone). Isolated subnets are preferred, then
 * private ones, then public. Ids carry the zone's name, so that the order of subnets in an import does not matter.
 */
export function oneSubnetPerZone(scope: Construct, vpc: ec2.IVpc): MountTargetSubnet[] {
  const candidates = [...vpc.isolatedSubnets, ...vpc.privateSubnets, ...vpc.publicSubnets];
  const byZone = new Map<string, ec2.ISubnet>();
  for (const subnet of candidates) {
    if (!byZone.has(subnet.availabilityZone)) {
      byZone.set(subnet.availabilityZone, subnet);
    }
  }
  if (byZone.size < 2) {
    throw inputError(
      scope,
      `The VPC ${vpc.node.path} has subnets in ${byZone.size} Availability Zone(s); a Regional file system needs mount targets in at least two, or the data is out of reach when one zone fails.`,
      'Pass a VPC with subnets in two zones, or leave vpc out to get one made.',
    );
  }
  const zones = [...byZone.keys()];
  const named = zones.every((zone) => /^[a-z0-9-]+$/.test(zone));
  const ordered = named ? [...zones].sort() : zones;
  return ordered.map((zone, index) => ({
    id: named ? `MountTarget-${zone}` : `MountTarget${index + 1}`,
    subnet: byZone.get(zone)!,
  }));
}
