import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { StoreContext } from '../context';

/** A search that was made. */
export interface SearchAccess {
  /** Where it answers, with https://. */
  readonly endpoint: string;
  /** The index that evidence is put into and searched in. */
  readonly indexName: string;
  /** Lets a service in, when the search is private. */
  allowFrom(peer: ec2.IConnectable): void;
}

/** What stands behind a choice of a search. */
export interface SearchChoice {
  readonly name: string;
  readonly create?: (scope: Construct, context: StoreContext, indexer: iam.IRole) => SearchAccess;
}
