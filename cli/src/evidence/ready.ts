import { usageError } from '../errors';
import { literal } from './engine';
import { addMonths, Months } from './months';

/** What a ready query is asked with. */
export interface ReadyInput {
  /** The span that was asked for; both ends are set, from the data when not by the user. */
  readonly months: Required<Months>;
  /** The key of a tag. */
  readonly tag?: string;
}

/** A question that is asked every month. */
export interface ReadyQuery {
  readonly name: string;
  readonly summary: string;
  /** It is about one tag. */
  readonly needsTag?: boolean;
  /** It is about the last month asked for, compared with so many months before it. */
  readonly lookback?: number;
  sql(input: ReadyInput): string;
}

const MONTH = "strftime(BillingPeriodStart, '%Y-%m') AS month";

/** Costs are never added up over currencies; the two that FinOps asks for stand side by side. */
const COSTS = 'round(sum(BilledCost), 2) AS billed, round(sum(EffectiveCost), 2) AS effective';

/** Grouped by the columns as they are: text is made of the few groups, not of every row. */
function costBy(columns: string, shown: string): string {
  return `SELECT ${MONTH}, ${shown}, currency, round(billed, 2) AS billed, round(effective, 2) AS effective
FROM (
  SELECT BillingPeriodStart, ${columns}, BillingCurrency AS currency, sum(BilledCost) AS billed, sum(EffectiveCost) AS effective
  FROM focus GROUP BY ALL
)
ORDER BY month, billed DESC, ${shown}`;
}

/** How far from what is usual a change must be, and how large at least, in the currency of the bill. */
const ANOMALY = { history: 6, sigmas: 3, shareWithoutHistory: 0.25, least: 1 };

export const READY: ReadyQuery[] = [
  {
    name: 'cost-by-month',
    summary: 'what every month cost, and what of it was usage, purchase, tax, credit and adjustment',
    sql: () => `SELECT ${MONTH}, BillingCurrency AS currency, ${COSTS},
  round(sum(BilledCost) FILTER (ChargeCategory = 'Usage'), 2) AS usage,
  round(sum(BilledCost) FILTER (ChargeCategory = 'Purchase'), 2) AS purchase,
  round(sum(BilledCost) FILTER (ChargeCategory = 'Tax'), 2) AS tax,
  round(sum(BilledCost) FILTER (ChargeCategory IN ('Credit', 'Adjustment')), 2) AS credit_and_adjustment,
  count(*) AS rows
FROM focus GROUP BY BillingPeriodStart, BillingCurrency ORDER BY month, currency`,
  },
  {
    name: 'cost-by-service',
    summary: 'what every service cost, month by month',
    sql: () => costBy('ServiceCategory AS category, ServiceName AS service', 'category, service'),
  },
  {
    name: 'cost-by-account',
    summary: 'what every account (FOCUS: sub account) cost, month by month',
    sql: () => costBy('SubAccountId AS account, SubAccountName AS name', 'account, name'),
  },
  {
    name: 'cost-by-tag',
    summary: 'what every value of a tag cost, month by month, untagged costs among them (--tag)',
    needsTag: true,
    sql: ({ tag }) => {
      // A tag's key may hold a dot or a colon, which a JSON path takes for its own; AWS puts user: before none of them.
      const path = literal(`$."${tag!.replace(/"/g, '\\"')}"`);
      return `SELECT ${MONTH}, coalesce(json_extract_string(tags, ${path}), '(untagged)') AS tag, currency,
  round(sum(billed), 2) AS billed, round(sum(effective), 2) AS effective
FROM (
  SELECT BillingPeriodStart, Tags AS tags, BillingCurrency AS currency, sum(BilledCost) AS billed, sum(EffectiveCost) AS effective
  FROM focus GROUP BY ALL
)
GROUP BY BillingPeriodStart, tag, currency ORDER BY month, billed DESC, tag`;
    },
  },
  {
    name: 'commitment-coverage',
    summary: 'how much of the usage that discounts apply to is covered by commitments, and how much of those is unused',
    sql: () => `SELECT ${MONTH}, service, currency, round(covered, 2) AS covered, round(on_demand, 2) AS on_demand,
  round(100 * covered / nullif(covered + on_demand, 0), 1) AS coverage_percent,
  round(unused, 2) AS unused, round(100 * used / nullif(used + unused, 0), 1) AS utilization_percent
FROM (
  SELECT BillingPeriodStart, ServiceName AS service, BillingCurrency AS currency,
    coalesce(sum(ListCost) FILTER (CommitmentDiscountStatus = 'Used'), 0) AS covered,
    coalesce(sum(ListCost) FILTER (CommitmentDiscountId IS NULL AND PricingCategory = 'Standard'), 0) AS on_demand,
    coalesce(sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Used'), 0) AS used,
    coalesce(sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Unused'), 0) AS unused,
    bool_or(CommitmentDiscountId IS NOT NULL) AS eligible
  FROM focus WHERE ChargeCategory = 'Usage' GROUP BY ALL
)
WHERE eligible ORDER BY month, covered + on_demand DESC, service`,
  },
  {
    name: 'anomalies',
    summary: 'services of an account whose cost left its usual range in the last month (--month)',
    lookback: ANOMALY.history,
    sql: ({ months }) => {
      const month = `TIMESTAMP '${months.to}-01'`;
      const before = `TIMESTAMP '${addMonths(months.to, -1)}-01'`;
      return `WITH monthly AS (
  SELECT date_trunc('month', BillingPeriodStart) AS start, SubAccountId AS account, ServiceName AS service,
    BillingCurrency AS currency, sum(effective) AS cost
  FROM (SELECT BillingPeriodStart, SubAccountId, ServiceName, BillingCurrency, sum(EffectiveCost) AS effective FROM focus GROUP BY ALL)
  GROUP BY ALL
), compared AS (
  SELECT account, service, currency,
    coalesce(sum(cost) FILTER (start = ${month}), 0) AS cost,
    coalesce(sum(cost) FILTER (start = ${before}), 0) AS previous,
    avg(cost) FILTER (start < ${month}) AS usual,
    stddev_samp(cost) FILTER (start < ${month}) AS spread,
    count(*) FILTER (start < ${month}) AS history
  FROM monthly GROUP BY ALL
)
SELECT '${months.to}' AS month, account, service, currency, round(cost, 2) AS effective, round(previous, 2) AS month_before,
  round(cost - previous, 2) AS change, round(100 * (cost - previous) / nullif(previous, 0), 1) AS change_percent,
  round(usual, 2) AS usual, history AS months_before,
  CASE WHEN history = 0 THEN 'new' WHEN cost = 0 THEN 'gone' WHEN cost > usual THEN 'higher' ELSE 'lower' END AS what
FROM compared
WHERE abs(cost - coalesce(usual, 0)) >= ${ANOMALY.least} AND CASE
  WHEN history = 0 THEN true
  WHEN history >= 3 AND spread > 0 THEN abs(cost - usual) > ${ANOMALY.sigmas} * spread
  ELSE abs(cost - previous) > ${ANOMALY.shareWithoutHistory} * abs(previous) END
ORDER BY abs(cost - previous) DESC, account, service`;
    },
  },
];

/** A ready query by its name. */
export function readyQuery(name: string): ReadyQuery {
  const found = READY.find((query) => query.name === name);
  if (!found) {
    throw usageError(
      name,
      'There is no ready query of this name.',
      `There are ${READY.map((query) => query.name).join(', ')}; SQL is passed with --sql.`,
    );
  }
  return found;
}
