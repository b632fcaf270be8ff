import data from './columns.json';

/** Versions of the FOCUS specification whose column sets are known. */
export const FOCUS_VERSIONS = ['1.0', '1.1', '1.2', '1.3', '1.4'] as const;
export type FocusVersion = (typeof FOCUS_VERSIONS)[number];

/** One column of the dataset Cost and Usage, in all versions that have it. */
export interface FocusColumn {
  readonly name: string;
  readonly type: 'String' | 'Decimal' | 'Date/Time' | 'JSON';
  /** The first known version that has it. 1.0 stands for that and everything before it. */
  readonly since: FocusVersion;
  /** The last version that has it. */
  readonly until?: FocusVersion;
  /** The version that asks to stop using it. */
  readonly deprecated?: FocusVersion;
  readonly level: 'Mandatory' | 'Conditional' | 'Recommended';
  readonly nullable: boolean;
  /** The closed list of its values. */
  readonly allowed?: readonly string[];
}

/** Every column that a known version has, in alphabetical order. Source and licence are in columns.json. */
export const FOCUS_COLUMNS = data.columns as readonly FocusColumn[];

const BY_NAME = new Map(FOCUS_COLUMNS.map((column) => [column.name.toLowerCase(), column]));

/** A column by its name in any case: Athena and S3 Tables write them in lower case. */
export function focusColumn(name: string): FocusColumn | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** The columns of a version. */
export function columnsOf(version: FocusVersion): FocusColumn[] {
  return FOCUS_COLUMNS.filter(({ since, until }) => since <= version && (until === undefined || version <= until));
}
