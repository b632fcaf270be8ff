import * as fs from 'fs';
import * as path from 'path';

/** One column of the table and of the export it is loaded from. */
export interface AnalyticsColumn {
  /** The name that AWS Data Exports knows. */
  readonly source: string;
  /** The name in Glue and in the table: lower case, because S3 Tables shows no other to Athena. */
  readonly name: string;
  /** The type of the Parquet column, in Glue's words. */
  readonly glueType: string;
  /** The type of the table's column, in Iceberg's words. */
  readonly icebergType: 'string' | 'double' | 'timestamp';
}

interface SpecColumn {
  readonly column: string;
  readonly awsAthenaType: string;
}

/** Beside the 57 columns of the specification, AWS's table has three of its own (Data Exports table dictionary, read 2026-11). */
const AWS_OWN: SpecColumn[] = [
  { column: 'x_Discounts', awsAthenaType: 'map<string,double>' },
  { column: 'x_Operation', awsAthenaType: 'string' },
  { column: 'x_ServiceCode', awsAthenaType: 'string' },
];

/**
 * Numbers stay doubles, which is what the export holds: a decimal would round what was delivered. JSON columns become
 * their text, as the specification has them; that is also the only form the plain schema of S3 Tables takes.
 */
function icebergType(glueType: string): AnalyticsColumn['icebergType'] {
  return glueType === 'double' || glueType === 'timestamp' ? glueType : 'string';
}

function read(): AnalyticsColumn[] {
  const { columns } = JSON.parse(fs.readFileSync(path.join(__dirname, 'focus-1.2-columns.json'), 'utf8')) as {
    columns: SpecColumn[];
  };
  return [...columns, ...AWS_OWN].map(({ column, awsAthenaType }) => ({
    source: column,
    name: column.toLowerCase(),
    glueType: awsAthenaType,
    icebergType: icebergType(awsAthenaType),
  }));
}

/** Every column, in the order of the table. Its place, from 1, is its Iceberg field id: append, never insert. */
export const FOCUS_COLUMNS: readonly AnalyticsColumn[] = read();

/** Glue and Iceberg would both take one of two columns that differ in case only for the other. */
export function caseCollisions(columns: readonly AnalyticsColumn[]): string[] {
  const names = columns.map(({ name }) => name);
  return names.filter((name, at) => names.indexOf(name) !== at);
}

/** The table of the months that were loaded, one row for each event: the last row of a month is its state. */
export const LOAD_COLUMNS = [
  { name: 'billing_period', icebergType: 'string' },
  { name: 'state', icebergType: 'string' },
  { name: 'source_rows', icebergType: 'long' },
  { name: 'source_billed_cost', icebergType: 'decimal(38,9)' },
  { name: 'source_effective_cost', icebergType: 'decimal(38,9)' },
  { name: 'source_fingerprint', icebergType: 'string' },
  { name: 'marked_at', icebergType: 'timestamp' },
  { name: 'execution', icebergType: 'string' },
] as const;

/** How the table is cut: one partition for each billing month. */
export const PARTITION = {
  source: 'billingperiodstart',
  transform: 'month',
  name: 'billingperiodstart_month',
} as const;

/** CloudFormation's IcebergSchema: ids are set, because a partition refers to them. */
export function icebergFields(columns: readonly { readonly name: string; readonly icebergType: string }[]) {
  return columns.map(({ name, icebergType: type }, at) => ({ id: at + 1, name, type, required: false }));
}

/** The Iceberg id of a column. */
export function fieldId(name: string): number {
  return FOCUS_COLUMNS.findIndex((column) => column.name === name) + 1;
}
