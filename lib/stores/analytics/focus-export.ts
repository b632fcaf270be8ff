import { Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as bcm from 'aws-cdk-lib/aws-bcmdataexports';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { inputError, requireWholeNumber } from '../../errors';
import { requireName } from '../context';
import { FOCUS_COLUMNS } from './columns';

/** Where CloudFormation knows AWS::BCMDataExports::Export, in the commercial and the Chinese partition (its registry, read 2026-11). */
const EXPORT_REGIONS = ['us-east-1', 'cn-northwest-1'];

/** The table that AWS Data Exports calls FOCUS 1.2. */
const TABLE = 'FOCUS_1_2_AWS';

/** General purpose bucket names, without dots: those break TLS with virtual-host addresses. */
const BUCKET_NAME =
  /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** A FOCUS export to be made. */
export interface FocusExportProps {
  /** The name of the bucket, which is made. It is written out, so that a stack in another region can name it too. */
  readonly bucketName: string;

  /**
   * The export's name: letters, digits, hyphen and underscore.
   *
   * @default focus-1-2
   */
  readonly exportName?: string;

  /**
   * What stands before the export's name in the bucket, without a slash at either end.
   *
   * @default focus
   */
  readonly prefix?: string;

  /**
   * Days for which an overwritten file of the export can be brought back; 1 to 3650. AWS refreshes the files of a
   * month at least daily, and S3 charges for each version that is kept.
   *
   * @default 90
   */
  readonly overwrittenDays?: number;

  /**
   * What happens to the bucket when it leaves the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * An AWS Data Exports export of FOCUS 1.2 and the bucket it is delivered to: every column by name, daily rows, Parquet.
 * AWS charges for the storage of the files only. CloudFormation makes an export in us-east-1 and cn-northwest-1; for a
 * stack of another region call {@link exportFrom} with a stack of one of these. The bucket may be in any region.
 *
 * @example
 * const focus = new FocusExport(this, 'FocusExport', { bucketName: 'my-exports' });
 * focus.exportFrom(new Stack(app, 'Export', { env: { region: 'us-east-1' } }));
 */
export class FocusExport extends Construct {
  /** The bucket. */
  public readonly bucket: s3.IBucket;
  /** The prefix and the export's name, as {@link FocusExportSource} wants it. */
  public readonly prefix: string;
  private readonly bucketName: string;
  private readonly exportName: string;
  private readonly exportPrefix: string;
  private made = false;

  constructor(scope: Construct, id: string, props: FocusExportProps) {
    super(scope, id);
    this.bucketName = this.literal(
      'bucketName',
      props.bucketName,
      BUCKET_NAME,
      'Pass 3 to 63 lower-case letters, digits and hyphens, without a dot and without s3://.',
    );
    this.exportName = this.literal(
      'exportName',
      props.exportName ?? 'focus-1-2',
      /^[0-9A-Za-z_-]{1,128}$/,
      'Pass 1 to 128 letters, digits, hyphens and underscores.',
    );
    this.exportPrefix = this.literal(
      'prefix',
      props.prefix ?? 'focus',
      /^[0-9A-Za-z_.-]+(\/[0-9A-Za-z_.-]+)*$/,
      'Pass letters, digits and - _ . between slashes, without a slash at either end.',
    );
    this.prefix = `${this.exportPrefix}/${this.exportName}`;
    this.bucket = this.makeBucket(props);
    if (EXPORT_REGIONS.includes(Stack.of(this).region)) {
      this.addExport(this);
    }
    this.node.addValidation({ validate: () => (this.made ? [] : [this.withoutExport()]) });
  }

  /** Whether there is an export: made with the bucket, or by {@link exportFrom}. */
  public get isExported(): boolean {
    return this.made;
  }

  /**
   * Makes the export in a stack of another region. It is deployed after this one, and refers to nothing of it but the
   * bucket's name.
   *
   * @param stack a stack of us-east-1, or of cn-northwest-1 for a region in China
   * @throws an error if it is of another region, or if there is an export already
   */
  public exportFrom(stack: Stack): void {
    const { region } = Stack.of(this);
    if (this.made) {
      throw inputError(
        this,
        `The export ${this.exportName} is made already.`,
        `In ${region} it is part of the stack: leave exportFrom out.`,
      );
    }
    if (Token.isUnresolved(region)) {
      throw inputError(
        this,
        'The region of the bucket is not known, and the export must name it.',
        "Give the stack of the bucket a region: new Stack(app, id, { env: { region: 'ap-southeast-2' } }).",
      );
    }
    const wanted = region.startsWith('cn-') ? 'cn-northwest-1' : 'us-east-1';
    if (stack.region !== wanted) {
      throw inputError(
        this,
        `The stack ${stack.node.path} is of ${Token.isUnresolved(stack.region) ? 'no region' : stack.region}, where CloudFormation makes no export for ${region}.`,
        `Give it the region ${wanted}: new Stack(app, id, { env: { region: '${wanted}' } }).`,
      );
    }
    this.addExport(new Construct(stack, 'FocusExport'));
    stack.addStackDependency(Stack.of(this), 'The export is delivered to its bucket');
  }

  private addExport(scope: Construct): void {
    const made = new bcm.CfnExport(scope, 'Export', {
      export: {
        name: this.exportName,
        description: 'FOCUS 1.2, daily, for the evidence of the data layer',
        dataQuery: {
          queryStatement: `SELECT ${FOCUS_COLUMNS.map(({ source }) => source).join(', ')} FROM ${TABLE}`,
          tableConfigurations: { [TABLE]: { TIME_GRANULARITY: 'DAILY' } },
        },
        destinationConfigurations: {
          s3Destination: {
            s3Bucket: this.bucketName,
            s3Prefix: this.exportPrefix,
            s3Region: Stack.of(this).region,
            s3OutputConfigurations: {
              outputType: 'CUSTOM',
              format: 'PARQUET',
              compression: 'PARQUET',
              overwrite: 'OVERWRITE_REPORT',
            },
          },
        },
        refreshCadence: { frequency: 'SYNCHRONOUS' },
      },
    });
    if (Stack.of(scope) === Stack.of(this)) {
      // The export is checked against the policy when it is made.
      made.node.addDependency(this.bucket.policy!);
    }
    this.made = true;
  }

  private makeBucket({ overwrittenDays = 90, removalPolicy = RemovalPolicy.RETAIN }: FocusExportProps): s3.IBucket {
    const days = requireWholeNumber(this, 'overwrittenDays', overwrittenDays, 1, 3650);
    const bucket = new s3.Bucket(this, 'Bucket', {
      bucketName: this.bucketName,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(days),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
      removalPolicy,
    });
    const { partition, account, region } = Stack.of(this);
    const exportRegion = Token.isUnresolved(region) || !region.startsWith('cn-') ? 'us-east-1' : 'cn-northwest-1';
    const conditions = {
      StringEquals: { 'aws:SourceAccount': account },
      ArnLike: { 'aws:SourceArn': `arn:${partition}:bcm-data-exports:${exportRegion}:${account}:export/*` },
    };
    const principals = [new iam.ServicePrincipal('bcm-data-exports.amazonaws.com')];
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'DeliverExport',
        principals,
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${this.prefix}/*`)],
        conditions,
      }),
    );
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'CheckPolicy',
        principals,
        actions: ['s3:GetBucketPolicy'],
        resources: [bucket.bucketArn],
        conditions,
      }),
    );
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Server access logs would need a second bucket that grows for ever. Who reads objects is recorded by CloudTrail data events where an account switches them on; every version of a file is kept.',
    });
    return bucket;
  }

  /** A text that two stacks write out, so that it must be known. */
  private literal(prop: string, value: unknown, valid: RegExp, wayOut: string): string {
    if (Token.isUnresolved(value)) {
      throw inputError(this, `${prop} is a token, known only at deployment.`, wayOut);
    }
    return requireName(this, prop, value, valid, wayOut);
  }

  private withoutExport(): string {
    const { region } = Stack.of(this);
    return inputError(
      this,
      `There is no export: CloudFormation makes one in ${EXPORT_REGIONS.join(' and ')}, and the stack is of ${Token.isUnresolved(region) ? 'a region that is not known' : region}.`,
      "Call exportFrom(new Stack(app, 'Export', { env: { region: 'us-east-1' } })), or give the stack one of these regions.",
    ).message;
  }
}
