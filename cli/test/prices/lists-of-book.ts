import { PriceEntry } from '../../../lib/bill/price-book';
import { ListedProduct } from './price-list-file';

/** How AWS's list calls the units of the book, and how many of the list's make one of the book's. */
const UNITS: Record<string, [unit: string, factor: number]> = {
  'GB-month': ['GB-Mo', 1],
  'GB-hour': ['hours', 1],
  'GB-second': ['Lambda-GB-Second', 1],
  GB: ['GB', 1],
  TB: ['Terabytes', 1],
  'MiBps-month': ['MiBps-Mo', 1],
  hour: ['Hrs', 1],
  'vCPU-hour': ['hours', 1],
  'ACU-hour': ['ACU-Hr', 1],
  'LCU-hour': ['LCU-Hrs', 1],
  'OCU-hour': ['Hrs', 1],
};

/** The products of a service that a price list would have which agrees with the book. */
export function productsOf(entries: readonly PriceEntry[], serviceCode: string): ListedProduct[] {
  return entries
    .filter((entry) => entry.serviceCode === serviceCode && entry.usageType !== null)
    .map((entry) => {
      const count = { '1k': 1e3, '10k': 1e4, '1M': 1e6 }[entry.unit.split(' ')[0]] ?? 1;
      const [unit, factor] = UNITS[entry.unit] ?? ['Quantity', count];
      const usd = (entry.usd ?? entry.tiers!.at(-1)!.usd) / factor;
      return {
        usagetype: entry.usageType!,
        unit,
        usd: usd.toFixed(13),
        attributes: { ...(entry.operation ? { operation: entry.operation } : {}), ...entry.attributes },
      };
    });
}
