// Writes docs/costs.md: npm run docs:costs. Every number in it is computed; none is typed.
import * as fs from 'fs';
import * as path from 'path';
import { USAGE, UsageKey } from '../lib/bill';
import { RATE } from '../lib/bill/rates';
import { adrRows, auroraFloorUsd, usd } from './costs/adr';
import { BUDGET_USD, costsByRegion, defaultTopology, RegionCosts, storageUsd, STORED_GIB } from './costs/topology';

export const COSTS_DOC = path.join(__dirname, '../docs/costs.md');

/** The assumptions behind the live data that a budget buys. */
const STATED: UsageKey[] = ['efs.snapshotsKept', 'efs.snapshotPercent', 'backup.changedGiBPerDay', 'logs.ingestedGB'];

function table(...rows: string[][]): string {
  const [head, ...body] = rows;
  return [head, head.map(() => '-'), ...body]
    .map((cells) => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`)
    .join('\n');
}

/** The lines that cost something, added up over resources: three log groups are one line. */
function billTable(regions: RegionCosts[]): string {
  const names = new Set<string>();
  const sums = regions.map(({ bill }) => {
    const sum = new Map<string, { usd: number; mark: string }>();
    for (const line of bill.resources.flatMap(({ lines }) => lines).filter(({ monthlyUsd }) => monthlyUsd! > 0)) {
      const borrowed = line.priceRegion !== bill.regions[0] ? ` (rate of ${line.priceRegion})` : '';
      names.add(line.name);
      sum.set(line.name, { usd: (sum.get(line.name)?.usd ?? 0) + line.monthlyUsd!, mark: borrowed });
    }
    return sum;
  });
  const cell = (at?: { usd: number; mark: string }) => (at ? `${usd(at.usd)}${at.mark}` : usd(0));
  return table(
    ['a month', ...regions.map(({ region }) => region)],
    ...[...names].map((name) => [name, ...sums.map((sum) => cell(sum.get(name)))]),
    ['**The data layer**', ...regions.map(({ bill }) => `**${usd(bill.totals.dataLayer.totalUsd)}**`)],
    ['Compute', ...regions.map(({ bill }) => usd(bill.totals.compute.totalUsd))],
  );
}

function budgetTable(regions: RegionCosts[]): string {
  return table(
    [`what ${usd(BUDGET_USD)} buys`, 'Standard storage alone', 'live data with its snapshots, backups and logs'],
    ...regions.map((one) => [one.region, `${one.storableBareGiB.toFixed(2)} GiB`, `${one.storableGiB.toFixed(2)} GiB`]),
  );
}

function savingTable(regions: RegionCosts[]): string {
  const saved = (cost: number, of: number) => `${(100 * (1 - cost / of)).toFixed(1)} %`;
  return table(
    ['saved against 0.5 ACU of Aurora Serverless v2, awake all month', 'Aurora', 'storage alone', 'the whole bill'],
    ...regions.map(({ region, book, bill }) => {
      const aurora = auroraFloorUsd(book);
      const { confidence } = book.entry(RATE.auroraAcu);
      const mark = confidence.endsWith('high') ? '' : ` (${confidence})`;
      return [
        region,
        `${usd(aurora)}${mark}`,
        saved(storageUsd(bill), aurora),
        saved(bill.totals.dataLayer.totalUsd, aurora),
      ];
    }),
  );
}

/** The one borrowed rate in the default bill, and what it may hide. */
function backupDoubt(regions: RegionCosts[]): string {
  const home = regions.find(({ region }) => region === 'us-east-1')!.book;
  return regions
    .filter(({ book }) => book.find(RATE.backupEfsWarm) === undefined)
    .map(({ region, book, bill }) => {
      const dearer = book.entry(RATE.efsStandard).usd! / home.entry(RATE.efsStandard).usd!;
      const lines = bill.resources.flatMap((resource) => resource.lines);
      const backup = lines.find(({ rate }) => rate === RATE.backupEfsWarm)!.monthlyUsd!;
      return `The rate of AWS Backup for EFS in ${region} is not known, and that of ${home.region} is taken. Were it as much dearer as Standard storage is (${dearer.toFixed(2)} times), the bill above would be ${usd(bill.totals.dataLayer.totalUsd + backup * (dearer - 1))}.`;
    })
    .join('\n\n');
}

/** What cannot be said for sure: a rate that is missing, and one that no dated source confirms. */
function doubts(regions: RegionCosts[]): string {
  const [{ book: fullest }] = [...regions].sort((a, b) => b.book.keys.length - a.book.keys.length);
  const list = (keys: string[]) => (keys.length > 0 ? keys.map((key) => `\`${key}\``).join(', ') : 'none');
  return regions
    .map(({ region, book }) => {
      const unsure = book.keys.filter((key) => ['low', 'unverified'].includes(book.entry(key).confidence));
      const missing = fullest.keys.filter((key) => book.find(key) === undefined);
      return [
        `**${region}**, ${book.keys.length} rates.`,
        `Without a dated source: ${list(unsure)}.`,
        missing.length > 0 ? `Unknown, those of ${fullest.region} stand in: ${list(missing)}.` : 'None is missing.',
      ].join(' ');
    })
    .join('\n\n');
}

/** The whole document. */
export function costsDoc(regions = costsByRegion(defaultTopology())): string {
  const home = regions.find(({ region }) => region === 'us-east-1')!;
  const rows = adrRows({
    book: home.book,
    storageUsd: storageUsd(home.bill),
    wholeUsd: home.bill.totals.dataLayer.totalUsd,
  });
  const stated = STATED.map((key) => `${USAGE[key].default} ${USAGE[key].unit} (\`${key}\`)`).join(', ');
  return `# What it costs

Written by \`npm run docs:costs\` from the template of the deploy app and the price books in \`lib/bill/prices\`. USD, on-demand, before
tax, a month of 730 hours.

## The default topology with ${STORED_GIB} GiB of live data

${billTable(regions)}

## What the budget buys

Under the default usage: ${stated}; a backup a day, kept seven days.

${budgetTable(regions)}

## Against Aurora

Aurora is its capacity alone: its storage and backups are left out, those of this data layer are counted in the last column.

${savingTable(regions)}

## The figures of the decision record

us-east-1, ${STORED_GIB} GiB.

${table(
  ['figure', 'record', 'computed', 'why they differ'],
  ...rows.map(({ claim, stated, computed, reason }) => [claim, stated, computed, reason ?? 'they agree']),
)}

## What is not sure

${backupDoubt(regions)}

${doubts(regions)}
`;
}

if (require.main === module) {
  fs.writeFileSync(COSTS_DOC, costsDoc());
}
