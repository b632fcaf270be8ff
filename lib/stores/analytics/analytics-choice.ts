import { RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { IS3Tables } from './s3-tables';

/** What a store of evidence is made for. */
export interface AnalyticsContext {
  /** RETAIN, or DESTROY when both keys are turned. */
  readonly removalPolicy: RemovalPolicy;
  /** The export that is loaded. Undefined when the evidence workload has none. */
  readonly export?: { readonly bucket: s3.IBucket; readonly prefix: string };
}

/** What stands behind a choice of an analytics store. */
export interface AnalyticsChoice {
  readonly name: string;
  readonly create?: (scope: Construct, context: AnalyticsContext) => IS3Tables;
}
