/** A VPC and a file system that exist already: nothing of them is made, changed or deleted. */
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { EfsDataLayer } from 'efs-data-layer';

const app = new App();
const stack = new Stack(app, 'Adopted');

// By attributes, so that synth needs no credentials; ec2.Vpc.fromLookup does as well.
const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['us-east-1a', 'us-east-1b'],
  privateSubnetIds: ['subnet-0000000000000000a', 'subnet-0000000000000000b'],
  privateSubnetRouteTableIds: ['rtb-0000000000000000a', 'rtb-0000000000000000b'],
});

new EfsDataLayer(stack, 'DataLayer', {
  existingFileSystem: {
    fileSystemId: 'fs-0123456789abcdef0',
    vpc,
    securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'MountTargets', 'sg-0123456789abcdef0'),
    // Set it to true once the policy that the warning prints is attached to the file system.
    policyAttached: false,
  },
});
