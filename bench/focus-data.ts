import { FOCUS_COLUMNS, columnsOf, FocusVersion } from '../cli/src/evidence/focus/columns';
import { CANONICAL } from '../cli/src/evidence/focus/canonical';

/** Generated FOCUS data: the same seed and size make the same rows. */
export interface FocusData {
  readonly rows: number;
  readonly seed?: number;
  /** How many billing months, from `first` on. @default 3 */
  readonly months?: number;
  /** @default 2026-08 */
  readonly first?: string;
  /** @default 1.2 */
  readonly version?: FocusVersion;
  /** The month in which one service of one account costs ten times as much, from 0. @default none */
  readonly spike?: number;
}

/** Services as AWS names them, with FOCUS's category, its subcategory, the unit, a price and how often they occur. */
const SERVICES = [
  ['Amazon Elastic Compute Cloud', 'Compute', 'Virtual Machines', 'Hrs', 0.0832, 26],
  ['Amazon Simple Storage Service', 'Storage', 'Object Storage', 'GB-Mo', 0.025, 22],
  ['AWS Lambda', 'Compute', 'Serverless Compute', 'GB-Second', 0.0000166667, 12],
  ['Amazon Relational Database Service', 'Databases', 'Relational Databases', 'Hrs', 0.145, 9],
  ['Amazon Elastic File System', 'Storage', 'File Storage', 'GB-Mo', 0.36, 4],
  ['Amazon CloudWatch', 'Management and Governance', 'Observability', 'Metrics', 0.3, 8],
  ['Amazon Virtual Private Cloud', 'Networking', 'Network Infrastructure', 'Hrs', 0.059, 6],
  ['AWS Key Management Service', 'Security', 'Secret Management', 'Requests', 0.000003, 5],
  ['Amazon DynamoDB', 'Databases', 'NoSQL Databases', 'ReadRequestUnits', 0.000000285, 5],
  ['Amazon Bedrock', 'AI and Machine Learning', 'Generative AI', '1K tokens', 0.003, 3],
] as const;

const TEAMS = ['platform', 'payments', 'search', 'data', 'mobile', 'web'];
const ENVIRONMENTS = ['prod', 'staging', 'dev'];
const REGIONS = [
  ['ap-southeast-2', 'Asia Pacific (Sydney)'],
  ['us-east-1', 'US East (N. Virginia)'],
  ['eu-west-1', 'EU (Ireland)'],
];

function list(values: readonly unknown[]): string {
  return `[${values.map((value) => (typeof value === 'number' ? `${value}` : `'${value}'`)).join(', ')}]`;
}

/** A SELECT that makes the rows, month after month, with every column of the version. */
export function focusSelect({
  rows,
  seed = 1,
  months = 3,
  first = '2026-08',
  version = '1.2',
  spike,
}: FocusData): string {
  const shares = SERVICES.flatMap((service, index) => new Array<number>(service[5]).fill(index + 1));
  const service = (field: number) => `${list(SERVICES.map((one) => one[field]))}[s]`;
  const chance = (salt: number) => `(hash(i, ${seed}, ${salt}) % 1000000) / 1000000.0`;
  const pick = (salt: number, count: number) => `CAST(1 + hash(i, ${seed}, ${salt}) % ${count} AS INTEGER)`;
  const dear = spike === undefined ? '1' : `CASE WHEN m = ${spike} AND a = 1 AND s = 2 THEN 10 ELSE 1 END`;
  const values: Record<string, string> = {
    AvailabilityZone: `CASE WHEN s IN (1, 4, 7) THEN region || 'abc'[1 + i % 3] END`,
    BilledCost: 'billed',
    BillingAccountId: `'111111111111'`,
    BillingAccountName: `'Example Organisation'`,
    BillingAccountType: `'Management'`,
    BillingCurrency: `'USD'`,
    BillingPeriodEnd: `start + INTERVAL 1 MONTH`,
    BillingPeriodStart: 'start',
    CapacityReservationId: `CASE WHEN s = 1 AND r1 < 0.01 THEN 'cr-' || lower(hex(i)) END`,
    CapacityReservationStatus: `CASE WHEN s = 1 AND r1 < 0.01 THEN 'Used' END`,
    ChargeCategory: 'category',
    ChargeClass: `CASE WHEN r1 > 0.9995 THEN 'Correction' END`,
    ChargeDescription: `'$' || price || ' per ' || unit || ' of ' || service || ' in ' || region`,
    ChargeFrequency: `CASE category WHEN 'Purchase' THEN 'Recurring' WHEN 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END`,
    ChargePeriodEnd: 'hour + INTERVAL 1 HOUR',
    ChargePeriodStart: 'hour',
    CommitmentDiscountCategory: `CASE WHEN committed THEN 'Spend' END`,
    CommitmentDiscountId: `CASE WHEN committed THEN 'arn:aws:savingsplans::111111111111:savingsplan/' || plan END`,
    CommitmentDiscountName: 'NULL',
    CommitmentDiscountQuantity: 'CASE WHEN committed THEN list * 0.7 END',
    CommitmentDiscountStatus: `CASE WHEN committed THEN CASE WHEN r2 < 0.93 THEN 'Used' ELSE 'Unused' END END`,
    CommitmentDiscountType: `CASE WHEN committed THEN 'Compute Savings Plan' END`,
    CommitmentDiscountUnit: `CASE WHEN committed THEN 'USD' END`,
    ConsumedQuantity: `CASE WHEN category = 'Usage' THEN quantity END`,
    ConsumedUnit: `CASE WHEN category = 'Usage' THEN unit END`,
    ContractedCost: 'list * 0.95',
    ContractedUnitPrice: 'price * 0.95',
    EffectiveCost: `CASE WHEN committed THEN list * 0.7 ELSE billed END`,
    InvoiceId: `'INV-' || strftime(start, '%Y%m')`,
    InvoiceIssuerName: `'Amazon Web Services, Inc.'`,
    ListCost: 'list',
    ListUnitPrice: 'price',
    PricingCategory: `CASE WHEN committed THEN 'Committed' WHEN r2 < 0.02 THEN 'Dynamic' ELSE 'Standard' END`,
    PricingCurrency: `'USD'`,
    PricingCurrencyContractedUnitPrice: 'price * 0.95',
    PricingCurrencyEffectiveCost: `CASE WHEN committed THEN list * 0.7 ELSE billed END`,
    PricingCurrencyListUnitPrice: 'price',
    PricingQuantity: 'quantity',
    PricingUnit: 'unit',
    ProviderName: `'AWS'`,
    PublisherName: `'Amazon Web Services, Inc.'`,
    HostProviderName: `'Amazon Web Services, Inc.'`,
    ServiceProviderName: `'AWS'`,
    RegionId: 'region',
    RegionName: `${list(REGIONS.map(([, name]) => name))}[g]`,
    ResourceId: `'arn:aws:service:' || region || ':' || account || ':resource/' || lower(hex(hash(i % 50000, ${seed}, 9)))`,
    ResourceName: `CASE WHEN r2 > 0.5 THEN 'resource ' || i % 50000 END`,
    ResourceType: `'resource'`,
    ServiceCategory: service(1),
    ServiceName: 'service',
    ServiceSubcategory: service(2),
    SkuId: `'SKU' || s || '-' || g`,
    SkuMeter: `region || ':' || unit`,
    SkuPriceDetails: `'{"OperatingSystem": "Linux", "x_Tenancy": "Shared"}'`,
    SkuPriceId: `'SKU' || s || '-' || g || '.JRTCKXETXF'`,
    SubAccountId: 'account',
    SubAccountName: `'workload "' || a || '", shared'`,
    SubAccountType: `'Member'`,
    Tags: `CASE WHEN r1 < 0.85 THEN '{"team": "' || ${list(TEAMS)}[t] || '", "environment": "' || ${list(ENVIRONMENTS)}[e] || '", "application": "app-' || i % 40 || '"}' END`,
  };
  const columns = columnsOf(version).map(
    ({ name, type }) => `CAST(${values[name] ?? 'NULL'} AS ${CANONICAL[type]}) AS "${name}"`,
  );
  return `SELECT ${columns.join(', ')} FROM (
  SELECT *, quantity * price AS list, category = 'Usage' AND s IN (1, 3) AND r1 < 0.35 AS committed,
    CASE WHEN committed THEN 0 WHEN category IN ('Credit') THEN -quantity * price * 0.1 ELSE quantity * price * 0.95 END AS billed
  FROM (
    SELECT *, ${service(0)} AS service, ${service(3)} AS unit, CAST(${service(4)} AS DOUBLE) AS price,
      ${list(REGIONS.map(([id]) => id))}[g] AS region, CAST(200000000000 + a AS VARCHAR) AS account,
      start + to_hours(CAST(hash(i, ${seed}, 5) % 672 AS BIGINT)) AS hour,
      round(${dear} * (1 + 200 * r1 * r2 * r2), 6) AS quantity,
      CASE WHEN r2 > 0.999 THEN 'Tax' WHEN r2 > 0.9985 THEN 'Credit' WHEN r2 > 0.998 THEN 'Purchase' ELSE 'Usage' END AS category
    FROM (
      SELECT i, m, TIMESTAMP '${first}-01' + to_months(CAST(m AS INTEGER)) AS start, ${list(shares)}[${pick(1, shares.length)}] AS s,
        ${pick(2, 24)} AS a, ${pick(3, REGIONS.length)} AS g, ${pick(4, TEAMS.length)} AS t, ${pick(6, ENVIRONMENTS.length)} AS e,
        ${pick(7, 8)} AS plan, ${chance(8)} AS r1, ${chance(10)} AS r2
      FROM (SELECT range AS i, range * ${months} // ${rows} AS m FROM range(${rows}))
    )
  )
)`;
}

/** COPY options of a CSV file as FOCUS wants it: UTC with a Z, empty for null. */
export const FOCUS_CSV = `(FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ')`;

/** The number of columns in all versions; the benchmark says so. */
export const ALL_COLUMNS = FOCUS_COLUMNS.length;
