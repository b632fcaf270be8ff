import { AnalyticsColumn, FOCUS_COLUMNS, LOAD_COLUMNS } from './columns';

/** The namespace in the table bucket. */
export const NAMESPACE = 'focus';
/** One table for each version of FOCUS: its schema is never edited, a new version gets a table of its own. */
export const COST_TABLE = 'cost_and_usage_v1_2';
/** Which months are loaded, and what was checked. */
export const LOADS_TABLE = 'month_loads';
/** The external table over the export, in the Glue database of the data layer. */
export const SOURCE_TABLE = 'focus_1_2_export';

/** Where the tables are, as SQL names them. */
export interface TableNames {
  readonly costs: string;
  readonly loads: string;
  readonly source: string;
}

/** Fully qualified: a saved query has no catalog of its own. */
export function tableNames(tableBucketName: string, databaseName: string): TableNames {
  const catalog = `"s3tablescatalog/${tableBucketName}"."${NAMESPACE}"`;
  return {
    costs: `${catalog}."${COST_TABLE}"`,
    loads: `${catalog}."${LOADS_TABLE}"`,
    source: `"awsdatacatalog"."${databaseName}"."${SOURCE_TABLE}"`,
  };
}

/** The column of the export as the table holds it: an explicit cast for each. */
function cast({ name, glueType, icebergType }: AnalyticsColumn): string {
  if (glueType.startsWith('map<')) {
    return `json_format(CAST("${name}" AS json))`;
  }
  const type = { string: 'varchar', double: 'double', timestamp: 'timestamp(6)' }[icebergType];
  return `CAST("${name}" AS ${type})`;
}

/** What stands for the month: its name, its first moment and that of the next month. Filled by the state machine. */
export interface Month {
  readonly name: string;
  readonly start: string;
  readonly end: string;
}

const inMonth = ({ start, end }: Month) =>
  `"billingperiodstart" >= TIMESTAMP '${start}' AND "billingperiodstart" < TIMESTAMP '${end}'`;

/** Whole partitions go, because the bounds are those of a month. */
export function deleteMonth(tables: TableNames, month: Month): string {
  return `DELETE FROM ${tables.costs} WHERE ${inMonth(month)}`;
}

export function insertMonth(tables: TableNames, month: Month): string {
  const names = FOCUS_COLUMNS.map(({ name }) => `"${name}"`).join(', ');
  const values = FOCUS_COLUMNS.map(cast).join(', ');
  return `INSERT INTO ${tables.costs} (${names}) SELECT ${values} FROM ${tables.source} WHERE "billing_period" = '${month.name}' AND ${inMonth(month)}`;
}

/**
 * Count, exact sums and a fingerprint of every value. Sums are of decimals: those of doubles depend on the order of the
 * rows. The fingerprint does not depend on it, and sees a changed tag that leaves counts and sums alone.
 */
function measures(values: string[]): string {
  const sum = (name: string) => `coalesce(sum(CAST("${name}" AS decimal(38, 9))), DECIMAL '0.000000000')`;
  return [
    'count(*) AS "row_count"',
    `${sum('billedcost')} AS "billed_cost"`,
    `${sum('effectivecost')} AS "effective_cost"`,
    `coalesce(to_hex(checksum(ROW(${values.join(', ')}))), '') AS "fingerprint"`,
  ].join(', ');
}

/** Every row that the export has for the month against every row that the table has, and the month's last mark. */
export function compareMonth(tables: TableNames, month: Month): string {
  const source = measures(FOCUS_COLUMNS.map(cast));
  const loaded = measures(FOCUS_COLUMNS.map(({ name }) => `"${name}"`));
  const compared = ['row_count', 'billed_cost', 'effective_cost', 'fingerprint'];
  return [
    `WITH "source" AS (SELECT ${source} FROM ${tables.source} WHERE "billing_period" = '${month.name}'),`,
    `"loaded" AS (SELECT ${loaded} FROM ${tables.costs} WHERE ${inMonth(month)}),`,
    `"mark" AS (SELECT max_by("state", "marked_at") AS "state" FROM ${tables.loads} WHERE "billing_period" = '${month.name}')`,
    `SELECT ${compared.map((name) => `CAST(s."${name}" AS varchar) AS "source_${name}"`).join(', ')},`,
    `${compared.map((name) => `CAST(l."${name}" AS varchar) AS "loaded_${name}"`).join(', ')},`,
    `CASE WHEN ${compared.map((name) => `s."${name}" = l."${name}"`).join(' AND ')} THEN 'same' ELSE 'different' END AS "verdict",`,
    `coalesce(m."state", 'never') AS "state"`,
    `FROM "source" s CROSS JOIN "loaded" l CROSS JOIN "mark" m`,
  ].join(' ');
}

/** What is written about a month. */
export interface Mark extends Pick<Month, 'name'> {
  readonly state: string;
  readonly rows: string;
  readonly billedCost: string;
  readonly effectiveCost: string;
  readonly fingerprint: string;
  readonly execution: string;
}

/** A month's state: appended, so that the history of its loads stays. */
export function markMonth(tables: TableNames, mark: Mark): string {
  const columns = LOAD_COLUMNS.map(({ name }) => `"${name}"`).join(', ');
  const cost = (value: string) => `CAST('${value}' AS decimal(38, 9))`;
  return `INSERT INTO ${tables.loads} (${columns}) SELECT CAST('${mark.name}' AS varchar), CAST('${mark.state}' AS varchar), CAST('${mark.rows}' AS bigint), ${cost(mark.billedCost)}, ${cost(mark.effectiveCost)}, CAST('${mark.fingerprint}' AS varchar), CAST(current_timestamp AT TIME ZONE 'UTC' AS timestamp(6)), CAST('${mark.execution}' AS varchar)`;
}
