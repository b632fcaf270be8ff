import { Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { census, dataLayer, id, importedVpc } from '../helpers';

describe('network', () => {
  test('an own VPC has no hourly cost', () => {
    const counts = census(dataLayer().template);
    expect(counts['AWS::EC2::NatGateway']).toBeUndefined();
    expect(counts['AWS::EC2::EIP']).toBeUndefined();
  });

  test('the mount targets’ group has no inbound rule of its own', () => {
    dataLayer().template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
  });

  test('an imported VPC gets one mount target in each zone, whatever the order of its subnets', () => {
    const ids = (zones: string[]) => {
      const { template } = dataLayer((stack) => ({ vpc: importedVpc(stack, zones) }));
      return Object.fromEntries(
        Object.entries(template.findResources('AWS::EFS::MountTarget')).map(([id, { Properties }]) => [
          id,
          Properties.SubnetId,
        ]),
      );
    };
    const forward = ids(['us-east-1a', 'us-east-1b', 'us-east-1c']);
    expect(Object.values(forward).sort()).toEqual(
      ['us-east-1a', 'us-east-1b', 'us-east-1c'].map((z) => id('subnet', z)),
    );
    expect(ids(['us-east-1c', 'us-east-1a', 'us-east-1b'])).toEqual(forward);
  });

  test('two subnets in one zone get one mount target', () => {
    const { template } = dataLayer((stack) => ({
      vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['us-east-1a', 'us-east-1b'],
        isolatedSubnetIds: ['subnet-000000a1', 'subnet-000000b1'],
        publicSubnetIds: ['subnet-000000a2', 'subnet-000000b2'],
      }),
    }));
    template.resourceCountIs('AWS::EFS::MountTarget', 2);
  });

  test('a VPC of one zone is refused', () => {
    expect(() => dataLayer((stack) => ({ vpc: importedVpc(stack, ['us-east-1a']) }))).toThrow(
      /\[Test\/Data\/Volume\].*1 Availability Zone.*two zones/s,
    );
  });
});
