import { Duration, Names, RemovalPolicy, Size, SizeRoundingBehavior, Stack, Validations } from 'aws-cdk-lib';
import * as athena from 'aws-cdk-lib/aws-athena';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, IConstruct } from 'constructs';
import { inputError, requireBoolean, requireWholeNumber } from '../../errors';
import { requireObject } from '../../inputs';
import { acknowledgeObjects, acknowledgeWildcard } from '../../storage/internal';
import { requireName } from '../context';
import { AccessTo, loadStatements, readStatements } from './access';
import { AnalyticsChoice, AnalyticsContext } from './analytics-choice';
import { makeExportTable } from './export-table';
import { makeLoad } from './load';
import { reports } from './reports';
import { NAMESPACE, tableNames } from './sql';
import { TableBucket, existingTableBucket, makeGlueCatalog, makeTableBucket } from './table-bucket';

/** Table bucket names (Amazon S3 User Guide, naming rules for table buckets, read 2026-11). */
export const TABLE_BUCKET_NAME =
  /^(?!xn--|sthree-|amzn-s3-demo|aws)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Evidence in S3 Tables. */
export interface S3TablesProps {
  /**
   * Whether the Glue catalog s3tablescatalog is made. An account has one in a region: where there is one already, made
   * in the console or by another stack, its making would fail. An existing one must use IAM for access control.
   *
   * @default true
   */
  readonly createGlueCatalog?: boolean;

  /**
   * A table bucket that is there already, with the namespace and tables of this package: one that an earlier
   * deployment left behind.
   *
   * @default - a table bucket is made
   */
  readonly existingTableBucketName?: string;

  /**
   * The most that one query may read, 1 to 1000000. Athena costs $5.00 per TB (us-east-1, Athena price list
   * 2025-06-27), and ends a query that reads more.
   *
   * @default Size.gibibytes(100)
   */
  readonly scanLimit?: Size;

  /**
   * Days for which results of queries are kept; 1 to 3650.
   *
   * @default 7
   */
  readonly resultDays?: number;

  /**
   * When the current month and the one before are compared with the export, and loaded where they differ.
   *
   * @default - daily at 07:00 UTC, an hour after the evidence collector
   */
  readonly loadSchedule?: scheduler.ScheduleExpression;
}

export function s3Tables(props: S3TablesProps): AnalyticsChoice['create'] {
  return (scope, context) => new S3Tables(scope, 'S3Tables', context, props);
}

/** Evidence in S3 Tables: bucket, catalog, workgroup, load and the policies to use them. */
export interface IS3Tables extends IConstruct {
  /** The name of the table bucket. */
  readonly tableBucketName: string;
  /** The name of the workgroup. */
  readonly workGroupName: string;
  /** The state machine that loads months. Input: {} or {"months": ["2026-09"]}. */
  readonly load: sfn.IStateMachine;
  /** What a reader needs: attach it to roles and permission sets of people. */
  readonly readPolicy: iam.ManagedPolicy;
  /** What the load needs beside it. */
  readonly loadPolicy: iam.ManagedPolicy;
}

class S3Tables extends Construct implements IS3Tables {
  public readonly tableBucketName: string;
  public readonly workGroupName: string;
  public readonly load: sfn.IStateMachine;
  public readonly readPolicy: iam.ManagedPolicy;
  public readonly loadPolicy: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, context: AnalyticsContext, props: S3TablesProps) {
    super(scope, id);
    const source = context.export;
    requireObject(this, 'evidence.focusExport', source, ['bucket', 'prefix'], 'Pass { bucket, prefix }.');
    if (!source) {
      throw inputError(
        this,
        'AnalyticsStore.s3Tables has nothing to load: the evidence workload has no FOCUS export.',
        'Pass evidence.focusExport, or focusExport of the stack; in the deploy app data-layer:focusExport=s3://<bucket>/<prefix>/<export name>.',
      );
    }
    const bucket = this.tableBucket(context.removalPolicy, props);
    if (requireBoolean(this, 'createGlueCatalog', props.createGlueCatalog ?? true)) {
      makeGlueCatalog(this);
    }
    const { databaseName, table } = makeExportTable(this, source.bucket.bucketName, source.prefix);
    const results = this.resultsBucket(requireWholeNumber(this, 'resultDays', props.resultDays ?? 7, 1, 3650));
    const workGroup = this.workGroup(results, this.scanLimit(props.scanLimit), context.removalPolicy);
    const to: AccessTo = {
      tableBucket: bucket,
      workGroupName: workGroup.name,
      results,
      databaseName,
      export: source,
    };
    this.tableBucketName = bucket.name;
    this.workGroupName = workGroup.name;
    this.readPolicy = this.policy('ReadPolicy', 'Queries of FOCUS evidence in S3 Tables', readStatements(this, to));
    this.loadPolicy = this.policy('LoadPolicy', 'Loads the FOCUS export into S3 Tables', loadStatements(this, to));
    this.acknowledge(to);

    const names = tableNames(bucket.name, databaseName);
    reports(names).forEach(({ name, description, sql }) => {
      const query = new athena.CfnNamedQuery(this, name.replace(/\W/g, ''), {
        name,
        description,
        database: NAMESPACE,
        queryString: sql,
        workGroup: workGroup.name,
      });
      query.addResourceDependency(workGroup);
    });
    const role = new iam.Role(this, 'LoadRole', {
      description: 'Step Functions: loads the FOCUS export into S3 Tables',
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      managedPolicies: [this.readPolicy, this.loadPolicy],
    });
    source.bucket.encryptionKey?.grantDecrypt(role);
    this.load = makeLoad(this, {
      workGroupName: workGroup.name,
      tables: names,
      role,
      schedule: props.loadSchedule ?? scheduler.ScheduleExpression.cron({ minute: '0', hour: '7' }),
    });
    this.load.node.addDependency(workGroup, table, ...bucket.tables);
  }

  private tableBucket(removalPolicy: RemovalPolicy, { existingTableBucketName }: S3TablesProps): TableBucket {
    if (existingTableBucketName === undefined) {
      return makeTableBucket(this, removalPolicy);
    }
    const name = requireName(
      this,
      'existingTableBucketName',
      existingTableBucketName,
      TABLE_BUCKET_NAME,
      'Pass the name of a table bucket: 3 to 63 lower-case letters, digits and hyphens, not its ARN. aws s3tables list-table-buckets prints it.',
    );
    return existingTableBucket(this, name);
  }

  private scanLimit(limit: Size = Size.gibibytes(100)): number {
    const gibibytes = limit.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
    if (!(gibibytes >= 1 && gibibytes <= 1e6)) {
      throw inputError(this, `scanLimit is ${gibibytes} GiB.`, 'Pass Size.gibibytes(1) to Size.gibibytes(1000000).');
    }
    return limit.toBytes({ rounding: SizeRoundingBehavior.FLOOR });
  }

  /** What queries answered: gone after some days. */
  private resultsBucket(days: number): s3.Bucket {
    const bucket = new s3.Bucket(this, 'Results', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [{ expiration: Duration.days(days), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      // A bucket with results in it cannot be deleted with its stack; it empties itself by the rule above.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: `It holds results of queries for ${days} days; who ran which query is in Athena's history and in CloudTrail.`,
    });
    return bucket;
  }

  /** S3-managed keys: a workgroup that encrypts results with a KMS key cannot write to S3 Tables. */
  private workGroup(results: s3.IBucket, scanLimit: number, removalPolicy: RemovalPolicy): athena.CfnWorkGroup {
    return new athena.CfnWorkGroup(this, 'WorkGroup', {
      name: `efs-data-layer-${Names.nodeUniqueId(this.node).slice(-8).toLowerCase()}`,
      description: 'FOCUS evidence of the data layer',
      // Its history is no evidence: the tables stay without it.
      recursiveDeleteOption: removalPolicy === RemovalPolicy.DESTROY ? true : undefined,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: scanLimit,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${results.bucketName}/results/`,
          encryptionConfiguration: { encryptionOption: 'SSE_S3' },
        },
      },
    });
  }

  private policy(id: string, description: string, statements: iam.PolicyStatement[]): iam.ManagedPolicy {
    return new iam.ManagedPolicy(this, id, {
      description,
      document: new iam.PolicyDocument({ minimize: false, statements }),
    });
  }

  private acknowledge({ tableBucket, results, export: source }: AccessTo): void {
    for (const policy of [this.readPolicy, this.loadPolicy]) {
      acknowledgeWildcard(
        policy,
        `${tableBucket.arn}/table/*`,
        'S3 Tables gives a table a random id in its ARN; the condition on the namespace leaves the two tables of this package.',
      );
    }
    acknowledgeObjects(
      this.readPolicy,
      results,
      '*',
      'Athena writes results of queries under names it chooses, into a bucket that holds nothing else.',
    );
    acknowledgeObjects(
      this.loadPolicy,
      source.bucket,
      `${source.prefix}/data/*`,
      'The data files of one FOCUS export: their names are chosen by AWS Data Exports, month by month.',
    );
  }
}
