import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { catalogArns, TableBucket } from './table-bucket';
import { NAMESPACE, SOURCE_TABLE } from './sql';

/** What the policies are about. */
export interface AccessTo {
  readonly tableBucket: TableBucket;
  readonly workGroupName: string;
  readonly results: s3.IBucket;
  readonly databaseName: string;
  readonly export: { readonly bucket: s3.IBucket; readonly prefix: string };
}

const READ_TABLE = ['s3tables:GetTable', 's3tables:GetTableData', 's3tables:GetTableMetadataLocation'];
const WRITE_TABLE = ['s3tables:PutTableData', 's3tables:UpdateTableMetadataLocation'];
const READ_CATALOG = [
  'glue:GetCatalog',
  'glue:GetCatalogs',
  'glue:GetDatabase',
  'glue:GetDatabases',
  'glue:GetTable',
  'glue:GetTables',
];

/** Queries in the workgroup, their results, and the tables; nothing else of the account. */
export function readStatements(scope: Construct, to: AccessTo): iam.PolicyStatement[] {
  const { tableBucket, results, workGroupName } = to;
  const stack = Stack.of(scope);
  return [
    new iam.PolicyStatement({
      sid: 'Query',
      actions: [
        'athena:BatchGetNamedQuery',
        'athena:GetNamedQuery',
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        'athena:GetWorkGroup',
        'athena:ListNamedQueries',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
      ],
      resources: [stack.formatArn({ service: 'athena', resource: 'workgroup', resourceName: workGroupName })],
    }),
    new iam.PolicyStatement({
      sid: 'FindCatalog',
      actions: ['athena:GetDataCatalog'],
      resources: [
        stack.formatArn({ service: 'athena', resource: 'datacatalog', resourceName: 'AwsDataCatalog' }),
        stack.formatArn({
          service: 'athena',
          resource: 'datacatalog',
          resourceName: `s3tablescatalog/${tableBucket.name}`,
        }),
      ],
    }),
    new iam.PolicyStatement({
      sid: 'ResultsBucket',
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: [results.bucketArn],
    }),
    new iam.PolicyStatement({
      sid: 'Results',
      actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
      resources: [results.arnForObjects('*')],
    }),
    new iam.PolicyStatement({
      sid: 'Catalog',
      actions: READ_CATALOG,
      resources: catalogArns(scope, tableBucket.name),
    }),
    new iam.PolicyStatement({
      sid: 'TableBucket',
      actions: ['s3tables:GetNamespace', 's3tables:GetTableBucket', 's3tables:ListNamespaces', 's3tables:ListTables'],
      resources: [tableBucket.arn],
    }),
    new iam.PolicyStatement({
      sid: 'ReadTables',
      actions: READ_TABLE,
      resources: [`${tableBucket.arn}/table/*`],
      conditions: { StringEquals: { 's3tables:namespace': NAMESPACE } },
    }),
  ];
}

/** What the load needs beside reading: the export, and to write the tables. */
export function loadStatements(scope: Construct, to: AccessTo): iam.PolicyStatement[] {
  const { tableBucket, databaseName } = to;
  const stack = Stack.of(scope);
  const glue = (resource: string, resourceName: string) => stack.formatArn({ service: 'glue', resource, resourceName });
  return [
    new iam.PolicyStatement({
      sid: 'ExportInCatalog',
      actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetPartitions'],
      resources: [
        stack.formatArn({ service: 'glue', resource: 'catalog' }),
        glue('database', databaseName),
        glue('table', `${databaseName}/${SOURCE_TABLE}`),
      ],
    }),
    new iam.PolicyStatement({
      sid: 'FindExport',
      actions: ['s3:GetBucketLocation'],
      resources: [to.export.bucket.bucketArn],
    }),
    new iam.PolicyStatement({
      sid: 'ListExport',
      actions: ['s3:ListBucket'],
      resources: [to.export.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': [`${to.export.prefix}/data/*`] } },
    }),
    new iam.PolicyStatement({
      sid: 'ReadExport',
      actions: ['s3:GetObject'],
      resources: [to.export.bucket.arnForObjects(`${to.export.prefix}/data/*`)],
    }),
    new iam.PolicyStatement({
      sid: 'WriteTables',
      actions: WRITE_TABLE,
      resources: [`${tableBucket.arn}/table/*`],
      conditions: { StringEquals: { 's3tables:namespace': NAMESPACE } },
    }),
    new iam.PolicyStatement({
      sid: 'CommitInCatalog',
      actions: ['glue:UpdateTable'],
      resources: catalogArns(scope, tableBucket.name),
    }),
  ];
}
