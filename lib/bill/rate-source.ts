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

  /** The rate for a region, else that of us-east-1. Undefined when there is neither. */
  public find(region: string, key: string): FoundRate | undefined {
    const own = this.book(region).find(key);
    if (own) {
      return { entry: own, region, confidence: own.confidence };
    }
    const other = region === FALLBACK_REGION ? undefined : this.book(FALLBACK_REGION).find(key);
    return other && { entry: other, region: FALLBACK_REGION, confidence: 'unverified' };
  }

  private book(region: string): PriceBook {
    const book = this.books.get(region) ?? PriceBook.forRegion(region);
    this.books.set(region, book);
    return book;
  }
}
