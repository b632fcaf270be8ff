import * as fs from 'fs';
import * as path from 'path';

const FOLDER = path.join(__dirname, 'prices');

/** How sure a rate is. */
export type Confidence = 'high' | 'medium-high' | 'medium' | 'low' | 'unverified';

/** One step of a tiered rate: what is above the step before and not above upTo costs usd. A free allowance costs 0. */
export interface PriceTier {
  readonly upTo?: number;
  readonly usd: number;
}

/** One rate of a region. */
export interface PriceEntry {
  readonly key: string;
  readonly service: string;
  readonly dimension: string;
  readonly unit: string;
  readonly usd?: number;
  readonly tiers?: PriceTier[];
  readonly serviceCode: string;
  /** As the region's price list spells it; null for a rate that no price list has. */
  readonly usageType: string | null;
  /** What tells it from other products of the same usage type. */
  readonly operation?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly source: string;
  readonly asOf: string | null;
  readonly confidence: Confidence;
  readonly upperUsd?: number;
  /** The day the region's price list was searched for this rate in vain. */
  readonly notFound?: string;
}

/** The rates of one region. */
export class PriceBook {
  /** The regions there are books for. */
  public static regions(): string[] {
    return fs
      .readdirSync(FOLDER)
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.replace('.json', ''))
      .sort();
  }

  /** The book of a region. */
  public static forRegion(region: string): PriceBook {
    if (!PriceBook.regions().includes(region)) {
      throw new Error(
        `[region ${region}] There are no prices for it. Regions with prices: ${PriceBook.regions().join(', ')}.`,
      );
    }
    const { entries } = JSON.parse(fs.readFileSync(path.join(FOLDER, `${region}.json`), 'utf8'));
    return new PriceBook(region, entries as PriceEntry[]);
  }

  private readonly byKey: Map<string, PriceEntry>;

  private constructor(
    public readonly region: string,
    public readonly entries: readonly PriceEntry[],
  ) {
    this.byKey = new Map(entries.map((entry) => [entry.key, entry]));
  }

  /** The names of all rates, sorted. */
  public get keys(): string[] {
    return [...this.byKey.keys()].sort();
  }

  public find(key: string): PriceEntry | undefined {
    return this.byKey.get(key);
  }

  public entry(key: string): PriceEntry {
    const entry = this.find(key);
    if (!entry) {
      throw new Error(`[${key}] ${this.region} has no such price.`);
    }
    return entry;
  }
}

/** What a quantity costs, in USD. */
export function priceOf(entry: PriceEntry, quantity: number): number {
  let left = quantity;
  let below = 0;
  let cost = 0;
  for (const { upTo, usd } of entry.tiers ?? [{ usd: entry.usd! }]) {
    const inTier = Math.min(left, (upTo ?? Infinity) - below);
    cost += inTier * usd;
    left -= inTier;
    below = upTo ?? Infinity;
  }
  return cost;
}
