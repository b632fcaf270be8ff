import { columnsOf, FOCUS_VERSIONS, FocusVersion, focusColumn } from './columns';

/** What a file is, as its column names say. */
export type Dataset = 'Cost and Usage' | 'Contract Commitment' | 'Invoice Detail' | 'Billing Period';

/** A file that follows FOCUS, and how it differs from the version that it is nearest to. */
export interface Recognised {
  readonly dataset: Dataset;
  /** The nearest version; of the datasets that came later, the version they came with. */
  readonly version: FocusVersion;
  /** In words, one each. A provider's genuine export has some: none of them is a reason to refuse the file. */
  readonly differences: string[];
}

/** No file of costs is without these. */
const MARKS = ['BilledCost', 'EffectiveCost', 'ListCost', 'BillingPeriodStart', 'ChargePeriodStart', 'ChargeCategory'];
const ENOUGH_MARKS = 4;

/** The datasets that 1.3 and 1.4 put beside Cost and Usage, by columns that no other dataset has. */
const OTHERS: { dataset: Dataset; version: FocusVersion; marks: string[] }[] = [
  { dataset: 'Contract Commitment', version: '1.3', marks: ['ContractCommitmentId', 'ContractId'] },
  { dataset: 'Invoice Detail', version: '1.4', marks: ['InvoiceDetailId', 'InvoiceId', 'PaymentCurrency'] },
  { dataset: 'Billing Period', version: '1.4', marks: ['BillingPeriodStatus', 'BillingPeriodStart'] },
];

/** Recognises a file by its column names, or returns undefined. */
export function recognise(names: string[]): Recognised | undefined {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  const has = (name: string) => lower.has(name.toLowerCase());
  if (MARKS.filter(has).length >= ENOUGH_MARKS) {
    const version = nearest(lower);
    return { dataset: 'Cost and Usage', version, differences: differences(names, version) };
  }
  const other = OTHERS.find(({ marks }) => marks.every(has));
  return other && { dataset: other.dataset, version: other.version, differences: [] };
}

/** The version with the fewest columns too few or too many; the older one of two that are equally near. */
function nearest(lower: Set<string>): FocusVersion {
  const distance = (version: FocusVersion) => {
    const own = new Set(columnsOf(version).map(({ name }) => name.toLowerCase()));
    const missing = [...own].filter((name) => !lower.has(name)).length;
    return missing + [...lower].filter((name) => !own.has(name) && focusColumn(name)).length;
  };
  return FOCUS_VERSIONS.reduce((best, version) => (distance(version) < distance(best) ? version : best));
}

function differences(names: string[], version: FocusVersion): string[] {
  const own = columnsOf(version);
  const lower = new Set(names.map((name) => name.toLowerCase()));
  const missing = own.filter(({ name }) => !lower.has(name.toLowerCase()));
  const known = names.flatMap((name) => focusColumn(name) ?? []);
  const foreign = known.filter((column) => !own.includes(column)).map(({ name }) => name);
  const custom = names.filter((name) => !focusColumn(name) && !/^x_/i.test(name));
  const cased = names.filter((name) => focusColumn(name) && focusColumn(name)!.name !== name);
  const old = known.filter(({ deprecated }) => deprecated !== undefined && deprecated <= version);
  const listed = (what: string, found: string[]) => (found.length > 0 ? [`${what}: ${found.join(', ')}`] : []);
  const missingOf = (mandatory: boolean) =>
    missing.filter(({ level }) => (level === 'Mandatory') === mandatory).map(({ name }) => name);
  return [
    ...listed('mandatory columns are missing', missingOf(true)),
    ...listed('conditional or recommended columns are missing', missingOf(false)),
    ...listed('columns of another version', foreign),
    ...listed(
      'deprecated columns',
      own.filter((column) => old.includes(column)).map(({ name }) => name),
    ),
    ...listed('columns that are neither of FOCUS nor custom (x_…)', custom),
    ...listed('column names in another case', cased.length > 3 ? [...cased.slice(0, 3), '…'] : cased),
  ];
}
