import { RemovalPolicy, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, IConstruct } from 'constructs';
import { inputError } from '../errors';
import { MigrationPhase } from './migration-phase';

/** What a store is made for. */
export interface StoreContext {
  /** The VPC of the tasks. */
  readonly vpc: ec2.IVpc;
  /** RETAIN, or DESTROY when both keys are turned. */
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Two zones for a managed service: isolated subnets are preferred, then private ones. A public subnet is refused:
 * nothing in it needs a way in from outside.
 */
export function serviceSubnets(scope: IConstruct, vpc: ec2.IVpc, what: string): string[] {
  const subnets = vpc.isolatedSubnets.length > 0 ? vpc.isolatedSubnets : vpc.privateSubnets;
  const zones = new Set(subnets.map((subnet) => subnet.availabilityZone));
  if (zones.size < 2) {
    throw inputError(
      scope,
      `The VPC ${vpc.node.path} has isolated or private subnets in ${zones.size} Availability Zone(s); ${what} needs two.`,
      'Pass a VPC with such subnets in two zones, or leave vpc out to get one made.',
    );
  }
  return [...zones].map((zone) => subnets.find((subnet) => subnet.availabilityZone === zone)!.subnetId);
}

/** Checks a phase, which JavaScript or a cast may get wrong. */
export function requirePhase(scope: IConstruct, phase: unknown = MigrationPhase.CUTOVER): MigrationPhase {
  const valid = Object.values(MigrationPhase);
  if (!valid.includes(phase as MigrationPhase)) {
    throw inputError(
      scope,
      `phase is ${JSON.stringify(phase)}.`,
      `Pass one of MigrationPhase: ${valid.join(', ')}, in this order, one deployment each.`,
    );
  }
  return phase as MigrationPhase;
}

/** Checks a text that becomes part of an address. */
export function requireName(scope: IConstruct, prop: string, value: unknown, valid: RegExp, wayOut: string): string {
  if (Token.isUnresolved(value)) {
    return value as string;
  }
  if (typeof value !== 'string' || !valid.test(value)) {
    throw inputError(scope, `${prop} is ${JSON.stringify(value)}.`, wayOut);
  }
  return value;
}

/** The complete ARN, with the six characters that Secrets Manager adds to a name. */
export const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$/;

/** A secret that exists. */
export function existingSecret(scope: Construct, prop: string, arn: unknown): secretsmanager.ISecret {
  const known = requireName(
    scope,
    prop,
    arn,
    SECRET_ARN,
    'Pass the complete ARN, with the six characters at its end: aws secretsmanager describe-secret prints it.',
  );
  return secretsmanager.Secret.fromSecretCompleteArn(scope, 'Secret', known);
}
