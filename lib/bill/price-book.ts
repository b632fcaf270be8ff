import * as fs from 'fs';
import * as path from 'path';
import { BillError } from './errors';

const FOLDER = path.join(__dirname, 'prices');

/** A book is named after its region. Other files in a directory are no matter. */
const REGION_FILE = /^[a-z]{2}(-[a-z]+)+-\d+\.json$/;

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
  /** As the region's price list spells it; null where there is none or it is not known: the rate cannot be refreshed. */
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
  /**
   * The regions there are books for.
   *
   * @param directory where refreshed books are, beside those of the package
   */
  public static regions(directory?: string): string[] {
    const files = [FOLDER, ...(directory === undefined ? [] : [directory])].flatMap((folder) => namesIn(folder));
    const regions = files.filter((name) => REGION_FILE.test(name)).map((name) => name.replace('.json', ''));
    return [...new Set(regions)].sort();
  }

  /**
   * The book of a region.
   *
   * @param directory where refreshed books are: one there goes before that of the package
   * @throws BillError where there is none, or it is no book
   */
  public static forRegion(region: string, directory?: string): PriceBook {
    if (!PriceBook.regions(directory).includes(region)) {
      const known = PriceBook.regions(directory).join(', ');
      throw new BillError(
        `region ${region}`,
        'There are no prices for it.',
        `Regions with prices: ${known}. Others: efs-data-layer prices refresh --region <region>.`,
      );
    }
    const own = directory === undefined ? undefined : path.join(directory, `${region}.json`);
    const file = own !== undefined && fs.existsSync(own) ? own : path.join(FOLDER, `${region}.json`);
    return new PriceBook(region, entriesOf(file, region));
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

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    throw new BillError(
      `prices in ${directory}`,
      `The directory cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      'Make it with: efs-data-layer prices refresh --out <directory>.',
    );
  }
}

/** Reads a book that somebody may have edited. */
function entriesOf(file: string, region: string): PriceEntry[] {
  let book: { region?: unknown; entries?: unknown } | null;
  try {
    book = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw notABook(file, (error as Error).message);
  }
  if (book?.region !== region) {
    throw notABook(file, `its region is ${JSON.stringify(book?.region)}, not ${region}`);
  }
  if (!Array.isArray(book.entries)) {
    throw notABook(file, 'it has no list of entries');
  }
  for (const entry of book.entries as PriceEntry[]) {
    const rates = entry?.tiers?.map?.(({ usd }) => usd) ?? [entry?.usd];
    if (typeof entry?.key !== 'string' || rates.some((usd) => typeof usd !== 'number' || !(usd >= 0))) {
      throw notABook(file, `the entry ${JSON.stringify(entry?.key)} has no price`);
    }
  }
  return book.entries as PriceEntry[];
}

function notABook(file: string, problem: string): BillError {
  return new BillError(file, `It is no price book: ${problem}.`, 'Make it again with: efs-data-layer prices refresh.');
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
