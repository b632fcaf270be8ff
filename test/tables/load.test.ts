import { Account } from './account';
import { resources } from './template';

// The template's own state machine and statements, executed: JSONata by its reference implementation, SQL by Trino.
jest.setTimeout(300_000);

/** The current month and the two before: the reports look back from today. */
const [OLDER, BEFORE, CURRENT] = [2, 1, 0].map((ago) => {
  const day = new Date();
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - ago, 1)).toISOString().slice(0, 7);
});
const TODAY = `${CURRENT}-05T07:00:00.000Z`;

let account: Account;

beforeAll(async () => {
  account = await Account.make();
  await account.deliver(OLDER, 1, 200);
  await account.deliver(BEFORE, 1, 300);
  await account.deliver(CURRENT, 1, 100);
});

afterAll(() => account?.trino.stop());

const count = async (month: string) =>
  Number(
    await account.trino.value(
      `SELECT count(*) FROM ${account.costs} WHERE date_format("billingperiodstart", '%Y-%m') = '${month}'`,
    ),
  );
const kinds = () => account.statements.map((sql) => sql.split(' ', 1)[0]);

test('the first run loads the current month and the one before', async () => {
  const { status, output } = await account.load({}, TODAY, 'first');
  expect({ status, output }).toMatchObject({
    status: 'SUCCEEDED',
    output: [
      { month: BEFORE, state: 'loaded', compared: { source_row_count: '300', loaded_row_count: '300' } },
      { month: CURRENT, state: 'loaded', compared: { source_row_count: '100', loaded_row_count: '100' } },
    ],
  });
  expect(await account.states()).toEqual({ [BEFORE]: 'loaded', [CURRENT]: 'loaded' });
  expect([await count(OLDER), await count(BEFORE), await count(CURRENT)]).toEqual([0, 300, 100]);
});

test('every value arrived as it was: JSON as text with sorted keys, numbers and times to the last digit', async () => {
  const { rows } = await account.trino.query(
    `SELECT count(*), count_if(s."listcost" IS NOT DISTINCT FROM c."listcost" AND s."chargeperiodstart" = c."chargeperiodstart" AND s."resourcename" IS NOT DISTINCT FROM c."resourcename"), min(c."skupricedetails"), max(c."tags") FROM ${account.source} s JOIN ${account.costs} c ON s."x_discounts"['x'] = CAST(json_extract_scalar(c."x_discounts", '$.x') AS double) AND s."billingperiodstart" = c."billingperiodstart"`,
  );
  expect(rows).toEqual([['400', '400', '{"a":"\\"","b":"1"}', '{"env":"prod","team":"t1"}']]);
});

test('a second run compares and writes nothing', async () => {
  const { output } = await account.load({}, TODAY, 'second');
  expect(output).toEqual([
    { month: BEFORE, state: 'unchanged' },
    { month: CURRENT, state: 'unchanged' },
  ]);
  expect(kinds()).toEqual(['WITH', 'WITH']);
});

test('late rows are loaded, and the other month is left alone', async () => {
  await account.deliver(BEFORE, 301, 310);
  const { output } = await account.load({}, TODAY, 'late');
  expect(output).toMatchObject([
    { month: BEFORE, state: 'loaded' },
    { month: CURRENT, state: 'unchanged' },
  ]);
  expect(await count(BEFORE)).toBe(310);
});

test('a tag that changed, with count and sums as they were, is loaded', async () => {
  const row = `"billing_period" = '${CURRENT}' AND "x_discounts"['x'] = 7e0`;
  const columns = (
    resources('AWS::Glue::Table')[0].TableInput as { StorageDescriptor: { Columns: { Name: string }[] } }
  ).StorageDescriptor.Columns;
  const values = columns.map(({ Name }) => (Name === 'tags' ? "map(ARRAY['team'], ARRAY['late'])" : `"${Name}"`));
  await account.trino.query(
    `INSERT INTO ${account.source} SELECT ${values.join(', ')}, "billing_period" FROM ${account.source} WHERE ${row}`,
  );
  await account.trino.query(`DELETE FROM ${account.source} WHERE ${row} AND "tags"['team'] = 't1'`);
  const { output } = await account.load({}, TODAY, 'tag');
  expect(output).toMatchObject([
    { month: BEFORE, state: 'unchanged' },
    { month: CURRENT, state: 'loaded' },
  ]);
  expect(await count(CURRENT)).toBe(100);
  expect(await account.trino.value(`SELECT count(*) FROM ${account.costs} WHERE "tags" = '{"team":"late"}'`)).toBe('1');
});

test('one month, asked for by name', async () => {
  const { output } = await account.load({ months: [OLDER] }, TODAY, 'asked');
  expect(output).toMatchObject([{ month: OLDER, state: 'loaded' }]);
  expect(await count(OLDER)).toBe(200);
});

test('an insert that was made and reported as failed is found by the comparison and repaired', async () => {
  await account.deliver(OLDER, 201, 205);
  let interrupted = 0;
  account.interrupt = async (sql) => {
    if (sql.startsWith(`INSERT INTO ${account.costs}`) && interrupted++ === 0) {
      await account.trino.query(sql);
      throw new Error('Query timed out');
    }
  };
  const { status, entered } = await account.load({ months: [OLDER] }, TODAY, 'twice');
  account.interrupt = undefined;
  expect(status).toBe('SUCCEEDED');
  expect(entered.filter((name) => name === 'Insert the month')).toHaveLength(2);
  expect(await count(OLDER)).toBe(205);
});

test('a load that ends in the middle leaves the month marked as loading, out of the reports, until the next run', async () => {
  await account.deliver(OLDER, 206, 206);
  account.interrupt = (sql) => {
    if (sql.startsWith(`INSERT INTO ${account.costs}`)) {
      throw new Error('HIVE_BAD_DATA: Malformed Parquet file');
    }
  };
  const failed = await account.load({ months: [OLDER] }, TODAY, 'broken');
  account.interrupt = undefined;
  expect(failed).toMatchObject({ status: 'FAILED', cause: 'HIVE_BAD_DATA: Malformed Parquet file' });
  expect(await account.states()).toMatchObject({ [OLDER]: 'loading' });
  expect((await report('Cost by service and month')).some(([month]) => month === OLDER)).toBe(false);
  expect((await account.load({ months: [OLDER] }, TODAY, 'again')).output).toMatchObject([{ state: 'loaded' }]);
  expect(await count(OLDER)).toBe(206);
});

test('an export that is gone takes nothing with it', async () => {
  await account.trino.query(`DELETE FROM ${account.source} WHERE "billing_period" = '${OLDER}'`);
  const { output } = await account.load({ months: [OLDER] }, TODAY, 'gone');
  expect(output).toEqual([{ month: OLDER, state: 'not delivered' }]);
  expect(await count(OLDER)).toBe(206);
  expect(await account.states()).toMatchObject({ [OLDER]: 'loaded' });
});

test('rows of another month in a partition are never called loaded: three loads, then a failure with the numbers', async () => {
  await account.deliver(OLDER, 1, 10);
  await account.deliver(BEFORE, 1, 2, OLDER);
  const { status, error, cause, entered } = await account.load({ months: [OLDER, CURRENT] }, TODAY, 'mixed');
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'MonthsDiffer' });
  expect(cause).toContain(`"month":"${OLDER}"`);
  expect(cause).toContain('"source_row_count":"12"');
  expect(cause).toContain('"loaded_row_count":"10"');
  expect(entered.filter((name) => name === 'Insert the month')).toHaveLength(3);
  // The other month was looked at all the same.
  expect(entered).toContain('Loaded already');
  expect(await account.states()).toMatchObject({ [OLDER]: 'different' });
});

test.each([
  [{ months: [] }, '[]'],
  [{ months: '2026-09' }, '2026-09'],
  [{ months: ['2026-13'] }, '["2026-13"]'],
  [{ months: ["2026-09' OR '1'='1"] }, "2026-09' OR"],
  [{ months: [202609] }, '[202609]'],
])('%j ends before any query, with what was given and the way out', async (input, named) => {
  const { status, error, cause } = await account.load(input, TODAY);
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'NoMonths' });
  expect(cause).toContain(named);
  expect(cause).toContain('Pass a list of months');
  expect(account.statements).toEqual([]);
});

test.each([
  ['2026-01-15T07:00:00Z', ['2025-12', '2026-01'], ['2025-12-01', '2026-01-01', '2026-01-01', '2026-02-01']],
  ['2026-12-31T23:59:59Z', ['2026-11', '2026-12'], ['2026-11-01', '2026-12-01', '2026-12-01', '2027-01-01']],
])('a run at %s looks at %j', async (startTime, months, bounds) => {
  // December and January, where a year ends; nothing was delivered for most of them.
  const { entered } = await account.load({}, startTime);
  expect(entered).not.toContain('Delete the month');
  const found = account.statements.flatMap((sql) =>
    [...sql.matchAll(/TIMESTAMP '(\S+) 00:00:00'/g)].map(([, day]) => day),
  );
  expect(found).toEqual(bounds);
  expect(account.statements.map((sql) => /'(\d{4}-\d\d)'/.exec(sql)![1])).toEqual(months);
});

async function report(name: string): Promise<(string | null)[][]> {
  const queries = resources('AWS::Athena::NamedQuery') as { Name: string; QueryString: string }[];
  return (await account.trino.query(queries.find((query) => query.Name === name)!.QueryString)).rows;
}

describe('reports', () => {
  const direct = (sql: string) => account.trino.query(sql).then(({ rows }) => rows);
  const month = `date_format("billingperiodstart", '%Y-%m')`;

  test('cost by service: every service of every loaded month, and what it adds up to', async () => {
    const rows = await report('Cost by service and month');
    expect(rows).toHaveLength(14);
    const [[total]] = await direct(
      `SELECT round(sum("effectivecost"), 2) FROM ${account.source} WHERE "billing_period" = '${BEFORE}'`,
    );
    const sum = rows.filter(([of]) => of === BEFORE).reduce((all, row) => all + Number(row[4]), 0);
    expect(sum).toBeCloseTo(Number(total), 1);
  });

  test('cost by account: three accounts with their numbers', async () => {
    const rows = await report('Cost by account and month');
    expect(
      rows
        .filter(([of]) => of === CURRENT)
        .map((row) => row[1])
        .sort(),
    ).toEqual(['000000000000', '000000000001', '000000000002']);
  });

  test('cost by tag: each value of each tag, rows without tags left out', async () => {
    const rows = (await report('Cost by tag and month')).filter(([of]) => of === BEFORE);
    expect(rows.map(([, tag, value]) => `${tag}=${value}`).sort()).toEqual(['env=prod', 'team=t0', 'team=t1']);
    const [[expected]] = await direct(
      `SELECT round(sum("effectivecost"), 2) FROM ${account.source} WHERE "billing_period" = '${BEFORE}' AND "tags"['team'] = 't1'`,
    );
    expect(rows.find(([, , value]) => value === 't1')![4]).toBe(expected);
  });

  test('commitment coverage: covered and unused, of usage only', async () => {
    const rows = (await report('Commitment coverage by service and month')).filter(([of]) => of === BEFORE);
    const [[covered]] = await direct(
      `SELECT sum("effectivecost") FROM ${account.source} WHERE "billing_period" = '${BEFORE}' AND "chargecategory" = 'Usage' AND "commitmentdiscountstatus" = 'Used'`,
    );
    expect(rows.reduce((all, row) => all + Number(row[4]), 0)).toBeCloseTo(Number(covered), 1);
    expect(rows.every((row) => Number(row[5]) >= 0 && Number(row[5]) <= 100)).toBe(true);
  });

  test('changes month on month: each service against the month before', async () => {
    const rows = await report('Changes month on month');
    const byService = await direct(
      `SELECT "servicename", round(sum("effectivecost") FILTER (WHERE ${month} = '${CURRENT}') - sum("effectivecost") FILTER (WHERE ${month} = '${BEFORE}'), 2) FROM ${account.costs} WHERE ${month} IN ('${BEFORE}', '${CURRENT}') GROUP BY 1 ORDER BY 1`,
    );
    expect(rows.map((row) => [row[0], row[1], row[5]]).sort()).toEqual(
      byService.map(([service, change]) => [CURRENT, service, change]),
    );
  });

  test('months loaded: the last state of each', async () => {
    expect((await report('Months loaded')).map((row) => row.slice(0, 3))).toEqual([
      [CURRENT, 'loaded', '100'],
      [BEFORE, 'loaded', '310'],
      [OLDER, 'different', '12'],
    ]);
  });
});
