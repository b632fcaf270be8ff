import { Names, Stack } from 'aws-cdk-lib';
import * as glue from 'aws-cdk-lib/aws-glue';
import { Construct } from 'constructs';
import { FOCUS_COLUMNS } from './columns';
import { SOURCE_TABLE } from './sql';

/** The first month that AWS has data of FOCUS for: exports of it began in 2023-11, and none reaches back further. */
const FIRST_MONTH = '2023-01';

/** The Glue database over the export, and its name. */
export interface ExportTable {
  readonly databaseName: string;
  readonly table: glue.CfnTable;
}

/**
 * The Parquet files of the export as a table of Athena. Its partitions are computed from the name of the folder: no
 * crawler has to find a new month, and a query of one month lists one folder.
 */
export function makeExportTable(scope: Construct, bucketName: string, prefix: string): ExportTable {
  const { account } = Stack.of(scope);
  const databaseName = `efs_data_layer_${Names.nodeUniqueId(scope.node).slice(-8).toLowerCase()}`;
  const database = new glue.CfnDatabase(scope, 'Database', {
    catalogId: account,
    databaseInput: { name: databaseName, description: 'The FOCUS export that the data layer loads' },
  });
  const location = `s3://${bucketName}/${prefix}/data/`;
  const table = new glue.CfnTable(scope, 'ExportTable', {
    catalogId: account,
    databaseName,
    tableInput: {
      name: SOURCE_TABLE,
      description: 'FOCUS 1.2 as AWS Data Exports delivers it',
      tableType: 'EXTERNAL_TABLE',
      parameters: {
        EXTERNAL: 'TRUE',
        classification: 'parquet',
        'projection.enabled': 'true',
        'projection.billing_period.type': 'date',
        'projection.billing_period.format': 'yyyy-MM',
        'projection.billing_period.range': `${FIRST_MONTH},NOW`,
        'projection.billing_period.interval': '1',
        'projection.billing_period.interval.unit': 'MONTHS',
        'storage.location.template': `${location}BILLING_PERIOD=\${billing_period}/`,
      },
      partitionKeys: [{ name: 'billing_period', type: 'string' }],
      storageDescriptor: {
        columns: FOCUS_COLUMNS.map(({ name, glueType }) => ({ name, type: glueType })),
        location,
        inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
      },
    },
  });
  table.addResourceDependency(database);
  return { databaseName, table };
}
