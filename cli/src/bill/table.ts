import { Bill, BillDiff, BilledResource, BillLine } from '../../../lib/bill';
import {
  assumptionRows,
  census,
  columns,
  dependsOnUsage,
  isUnsure,
  quantity,
  signed,
  totalRows,
  unitUsd,
  unsureRates,
  usd,
} from './format';
import { Storable } from './storable';

const RULE = '─'.repeat(40);

/** The bill as a table for people. Layout and wording are those of Infracost where it has them. */
export function billTable(bill: Bill, title: string, storable: Storable[]): string {
  return [
    `Project: ${title}`,
    `Prices: ${bill.regions.join(', ') || 'none needed'}; USD, on-demand, before tax, 730 hours a month`,
    '',
    ...resourceRows(bill),
    '',
    ' *Usage cost: estimated from assumptions; set your own with --usage (docs/usage.md).',
    ...footnotes(bill),
    '',
    RULE,
    ...detected(bill),
    '',
    ...columns([['', 'Baseline cost', 'Usage cost*', 'Total cost'], ...totalRows(bill)]).map((line) => ` ${line}`),
    ...assumptions(bill),
    ...storable.map(
      ({ region, limitUsd, gib }) =>
        ` ${usd(limitUsd)} a month buys ${gib} GiB of live data in ${region}, backups and snapshots included.`,
    ),
  ].join('\n');
}

function resourceRows(bill: Bill): string[] {
  const header = [' Name', 'Monthly Qty', 'Unit', 'Unit Price', 'Monthly Cost'];
  const rows: string[][] = [header];
  for (const resource of bill.resources.filter(({ lines }) => lines.length > 0)) {
    rows.push([`\n ${resource.address}`, '', '', '', '']);
    resource.lines.forEach((line, index) => rows.push(lineRow(resource, line, index)));
  }
  rows.push(['\n OVERALL TOTAL', '', '', '', `${usd(bill.totals.all.totalUsd)}  `]);
  // A leading line break is no part of the column.
  const widths = rows.map((row) => row.map((cell) => cell.replace(/^\n/, '')));
  return columns(widths, [0, 2]).map((line, index) => (rows[index][0].startsWith('\n') ? `\n${line}` : line));
}

function lineRow({ lines }: BilledResource, line: BillLine, index: number): string[] {
  const name = ` ${index === lines.length - 1 ? '└─' : '├─'} ${line.name}`;
  const depends = dependsOnUsage(line);
  if (depends !== undefined) {
    return [name, '', depends, '', ''];
  }
  if (line.monthlyUsd === undefined) {
    return [name, quantity(line.quantity), '', '', 'not priced  '];
  }
  const mark = `${line.dependsOnUsage ? '*' : ' '}${isUnsure(line) ? '†' : ' '}`;
  return [
    name,
    quantity(line.quantity),
    line.unit,
    line.unitUsd === undefined ? '' : unitUsd(line.unitUsd),
    `${usd(line.monthlyUsd)}${mark}`,
  ];
}

function footnotes(bill: Bill): string[] {
  const rates = unsureRates(bill);
  const notes = [
    ...new Set(
      bill.resources.flatMap(({ lines }) => lines).flatMap(({ name, note }) => (note ? [`${name}: ${note}.`] : [])),
    ),
  ];
  return [
    ...(rates.length > 0
      ? [' †Not taken from the AWS price list of this region:', ...rates.map((rate) => `   ${rate}`)]
      : []),
    ...notes.map((note) => ` ${note}`),
  ];
}

function detected(bill: Bill): string[] {
  const { detected: all, estimated, free, notPriced } = census(bill);
  const freeTypes = Object.entries(bill.free)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([type, count]) => `   ∙ ${count} x ${type}`);
  return [
    `${all} cloud resources were detected:`,
    `∙ ${estimated} were estimated`,
    `∙ ${free} were free:`,
    ...freeTypes,
    ...(notPriced > 0
      ? [
          `∙ ${notPriced} not priced, so that the total is too low:`,
          ...bill.notPriced.map(({ address, type, reason }) => `   ∙ ${address} (${type}): ${reason}`),
        ]
      : []),
  ];
}

function assumptions(bill: Bill): string[] {
  const rows = assumptionRows(bill);
  return rows.length === 0
    ? []
    : [
        '',
        ' Assumptions that move the total of the data layer or of compute by more than 1 %, and by how much:',
        ...columns(rows, [0, 1]).map((line) => `   ${line}`),
        '',
      ];
}

const SIGN = { added: '+', removed: '-', changed: '~' } as const;

/** The difference of two bills, as Infracost shows it. */
export function diffTable(diff: BillDiff, before: string, after: string): string {
  const blocks = diff.resources.map((resource) => {
    const head = `${SIGN[resource.kind]} ${resource.address} (${resource.type})`;
    const lines = resource.lines.map(
      ({ name, before: old, after: now, changeUsd }) =>
        `    ${old === undefined ? '+' : now === undefined ? '-' : '~'} ${name}\n      ${lineChange(old, now, changeUsd)}`,
    );
    return [head, `  ${amount(resource.changeUsd, resource.beforeUsd, resource.afterUsd)}`, '', ...lines, ''].join(
      '\n',
    );
  });
  const percent =
    diff.changePercent === undefined
      ? 'nothing was billed before'
      : `${diff.changePercent > 0 ? '+' : ''}${diff.changePercent.toFixed(1)}%`;
  return [
    `Comparing ${before} with ${after}`,
    'Key: * usage cost, ~ changed, + added, - removed',
    RULE,
    '',
    ...(blocks.length > 0 ? blocks : ['No resource changes its cost.', '']),
    ...diff.notPriced.map(({ address, type, reason }) => `? ${address} (${type}) is not priced: ${reason}`),
    RULE,
    `Monthly cost change for ${after}`,
    `Amount:     ${amount(diff.changeUsd, diff.beforeUsd, diff.afterUsd)}`,
    `Percent:    ${percent}`,
    `Data layer: ${signed(diff.dataLayerChangeUsd)}`,
    `Compute:    ${signed(diff.computeChangeUsd)}`,
  ].join('\n');
}

/** +$561.00 ($743.00 → $1,304.00). */
export function amount(change: number, before: number, after: number): string {
  return `${signed(change)} (${usd(before)} → ${usd(after)})`;
}

function lineChange(before: BillLine | undefined, after: BillLine | undefined, change: number): string {
  const line = (after ?? before)!;
  if (line.monthlyUsd === undefined) {
    return 'not priced';
  }
  const mark = line.dependsOnUsage ? '*' : '';
  return `${signed(change)}${mark}${before && after ? ` (${usd(before.monthlyUsd ?? 0)} → ${usd(after.monthlyUsd ?? 0)})` : ''}`;
}
