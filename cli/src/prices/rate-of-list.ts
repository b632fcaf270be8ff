import { PriceEntry, PriceTier } from '../../../lib/bill';
import { Dimension, PriceList, Product } from './price-list';
import { unitFactor } from './units';
import { plainUsageType } from './usage-type';

/** A rate taken from a price list, in the unit of the price book. */
export interface FoundRate {
  readonly usageType: string;
  readonly usd?: number;
  readonly tiers?: PriceTier[];
}

/** Why a price list gives no rate. */
export interface NoRate {
  readonly problem: string;
}

/**
 * A change by more than this is taken for a rate of another thing or unit, and not believed: prices that AWS changes
 * move by far less.
 */
const LARGEST_CHANGE = 10;

/** Looks an entry of the price book up in the price list of its service. Never guesses: two answers are none. */
export function rateOf(entry: PriceEntry, list: PriceList): FoundRate | NoRate {
  const products = list.products.filter((product) => isOf(entry, product));
  if (products.length === 0) {
    return { problem: `the list has no ${describe(entry)}` };
  }
  const rates: FoundRate[] = [];
  for (const product of products) {
    const rate = rateOfProduct(entry, product);
    if ('problem' in rate) {
      return rate;
    }
    rates.push(rate);
  }
  const different = rates.filter((rate) => pricesOf(rate) !== pricesOf(rates[0]));
  if (different.length > 0) {
    const skus = products.map(({ sku }) => sku).join(', ');
    return { problem: `the list has several rates for ${describe(entry)} (${skus})` };
  }
  return believable(entry, rates[0]);
}

/** The price of the bulk of the usage: what lies above a free allowance. */
export function paidUsd(rate: Pick<PriceEntry, 'usd' | 'tiers'>): number {
  return rate.usd ?? rate.tiers?.find(({ usd }) => usd > 0)?.usd ?? 0;
}

function isOf(entry: PriceEntry, { usageType, attributes }: Product): boolean {
  return (
    plainUsageType(usageType) === plainUsageType(entry.usageType ?? '') &&
    (entry.operation === undefined || attributes.operation === entry.operation) &&
    Object.entries(entry.attributes ?? {}).every(([name, value]) => attributes[name] === value)
  );
}

function describe({ usageType, operation, attributes }: PriceEntry): string {
  const more = Object.entries({ ...(operation === undefined ? {} : { operation }), ...attributes });
  const text = more.map(([name, value]) => `${name}=${value}`).join(', ');
  return `${plainUsageType(usageType ?? '')}${text ? ` with ${text}` : ''}`;
}

function rateOfProduct(entry: PriceEntry, product: Product): FoundRate | NoRate {
  const dimensions = onDemand(product.dimensions);
  if (dimensions.length === 0) {
    return { problem: `the list has no price on demand for ${describe(entry)} (${product.sku})` };
  }
  const gap = dimensions.some(({ begin }, index) => begin !== (index === 0 ? 0 : dimensions[index - 1].end));
  if (gap || dimensions.at(-1)!.end !== Infinity) {
    return { problem: `the steps of the list’s price for ${describe(entry)} (${product.sku}) do not join` };
  }
  const tiers: PriceTier[] = [];
  for (const { end, unit, usd } of dimensions) {
    const factor = unitFactor(entry.unit, unit);
    if (factor === undefined) {
      return {
        problem: `the list prices ${describe(entry)} per ${unit || 'nothing named'}, the book per ${entry.unit}`,
      };
    }
    tiers.push({ ...(end === Infinity ? {} : { upTo: exact(end / factor) }), usd: exact(usd * factor) });
  }
  const { usageType } = product;
  const withFree = [...freeAllowance(entry, tiers), ...tiers];
  return withFree.length === 1 ? { usageType, usd: withFree[0].usd } : { usageType, tiers: withFree };
}

/** Hours that a reservation pays for stand beside the price on demand, at $0 for the same range. */
function onDemand(dimensions: readonly Dimension[]): Dimension[] {
  return dimensions.filter(
    (one) =>
      one.usd > 0 || !dimensions.some(({ begin, end, usd }) => usd > 0 && begin === one.begin && end === one.end),
  );
}

/**
 * What is always free (10 alarms, 5 GB of logs) is given once per account in all regions, so that the list of a region
 * does not have it: the allowance of the book stays.
 */
function freeAllowance({ tiers = [] }: PriceEntry, listed: PriceTier[]): PriceTier[] {
  const [free] = tiers;
  const first = listed[0];
  const fits = free?.upTo !== undefined && free.usd === 0 && first.usd > 0 && free.upTo < (first.upTo ?? Infinity);
  return fits ? [free] : [];
}

function believable(entry: PriceEntry, rate: FoundRate): FoundRate | NoRate {
  const [old, now] = [paidUsd(entry), paidUsd(rate)];
  if (now > old * LARGEST_CHANGE || now * LARGEST_CHANGE < old) {
    const change = `$${old} to $${now} per ${entry.unit}`;
    return {
      problem: `the list’s rate for ${describe(entry)} would be a change from ${change}: look whether it is meant`,
    };
  }
  return rate;
}

/** Products of decimal fractions, without the noise of binary ones: 0.0000004 x 1000 is 0.0004. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}

function pricesOf({ usd, tiers }: FoundRate): string {
  return JSON.stringify([usd, tiers]);
}
