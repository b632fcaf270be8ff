import { identifier } from '../engine';
import { FocusColumn } from './columns';

/** The types that every query sees, whatever a file has. Costs are DOUBLE, as AWS exports them. */
export const CANONICAL: { [type in FocusColumn['type']]: string } = {
  String: 'VARCHAR',
  Decimal: 'DOUBLE',
  'Date/Time': 'TIMESTAMP',
  JSON: 'VARCHAR',
};

/**
 * A column of a file as its canonical type. A bare name wherever possible: only then can DuckDB skip row groups by it.
 */
export function canonical(column: FocusColumn, name: string, type: string): string {
  const wanted = CANONICAL[column.type];
  const own = identifier(name);
  if (type === wanted) {
    return own;
  }
  if (column.type === 'Date/Time' && type === 'TIMESTAMP WITH TIME ZONE') {
    return `${own} AT TIME ZONE 'UTC'`;
  }
  // A map or a struct, as AWS's Parquet has for tags; JSON's own type is text already.
  if (column.type === 'JSON' && type !== 'JSON') {
    return `CAST(to_json(${own}) AS VARCHAR)`;
  }
  return `TRY_CAST(${own} AS ${wanted})`;
}

/** Whether the change of type may lose a value: then the rows that have one are counted. */
export function mayLose(column: FocusColumn, type: string): boolean {
  return type === 'VARCHAR' && CANONICAL[column.type] !== 'VARCHAR';
}
