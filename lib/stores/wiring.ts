import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';

/** What a store gives to an application. */
export interface Wiring {
  readonly environment: { [name: string]: string };
  readonly secrets: { [name: string]: ecs.Secret };
  /** Lets a role of a task in. */
  grant?(role: iam.IRole): void;
  /** Lets a service in. */
  allowFrom?(peer: ec2.IConnectable): void;
}
