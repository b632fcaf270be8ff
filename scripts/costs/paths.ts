// What each upgrade path costs: the bill of the deploy app with the flags of before and after. Used by scripts/runbooks.ts.
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { createApp } from '../../bin/app';
import { Bill, billOfResources, readSource, TemplateResources, Usage } from '../../lib/bill';
import { UpgradePath } from '../../lib/upgrade-paths';
import { usd } from './adr';

/** Where the runbooks reckon. */
export const REGIONS = ['us-east-1', 'ap-southeast-2'];

type Flags = { readonly [name: string]: string };

/** Flags whose value belongs to a user: any valid one is priced alike. */
const EXAMPLES: Flags = {
  qdrantUrl: 'https://q.example.com:6333',
  qdrantSecret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:q-AbCdEf',
  searchReaders: 'arn:aws:iam::123456789012:role/Auditor',
  focusExport: 's3://exports/focus/cost',
};

/** Paths share their ends: each set of flags is synthesized once. */
const SYNTHESIZED = new Map<string, TemplateResources>();

/** What the deploy app makes of flags. */
export function resourcesOf(flags: Flags): TemplateResources {
  const key = JSON.stringify(flags);
  const known = SYNTHESIZED.get(key);
  if (known) {
    return known;
  }
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'runbook-'));
  try {
    const context = Object.fromEntries(
      // The bill is what is asked here, not whether it is within a budget.
      Object.entries({ services: 'true', monthlyBudgetUsd: '1000000', ...flags }).map(([name, value]) => [
        `data-layer:${name}`,
        EXAMPLES[name] ?? value,
      ]),
    );
    const app = createApp({ outdir, context, analyticsReporting: false });
    const resources = new TemplateResources(readSource(app.synth().directory));
    SYNTHESIZED.set(key, resources);
    return resources;
  } finally {
    fs.rmSync(outdir, { recursive: true, force: true });
  }
}

/** A path's bills in one region. */
export interface PathCosts {
  readonly region: string;
  readonly before: Bill;
  /** Of each step. */
  readonly steps: Bill[];
  /** The dearest step with no data at all: what no budget below it can hold. USD a month. */
  readonly floorUsd: number;
}

export function pathCosts({ from = {}, steps }: UpgradePath): PathCosts[] {
  return REGIONS.map((region) => {
    const bill = (flags: Flags, usage?: Usage) => billOfResources(resourcesOf(flags), { region, usage });
    const empty = Usage.from({ 'efs.storedGiB': 0 });
    return {
      region,
      before: bill(from),
      steps: steps.map(({ flags }) => bill(flags)),
      floorUsd: Math.max(...steps.map(({ flags }) => bill(flags, empty).totals.dataLayer.totalUsd)),
    };
  });
}

/**
 * The least whole amount that no step of the path exceeds, in any of the regions. Undefined where the given budget holds
 * it: the deploy app then only asks for less live data.
 */
export function budgetUsd(costs: PathCosts[], given: number): number | undefined {
  if (costs.every(({ floorUsd }) => floorUsd <= given)) {
    return undefined;
  }
  return Math.max(...costs.flatMap(({ steps }) => steps.map(({ totals }) => Math.ceil(totals.dataLayer.totalUsd))));
}

/** Lines of the same name and part are added up; a load balancer's hours are compute as a task's are. */
function sums(bill: Bill): Map<string, number> {
  const found = new Map<string, number>();
  for (const { part, lines } of bill.resources) {
    for (const line of lines) {
      const name = `${line.name}${part === 'data layer' ? '' : ' (compute)'}`;
      found.set(name, (found.get(name) ?? 0) + (line.monthlyUsd ?? 0));
    }
  }
  return found;
}

const cents = (amount: number): number => Math.round(amount * 100);

/** The lines that change from before to the last step, and the totals. */
export function costTable(costs: PathCosts[]): string {
  const pairs = costs.map(({ before, steps }) => [before, steps[steps.length - 1]] as const);
  const columns = pairs.flat().map(sums);
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))].filter((name) =>
    pairs.some((_pair, at) => {
      const [before, after] = [columns[2 * at].get(name) ?? 0, columns[2 * at + 1].get(name) ?? 0];
      return cents(before) !== cents(after);
    }),
  );
  const total = (of: (bill: Bill) => number) => pairs.flat().map((bill) => usd(of(bill)));
  const rows = [
    ['USD a month', ...costs.flatMap(({ region }) => [`${region}, before`, 'after'])],
    ['-', ...costs.flatMap(() => ['-', '-'])],
    ...names.map((name) => [name, ...columns.map((column) => usd(column.get(name) ?? 0))]),
    ['**The data layer**', ...total(({ totals }) => totals.dataLayer.totalUsd)],
    ['Compute', ...total(({ totals }) => totals.compute.totalUsd)],
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
