import { Bill, BillDiff } from '../../../lib/bill';
import {
  assumptionRows,
  census,
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
import { amount } from './table';

/** The bill for a pull request or a document. */
export function billMarkdown(bill: Bill, title: string, storable: Storable[]): string {
  const rows = bill.resources.flatMap((resource) =>
    resource.lines.map((line) => {
      const depends = dependsOnUsage(line);
      const cost =
        depends ??
        (line.monthlyUsd === undefined
          ? 'not priced'
          : `${usd(line.monthlyUsd)}${line.dependsOnUsage ? ' \\*' : ''}${isUnsure(line) ? ' †' : ''}`);
      const bought = depends === undefined;
      return [
        `\`${resource.address}\``,
        line.name,
        bought ? quantity(line.quantity) : '',
        bought ? line.unit : '',
        bought && line.unitUsd !== undefined ? unitUsd(line.unitUsd) : '',
        cost,
      ];
    }),
  );
  const { detected, estimated, free, notPriced } = census(bill);
  const unsure = unsureRates(bill);
  return [
    `### Bill of ${title}: ${usd(bill.totals.all.totalUsd)} a month`,
    '',
    table([['', 'Baseline cost', 'Usage cost\\*', 'Total cost'], ...totalRows(bill)]),
    '',
    ...storable.map(
      ({ region, limitUsd, gib }) => `${usd(limitUsd)} a month buys ${gib} GiB of live data in ${region}.\n`,
    ),
    '<details><summary>Lines</summary>',
    '',
    table([['Resource', 'Name', 'Monthly Qty', 'Unit', 'Unit Price', 'Monthly Cost'], ...rows]),
    '',
    `\\* Usage cost, from assumptions. Prices: ${bill.regions.join(', ')}, USD, on-demand, before tax.`,
    ...(unsure.length > 0
      ? ['', '† Not taken from the AWS price list of this region:', ...unsure.map((rate) => `- ${rate}`)]
      : []),
    '',
    '</details>',
    '',
    ...(bill.assumptions.length > 0
      ? [table([['Assumption', 'Value', 'Moves the total by'], ...assumptionRows(bill)]), '']
      : []),
    `${detected} cloud resources were detected: ${estimated} estimated, ${free} free, ${notPriced} not priced.`,
    ...unpriced(bill.notPriced),
  ].join('\n');
}

/** The difference of two bills, for a comment on a pull request. */
export function diffMarkdown(diff: BillDiff, before: string, after: string): string {
  const direction = diff.changeUsd > 0 ? 'increases' : diff.changeUsd < 0 ? 'decreases' : 'does not change';
  const by =
    diff.changeUsd === 0
      ? ''
      : ` by ${usd(Math.abs(diff.changeUsd))}${diff.changePercent === undefined ? '' : ` (${Math.abs(diff.changePercent).toFixed(1)}%)`}`;
  const rows = diff.resources.map(({ kind, address, beforeUsd, afterUsd, changeUsd }) => [
    kind,
    `\`${address}\``,
    usd(beforeUsd),
    usd(afterUsd),
    signed(changeUsd),
  ]);
  return [
    `### Monthly cost ${direction}${by}`,
    '',
    `${amount(diff.changeUsd, diff.beforeUsd, diff.afterUsd)}, of which data layer ${signed(diff.dataLayerChangeUsd)}, compute ${signed(diff.computeChangeUsd)}. Compared: ${before} with ${after}.`,
    '',
    ...(rows.length > 0
      ? [table([['', 'Resource', 'Before', 'After', 'Change'], ...rows])]
      : ['No resource changes its cost.']),
    ...unpriced(diff.notPriced),
  ].join('\n');
}

function unpriced(notPriced: Bill['notPriced']): string[] {
  return notPriced.length === 0
    ? []
    : [
        '',
        'Not priced, so that the total is too low:',
        ...notPriced.map(({ address, type, reason }) => `- \`${address}\` (${type}): ${reason}`),
      ];
}

function table([head, ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
