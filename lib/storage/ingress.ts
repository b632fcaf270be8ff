import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { inputError } from '../errors';

/**
 * Lets every security group of a peer into a target. The rule stands in the peer's stack: written on the target's
 * side it would make the target's stack depend on the peer's, and with the peer's dependency on the volume a cycle.
 */
export function allowInto(peer: ec2.IConnectable, target: ec2.ISecurityGroup, port: number, description: string): void {
  if (!peer?.connections?.securityGroups.length) {
    throw inputError(
      target,
      `What is to be let in (${description}) has no security group, so that no rule could let it in.`,
      'Pass a service or a security group; give an imported service its securityGroups.',
    );
  }
  peer.connections.securityGroups.forEach((source) => {
    const id = `To ${target.node.path.replace(/[^A-Za-z0-9]/g, '')} ${port}`;
    if (source.node.tryFindChild(id)) {
      return;
    }
    new ec2.CfnSecurityGroupIngress(source, id, {
      groupId: target.securityGroupId,
      sourceSecurityGroupId: source.securityGroupId,
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
      description,
    });
    if (!source.allowAllOutbound) {
      source.addEgressRule(ec2.Peer.securityGroupId(target.securityGroupId), ec2.Port.tcp(port), description);
    }
  });
}
