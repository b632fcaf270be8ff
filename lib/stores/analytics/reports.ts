import { TableNames } from './sql';

/** A query that is saved in the workgroup. */
export interface Report {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

/** How far back the reports look, in months before the current one: a year and the month to compare it with. */
const MONTHS = 13;

/** Rows of months whose last mark is "loaded": a month that is being replaced is not shown half. */
function loadedCosts({ costs, loads }: TableNames): string {
  return [
    `WITH "loaded" AS (SELECT "billing_period" FROM ${loads} GROUP BY "billing_period" HAVING max_by("state", "marked_at") = 'loaded'),`,
    `"costs" AS (SELECT *, date_format("billingperiodstart", '%Y-%m') AS "month" FROM ${costs}`,
    `WHERE "billingperiodstart" >= CAST(date_add('month', -${MONTHS}, date_trunc('month', current_date)) AS timestamp(6))`,
    `AND date_format("billingperiodstart", '%Y-%m') IN (SELECT "billing_period" FROM "loaded"))`,
  ].join('\n');
}

const money = (expression: string) => `round(sum(${expression}), 2)`;

/** What a FinOps engineer asks first. */
export function reports(tables: TableNames): Report[] {
  const from = loadedCosts(tables);
  return [
    {
      name: 'Cost by service and month',
      description: 'Billed and effective cost of each service, by month.',
      sql: `${from}
SELECT "month", "servicename", "billingcurrency", ${money('"billedcost"')} AS "billed", ${money('"effectivecost"')} AS "effective"
FROM "costs" GROUP BY "month", "servicename", "billingcurrency" ORDER BY "month" DESC, "effective" DESC`,
    },
    {
      name: 'Cost by account and month',
      description: 'Billed and effective cost of each account, by month.',
      sql: `${from}
SELECT "month", "subaccountid", max("subaccountname") AS "subaccountname", "billingcurrency", ${money('"billedcost"')} AS "billed", ${money('"effectivecost"')} AS "effective"
FROM "costs" GROUP BY "month", "subaccountid", "billingcurrency" ORDER BY "month" DESC, "effective" DESC`,
    },
    {
      name: 'Cost by tag and month',
      description: 'Effective cost of each value of each tag, by month. A row with two tags counts for both.',
      sql: `${from}
SELECT "month", t."tag", t."value", "billingcurrency", ${money('"effectivecost"')} AS "effective"
FROM "costs" CROSS JOIN UNNEST(CAST(json_parse("tags") AS map(varchar, varchar))) AS t ("tag", "value")
GROUP BY "month", t."tag", t."value", "billingcurrency" ORDER BY "month" DESC, t."tag", "effective" DESC`,
    },
    {
      name: 'Commitment coverage by service and month',
      description: 'How much of the effective cost of usage a commitment covered, and what was committed and not used.',
      sql: `${from}
SELECT "month", "servicename", "billingcurrency",
  ${money(`"effectivecost"`)} AS "effective",
  round(coalesce(sum("effectivecost") FILTER (WHERE "commitmentdiscountstatus" = 'Used'), 0), 2) AS "covered",
  round(100 * coalesce(sum("effectivecost") FILTER (WHERE "commitmentdiscountstatus" = 'Used'), 0) / nullif(sum("effectivecost"), 0), 1) AS "covered_percent",
  round(coalesce(sum("effectivecost") FILTER (WHERE "commitmentdiscountstatus" = 'Unused'), 0), 2) AS "unused"
FROM "costs" WHERE "chargecategory" = 'Usage'
GROUP BY "month", "servicename", "billingcurrency" ORDER BY "month" DESC, "effective" DESC`,
    },
    {
      name: 'Changes month on month',
      description:
        'Services whose effective cost moved by more than 20 % and 10 units of currency against the month before.',
      sql: `${from},
"months" AS (SELECT "month", "servicename", "billingcurrency", sum("effectivecost") AS "effective" FROM "costs" GROUP BY "month", "servicename", "billingcurrency"),
"pairs" AS (SELECT coalesce(n."month", date_format(date_add('month', 1, date_parse(p."month", '%Y-%m')), '%Y-%m')) AS "month",
  coalesce(n."servicename", p."servicename") AS "servicename", coalesce(n."billingcurrency", p."billingcurrency") AS "billingcurrency",
  coalesce(p."effective", 0) AS "before", coalesce(n."effective", 0) AS "now"
FROM "months" n FULL JOIN "months" p ON n."servicename" = p."servicename" AND n."billingcurrency" = p."billingcurrency"
  AND date_parse(n."month", '%Y-%m') = date_add('month', 1, date_parse(p."month", '%Y-%m')))
SELECT "month", "servicename", "billingcurrency", round("before", 2) AS "before", round("now", 2) AS "now", round("now" - "before", 2) AS "change",
  round(100 * ("now" - "before") / nullif("before", 0), 1) AS "change_percent"
FROM "pairs" WHERE "month" IN (SELECT "month" FROM "months") AND "month" > (SELECT min("month") FROM "months")
  AND abs("now" - "before") > 10 AND abs("now" - "before") > 0.2 * abs("before")
ORDER BY "month" DESC, abs("now" - "before") DESC`,
    },
    {
      name: 'Months loaded',
      description: 'The state of each month, and what its last load was checked against.',
      sql: `SELECT "billing_period", max_by("state", "marked_at") AS "state", max_by("source_rows", "marked_at") AS "rows",
  max_by("source_billed_cost", "marked_at") AS "billed_cost", max_by("source_effective_cost", "marked_at") AS "effective_cost", max("marked_at") AS "marked_at"
FROM ${tables.loads} GROUP BY "billing_period" ORDER BY "billing_period" DESC`,
    },
  ];
}
