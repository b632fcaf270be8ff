import { ArnFormat, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as glue from 'aws-cdk-lib/aws-glue';
import * as s3tables from 'aws-cdk-lib/aws-s3tables';
import { Construct } from 'constructs';
import { stackPart } from '../../stack-part';
import { FOCUS_COLUMNS, LOAD_COLUMNS, PARTITION, fieldId, icebergFields } from './columns';
import { COST_TABLE, LOADS_TABLE, NAMESPACE } from './sql';

/** The bucket of the tables, made or found. */
export interface TableBucket {
  readonly name: string;
  readonly arn: string;
  /** What a query needs to be there. */
  readonly tables: Construct[];
}

export function existingTableBucket(scope: Construct, name: string): TableBucket {
  const arn = Stack.of(scope).formatArn({ service: 's3tables', resource: 'bucket', resourceName: name });
  return { name, arn, tables: [] };
}

/** Bucket, namespace and tables. They stay when they leave the stack: nobody else has the months that an export dropped. */
export function makeTableBucket(scope: Construct, removalPolicy: RemovalPolicy): TableBucket {
  // Named here, because queries ask by name. A part of the stack's id keeps a second deployment from the bucket that a
  // first one left behind.
  const name = `efs-data-layer-${Names.nodeUniqueId(scope.node).slice(-8).toLowerCase()}-${stackPart(scope)}`;
  const bucket = new s3tables.CfnTableBucket(scope, 'TableBucket', {
    tableBucketName: name,
    encryptionConfiguration: { sseAlgorithm: 'AES256' },
    unreferencedFileRemoval: { status: 'Enabled', unreferencedDays: 3, noncurrentDays: 10 },
  });
  const namespace = new s3tables.CfnNamespace(scope, 'Namespace', {
    tableBucketArn: bucket.attrTableBucketArn,
    namespace: NAMESPACE,
  });
  const table = (id: string, tableName: string, icebergMetadata: s3tables.CfnTable.IcebergMetadataProperty) => {
    const made = new s3tables.CfnTable(scope, id, {
      tableBucketArn: bucket.attrTableBucketArn,
      namespace: NAMESPACE,
      tableName,
      openTableFormat: 'ICEBERG',
      icebergMetadata,
      // Small letters here, a capital on the bucket: so the two types have it.
      compaction: { status: 'enabled', targetFileSizeMb: 512 },
      // A month is replaced whole, so that a snapshot holds what a wrong load overwrote: five days to notice.
      snapshotManagement: { status: 'enabled', minSnapshotsToKeep: 1, maxSnapshotAgeHours: 120 },
    });
    made.addResourceDependency(namespace);
    return made;
  };
  const costs = table('CostTable', COST_TABLE, {
    icebergSchema: { schemaFieldList: icebergFields(FOCUS_COLUMNS) },
    icebergPartitionSpec: {
      fields: [{ sourceId: fieldId(PARTITION.source), transform: PARTITION.transform, name: PARTITION.name }],
    },
  });
  const loads = table('LoadsTable', LOADS_TABLE, { icebergSchema: { schemaFieldList: icebergFields(LOAD_COLUMNS) } });
  for (const resource of [bucket, namespace, costs, loads]) {
    resource.applyRemovalPolicy(removalPolicy);
  }
  return { name, arn: bucket.attrTableBucketArn, tables: [costs, loads] };
}

/**
 * The catalog through which Athena sees every table bucket of the account in the region. There can be one only, and
 * others may query through it: it is kept even where all else may be deleted. The two lists of default permissions are
 * what chooses IAM for access control, in place of Lake Formation.
 */
export function makeGlueCatalog(scope: Construct): glue.CfnCatalog {
  const { partition, region, account } = Stack.of(scope);
  const everybodyWithIam = [
    { principal: { dataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, permissions: ['ALL'] },
  ];
  const catalog = new glue.CfnCatalog(scope, 'GlueCatalog', {
    name: 's3tablescatalog',
    description: 'All S3 table buckets of this account in this region',
    federatedCatalog: {
      connectionName: 'aws:s3tables',
      identifier: `arn:${partition}:s3tables:${region}:${account}:bucket/*`,
    },
    createDatabaseDefaultPermissions: everybodyWithIam,
    createTableDefaultPermissions: everybodyWithIam,
    allowFullTableExternalDataAccess: 'True',
  });
  catalog.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return catalog;
}

/** The ARNs in Glue that stand for the tables. */
export function catalogArns(scope: Construct, bucketName: string): string[] {
  const arn = (resource: string, resourceName?: string) =>
    Stack.of(scope).formatArn({
      service: 'glue',
      resource,
      resourceName,
      arnFormat: resourceName === undefined ? ArnFormat.NO_RESOURCE_NAME : ArnFormat.SLASH_RESOURCE_NAME,
    });
  return [
    arn('catalog'),
    arn('catalog', 's3tablescatalog'),
    arn('catalog', `s3tablescatalog/${bucketName}`),
    arn('database', `s3tablescatalog/${bucketName}/${NAMESPACE}`),
    ...[COST_TABLE, LOADS_TABLE].map((table) => arn('table', `s3tablescatalog/${bucketName}/${NAMESPACE}/${table}`)),
  ];
}
