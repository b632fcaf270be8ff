import { Bill, BillLine } from '../../../lib/bill';

/** Making a formatter takes far longer than using it. */
const formatter = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat('en-US', options);
const CENTS = formatter({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
const BELOW_A_CENT = formatter({ minimumFractionDigits: 4, maximumFractionDigits: 4 });
const UNIT_PRICE = formatter({ minimumFractionDigits: 2, maximumFractionDigits: 10 });
const FOUR_DIGITS = formatter({ maximumSignificantDigits: 4 });
const SEVEN_DIGITS = formatter({ maximumSignificantDigits: 7 });

const LABEL_OF_PART = { dataLayer: 'data layer', compute: 'compute', all: 'total' } as const;

/** $1,234.56, and enough digits that a small amount is not shown as none. */
export function usd(amount: number): string {
  const absolute = Math.abs(amount);
  const text = (absolute === 0 || absolute >= 0.01 ? CENTS : BELOW_A_CENT).format(absolute);
  return `${amount < 0 ? '-' : ''}$${text}`;
}

/** A unit price, with all its digits. */
export function unitUsd(amount: number): string {
  return `$${UNIT_PRICE.format(amount)}`;
}

export function quantity(amount: number): string {
  return (Math.abs(amount) >= 1000 ? SEVEN_DIGITS : FOUR_DIGITS).format(amount);
}

/** +$1.20 or -$1.20. */
export function signed(amount: number): string {
  return amount > 0 ? `+${usd(amount)}` : usd(amount);
}

/** Baseline, usage and total of each part. */
export function totalRows(bill: Bill): string[][] {
  return (['dataLayer', 'compute', 'all'] as const).map((part) => {
    const { baselineUsd, usageUsd, totalUsd, upperUsd } = bill.totals[part];
    const upper = upperUsd - totalUsd >= 0.005 ? ` (up to ${usd(upperUsd)})` : '';
    return [LABEL_OF_PART[part], usd(baselineUsd), usd(usageUsd), `${usd(totalUsd)}${upper}`];
  });
}

/** A rate that does not come from AWS's price list, or is of another region. */
export function isUnsure({ confidence, monthlyUsd }: BillLine): boolean {
  return monthlyUsd !== undefined && confidence !== undefined && confidence !== 'high';
}

/** One sentence for every rate that carries the mark, each once. */
export function unsureRates(bill: Bill): string[] {
  const lines = bill.resources.flatMap((resource) => resource.lines).filter((line) => isUnsure(line));
  const notes = lines.map((line) => {
    const region = bill.regions.includes(line.priceRegion) ? line.priceRegion : `${line.priceRegion}, another region`;
    const date = line.asOf ? `, ${line.asOf}` : '';
    return `${line.rate}: ${unitUsd(line.unitUsd!)} per ${line.unit}, ${line.confidence} (${region}${date})`;
  });
  return [...new Set(notes)].sort();
}

/** The assumptions that matter, as sentences. */
export function assumptionRows(bill: Bill): string[][] {
  return bill.assumptions.map(({ key, value, unit, isDefault, movesUsd }) => [
    key,
    `${quantity(value)} ${unit}${isDefault ? ' (default)' : ''}`,
    usd(movesUsd),
  ]);
}

/** How many resources were estimated, free, not priced. */
export function census(bill: Bill): { detected: number; estimated: number; free: number; notPriced: number } {
  const free = Object.values(bill.free).reduce((sum, count) => sum + count, 0);
  const notPriced = new Set(bill.notPriced.map(({ address }) => address)).size;
  const known = new Set(bill.resources.map(({ address }) => address));
  const unknown = bill.notPriced.filter(({ address }) => !known.has(address)).length;
  return { detected: bill.resources.length + free + unknown, estimated: bill.resources.length, free, notPriced };
}

/** What a line shows in place of a cost when nothing of it is used. */
export function dependsOnUsage(line: BillLine): string | undefined {
  return line.dependsOnUsage && line.quantity === 0 && line.unitUsd !== undefined
    ? `Monthly cost depends on usage: ${unitUsd(line.unitUsd)} per ${line.unit}`
    : undefined;
}

/** Columns of text; the first is left-aligned, and so are those named. */
export function columns(rows: string[][], left: number[] = [0], gap = '   '): string[] {
  const widths = rows[0].map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, index) => (left.includes(index) ? cell.padEnd(widths[index]) : cell.padStart(widths[index])))
      .join(gap)
      .trimEnd(),
  );
}
