import { BillError } from './errors';
import { Confidence, PriceBook, PriceEntry } from './price-book';

/** Where rates that a region's book lacks are taken from, with a mark. */
export const FALLBACK_REGION = 'us-east-1';

/** A rate, and the region it is of. */
export interface FoundRate {
  readonly entry: PriceEntry;
  readonly region: string;
  /** That of the entry, but never better than unverified when the rate is of another region. */
  readonly confidence: Confidence;
}

/** The price books of the regions in a bill, each read once. */
export class RateSource {
  private readonly books = new Map<string, PriceBook>();

  /**
   * @param directory where refreshed books are; default: those of the package alone
   */
  constructor(private readonly directory?: string) {}

  /** The rate for a region, else that of us-east-1. Undefined when there is neither. */
  public find(region: string, key: string): FoundRate | undefined {
    const own = this.book(region)?.find(key);
    if (own) {
      return { entry: own, region, confidence: own.confidence };
    }
    const other = region === FALLBACK_REGION ? undefined : this.book(FALLBACK_REGION)?.find(key);
    return other && { entry: other, region: FALLBACK_REGION, confidence: 'unverified' };
  }

  /** Refuses a region without a book. */
  public require(region: string, where: string): void {
    if (!this.book(region)) {
      const known = PriceBook.regions(this.directory).join(', ');
      throw new BillError(where, `There are no prices for its region, ${region}.`, `Choose one that has: ${known}.`);
    }
  }

  private book(region: string): PriceBook | undefined {
    if (!this.books.has(region) && PriceBook.regions(this.directory).includes(region)) {
      this.books.set(region, PriceBook.forRegion(region, this.directory));
    }
    return this.books.get(region);
  }
}
