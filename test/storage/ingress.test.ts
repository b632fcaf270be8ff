import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { allowInto } from '../../lib/storage/ingress';
import { importedVpc } from '../helpers';

function groups(allowAllOutbound: boolean) {
  const stack = new Stack(undefined, 'Test');
  const vpc = importedVpc(stack);
  const target = new ec2.SecurityGroup(stack, 'Target', { vpc });
  return { stack, target, peer: new ec2.SecurityGroup(stack, 'Peer', { vpc, allowAllOutbound }) };
}

test('one rule, however often it is asked for', () => {
  const { stack, target, peer } = groups(true);
  allowInto(peer, target, 2049, 'NFS');
  allowInto(peer, target, 2049, 'NFS');
  Template.fromStack(stack).resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
});

test('a rule for each port', () => {
  const { stack, target, peer } = groups(true);
  allowInto(peer, target, 2049, 'NFS');
  allowInto(peer, target, 8000, 'Chroma');
  Template.fromStack(stack).resourceCountIs('AWS::EC2::SecurityGroupIngress', 2);
});

test('a peer that may not go out is allowed to go there', () => {
  const { stack, target, peer } = groups(false);
  allowInto(peer, target, 2049, 'NFS');
  Template.fromStack(stack).hasResourceProperties('AWS::EC2::SecurityGroup', {
    SecurityGroupEgress: [
      Match.objectLike({ FromPort: 2049, ToPort: 2049, DestinationSecurityGroupId: Match.anyValue() }),
    ],
  });
});
