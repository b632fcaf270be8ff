import * as fs from 'fs';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { createDeployment } from '../../bin/app';
import { EfsDataLayer, MonthlyBudget } from '../../lib';
import { billOfResources, Usage } from '../../lib/bill';
import { adrRows, auroraFloorUsd } from '../../scripts/costs/adr';
import { COSTS_DOC, costsDoc } from '../../scripts/costs-doc';
import { BUDGET_USD, costsByRegion, defaultTopology, storageUsd } from '../../scripts/costs/topology';

/**
 * What "$6 a month" means, from the template of the deploy app. The rates are written here again, from the price lists
 * named in docs/costs.md, so that a wrong price book shows.
 */
const RATES = {
  'us-east-1': { standard: 0.3, backup: 0.05, logs: 0.03, aurora: 0.12 },
  'ap-southeast-2': { standard: 0.36, backup: 0.05, logs: 0.033, aurora: 0.2 },
  'eu-west-1': { standard: 0.33, backup: 0.05, logs: 0.03, aurora: 0.14 },
};
const REGIONS = Object.entries(RATES);

const topology = defaultTopology();
const regions = new Map(costsByRegion(topology).map((costs) => [costs.region, costs]));
const totalWith = (storedGiB: number, region: string, rest: object = {}) =>
  billOfResources(topology, { region, usage: Usage.from({ 'efs.storedGiB': storedGiB, ...rest }) }).totals.dataLayer
    .totalUsd;

test.each(REGIONS)('%s: 20 GiB of Standard storage', (region, { standard }) => {
  expect(storageUsd(regions.get(region)!.bill)).toBeCloseTo(20 * standard, 10);
});

test('20 GiB of Standard storage cost $6.00 in us-east-1, and beside it are its snapshots, its backups and cents of logs', () => {
  expect(storageUsd(regions.get('us-east-1')!.bill)).toBeCloseTo(6, 10);
  const { resources } = billOfResources(topology, { region: 'us-east-1' });
  const paid = resources.flatMap(({ lines }) => lines).filter(({ monthlyUsd }) => monthlyUsd! > 0.01);
  expect(paid.map(({ name }) => name)).toEqual([
    'Storage (Standard)',
    'Snapshots on the volume (Standard)',
    'Backup (Daily), kept 7 days',
  ]);
});

describe.each(REGIONS)('what $6 buys in %s', (region, { standard, backup, logs }) => {
  const { storableGiB } = regions.get(region)!;

  test('is what the hand calculation says: three snapshots of a tenth each, 0.5 GiB changed a day, kept 7 days', () => {
    // Three log groups, 0.2 GB a month each, a month kept of it, compressed to 15 %.
    const storedLogs = 3 * 0.2 * 0.15 * (30 / (365 / 12)) * logs;
    const changed = 0.5 * 7 * backup;
    const byHand = (BUDGET_USD - storedLogs - changed) / (1.3 * (standard + backup));
    expect(storableGiB).toBe(Math.floor(byHand * 100) / 100);
  });

  test('fits the budget, and a hundredth of a GiB more does not', () => {
    expect(totalWith(storableGiB, region)).toBeLessThanOrEqual(BUDGET_USD);
    expect(totalWith(storableGiB + 0.01, region)).toBeGreaterThan(BUDGET_USD);
  });

  test('is less when more changes, or more snapshots are kept', () => {
    expect(totalWith(storableGiB, region, { 'backup.changedGiBPerDay': 1 })).toBeGreaterThan(BUDGET_USD);
    expect(totalWith(storableGiB, region, { 'efs.snapshotsKept': 4 })).toBeGreaterThan(BUDGET_USD);
  });
});

test.each(REGIONS)('%s: saved against 0.5 ACU of Aurora', (region, { standard, aurora }) => {
  const { bill, book } = regions.get(region)!;
  const floor = auroraFloorUsd(book);
  expect(floor).toBeCloseTo(0.5 * aurora * 730, 10);
  expect(1 - storageUsd(bill) / floor).toBeCloseTo(1 - (20 * standard) / (0.5 * aurora * 730), 10);
});

test('86 % are saved against Aurora in us-east-1, not 87', () => {
  const { bill, book } = regions.get('us-east-1')!;
  expect(Math.round(100 * (1 - storageUsd(bill) / auroraFloorUsd(book)))).toBe(86);
});

describe('the deploy app passes its own budget', () => {
  test.each(['us-east-1', 'ap-southeast-2', 'eu-west-1'])('with the prices of %s', (priceRegion) => {
    const { app, budget } = createDeployment({ context: { 'data-layer:priceRegion': priceRegion } });
    app.synth();
    expect(budget.summary).toContain(`at the prices of ${priceRegion}`);
    expect(budget.summary).toContain(`${regions.get(priceRegion)!.storableGiB} GiB`);
  });

  test('bound to no region', () => {
    const { app, budget } = createDeployment();
    app.synth();
    expect(budget.summary).toContain('at the prices of us-east-1');
  });

  test('and fails it with 20 GiB, whose snapshots and backups go beyond $6', () => {
    const { app } = createDeployment({ context: { 'data-layer:storedGiB': 20 } });
    expect(() => app.synth()).toThrow(/MonthlyBudget-Exceeded|costs \$9\.28/);
  });
});

test.each(['us-east-1', 'ap-southeast-2', 'eu-west-1'])('a stack bound to %s passes a budget of $6', (region) => {
  const app = new App();
  new EfsDataLayer(new Stack(app, 'Bound', { env: { account: '123456789012', region } }), 'Data');
  const budget = new MonthlyBudget({ limitUsd: BUDGET_USD });
  Validations.of(app).addPlugins(budget);
  app.synth();
  expect(budget.summary).toContain(`at the prices of ${region}`);
});

describe('docs/costs.md', () => {
  /** Prettier fills the columns of a table with blanks and dashes. */
  const bare = (text: string) => text.replace(/ +/g, ' ').replace(/-{2,}/g, '-');

  test('is what the code computes (npm run docs:costs)', () => {
    expect(bare(fs.readFileSync(COSTS_DOC, 'utf8'))).toBe(bare(costsDoc([...regions.values()])));
  });

  test('names every figure with a dollar that the decision record has, and a reason for each that differs', () => {
    const { bill, book } = regions.get('us-east-1')!;
    const rows = adrRows({ book, storageUsd: storageUsd(bill), wholeUsd: bill.totals.dataLayer.totalUsd });
    const stated = ['$6/mo', '$43/mo', '87 %', '7x', '$20/mo', '+$20/mo', '$5/mo', '$0.004/GB', '$345/mo', '58x'];
    expect(rows.map((row) => row.stated)).toEqual(expect.arrayContaining([...stated, '$15/mo', '$0']));
    for (const { stated: figure, computed, reason } of rows.filter((row) => row.reason === undefined)) {
      // What is said to agree does, in the precision of the record.
      expect([figure, reason]).toEqual([`${Math.trunc(parseFloat(computed))}x`, undefined]);
    }
  });
});
