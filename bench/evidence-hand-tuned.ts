import { CANONICAL } from '../cli/src/evidence/focus/canonical';
import { columnsOf } from '../cli/src/evidence/focus/columns';

/** The ready queries as somebody who knows DuckDB and the file would write them: no views, no more columns than needed. */
const SQL: Record<string, string> = {
  'cost-by-month': `SELECT BillingPeriodStart, BillingCurrency, sum(BilledCost), sum(EffectiveCost),
    sum(BilledCost) FILTER (ChargeCategory = 'Usage'), sum(BilledCost) FILTER (ChargeCategory = 'Purchase'),
    sum(BilledCost) FILTER (ChargeCategory = 'Tax'), sum(BilledCost) FILTER (ChargeCategory IN ('Credit', 'Adjustment')), count(*)
    FROM $TABLE GROUP BY ALL ORDER BY 1, 2`,
  'cost-by-service': `SELECT BillingPeriodStart, ServiceCategory, ServiceName, BillingCurrency, sum(BilledCost), sum(EffectiveCost)
    FROM $TABLE GROUP BY ALL ORDER BY 1, 5 DESC`,
  'cost-by-account': `SELECT BillingPeriodStart, SubAccountId, SubAccountName, BillingCurrency, sum(BilledCost), sum(EffectiveCost)
    FROM $TABLE GROUP BY ALL ORDER BY 1, 5 DESC`,
  'cost-by-tag': `SELECT m, json_extract_string(Tags, '$.team') AS tag, c, sum(b), sum(e) FROM (
    SELECT BillingPeriodStart AS m, Tags, BillingCurrency AS c, sum(BilledCost) AS b, sum(EffectiveCost) AS e FROM $TABLE GROUP BY ALL)
    GROUP BY ALL ORDER BY 1, 4 DESC`,
  'commitment-coverage': `SELECT BillingPeriodStart, ServiceName, BillingCurrency,
    sum(ListCost) FILTER (CommitmentDiscountStatus = 'Used'),
    sum(ListCost) FILTER (CommitmentDiscountId IS NULL AND PricingCategory = 'Standard'),
    sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Used'), sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Unused')
    FROM $TABLE WHERE ChargeCategory = 'Usage' GROUP BY ALL HAVING count(CommitmentDiscountId) > 0 ORDER BY 1, 2`,
  anomalies: `SELECT SubAccountId, ServiceName, BillingCurrency, sum(cost) FILTER (m = 10), avg(cost) FILTER (m < 10), stddev(cost) FILTER (m < 10)
    FROM (SELECT month(BillingPeriodStart) AS m, SubAccountId, ServiceName, BillingCurrency, sum(EffectiveCost) AS cost
      FROM $TABLE GROUP BY BillingPeriodStart, SubAccountId, ServiceName, BillingCurrency)
    GROUP BY ALL ORDER BY 4 DESC`,
};

const TYPES = columnsOf('1.2')
  .map(({ name, type }) => `'${name}': '${CANONICAL[type]}'`)
  .join(', ');

/** By the name of the ready query; $FILE stands for the file. */
export const HAND_TUNED = Object.fromEntries(
  Object.entries(SQL).map(([name, sql]) => [
    name,
    {
      parquet: sql.replace('$TABLE', "read_parquet('$FILE')"),
      csv: sql.replace(
        '$TABLE',
        `read_csv('$FILE', header = true, auto_detect = false, quote = '"', escape = '"', columns = {${TYPES}})`,
      ),
    },
  ]),
) as Record<string, { parquet: string; csv: string }>;
