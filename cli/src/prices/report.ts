import { PriceEntry } from '../../../lib/bill';
import { paidUsd } from './rate-of-list';
import { Outcome, RegionRefresh } from './refresh';

/** What changed in a region, for people: one line for each rate that is not as it was. */
export function reportOf({ book, outcomes }: RegionRefresh): string {
  const found = outcomes.filter(({ after, problem }) => after?.usageType && problem === undefined);
  const changed = found.filter(({ before, after }) => before && priceOf(before) !== priceOf(after!));
  const added = found.filter(({ before }) => before === undefined);
  const same = found.length - changed.length - added.length;
  const lost = outcomes.filter(({ before, problem }) => before && problem !== undefined);
  const absent = outcomes.filter(({ before, problem }) => !before && problem !== undefined);
  const unlisted = outcomes.filter(({ before }) => before && before.usageType === null);
  const title = [
    `${changed.length} changed`,
    `${added.length} new`,
    `${same} confirmed`,
    `${lost.length} not found`,
    `${unlisted.length} not looked up`,
  ];
  return [
    `${book.region}: ${title.join(', ')}`,
    ...changed.map(changeLine),
    ...added.map(({ after }) => `  + ${after!.key}  ${priceOf(after!)}`),
    ...lost.map(({ before, problem }) => `  ? ${before!.key}  kept at ${priceOf(before!)}: ${problem}`),
    ...unlisted.map(({ before }) => `  . ${before!.key}  kept at ${priceOf(before!)}: no usage type is known`),
    ...(absent.length === 0
      ? []
      : [`  The bill takes from us-east-1, with a mark: ${absent.map(({ key }) => key).join(', ')}`]),
  ].join('\n');
}

function changeLine({ before, after }: Outcome): string {
  const [old, now] = [paidUsd(before!), paidUsd(after!)];
  const percent = old > 0 ? ((now - old) / old) * 100 : 0;
  // With the same price of the bulk it is the steps that changed.
  const change = percent === 0 ? '' : `  ${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`;
  return `  ~ ${after!.key}  ${priceOf(before!)} → ${priceOf(after!)}${change}`;
}

/** For example: $0.3 per GB-month, or by steps: $0 up to 5, $0.5 above per GB */
function priceOf({ usd, tiers = [], unit }: PriceEntry): string {
  const steps = tiers.map(
    (tier) => `$${text(tier.usd)} ${tier.upTo === undefined ? 'above' : `up to ${text(tier.upTo)}`}`,
  );
  return `${usd === undefined ? steps.join(', ') : `$${text(usd)}`} per ${unit}`;
}

/** A number without an exponent: 0.0000166667, 51200. */
function text(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 12, useGrouping: false });
}
