import { JsonPicker } from './json-picker';
import { plainUsageType } from './usage-type';

/** A product of the price list: something that is billed under a usage type. */
export interface Product {
  readonly sku: string;
  readonly usageType: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** From the first unit to the last; empty when it is sold in no term on demand. */
  readonly dimensions: readonly Dimension[];
}

/** What the units from begin to end cost. */
export interface Dimension {
  readonly begin: number;
  readonly end: number;
  readonly unit: string;
  readonly usd: number;
}

/** What a service's price list file of a region says about the usage types asked for. */
export interface PriceList {
  readonly version: string;
  readonly publicationDate: string;
  readonly products: Product[];
}

/** The file is not what a price list is. */
export class NotAPriceList extends Error {}

interface Term {
  readonly effectiveDate?: string;
  readonly priceDimensions?: Record<string, ListedDimension>;
}

interface ListedDimension {
  readonly unit?: string;
  readonly beginRange?: string;
  readonly endRange?: string;
  readonly pricePerUnit?: { readonly USD?: string };
}

/**
 * Reads a price list in constant memory. Products usually stand before the terms, which give their prices; a file where
 * they do not is read twice. Reading stops when all that is needed was seen: what follows (prices of reservations, more
 * than half of the file of Amazon EC2) is not even fetched.
 *
 * @param open - gives the file from its beginning, each time it is called
 * @param usageTypes - without region prefix
 * @throws NotAPriceList
 */
export async function readPriceList(
  open: () => AsyncIterable<Uint8Array>,
  region: string,
  usageTypes: ReadonlySet<string>,
): Promise<PriceList> {
  const first = new Reading(region, usageTypes);
  await first.read(open());
  if (!first.needsTerms) {
    return first.result();
  }
  const second = new Reading(region, usageTypes, first);
  await second.read(open());
  const [before, after] = [first.result(), second.result()];
  if (before.version !== after.version) {
    throw new NotAPriceList('it was replaced by a newer one while it was read');
  }
  return after;
}

class Reading {
  private version?: string;
  private publicationDate?: string;
  private productsRead = false;
  private termsRead = false;
  private readonly products: Map<string, Omit<Product, 'dimensions'>>;
  private readonly terms = new Map<string, Term[]>();

  constructor(
    private readonly region: string,
    private readonly usageTypes: ReadonlySet<string>,
    earlier?: Reading,
  ) {
    this.products = earlier?.products ?? new Map();
    this.productsRead = earlier !== undefined;
  }

  /** Terms were passed over because no product was known yet. */
  public get needsTerms(): boolean {
    return this.products.size > 0 && !this.termsRead;
  }

  public async read(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const picker = new JsonPicker({
      choose: (path) => this.choose(path),
      taken: (path, value) => this.taken(path, value),
      left: (path) => this.left(path),
    });
    for await (const chunk of chunks) {
      try {
        picker.write(chunk);
      } catch (error) {
        throw new NotAPriceList((error as Error).message);
      }
      if (this.complete) {
        return;
      }
    }
    try {
      picker.end();
    } catch (error) {
      throw new NotAPriceList((error as Error).message);
    }
  }

  /** @throws NotAPriceList when the file lacks what every price list has. */
  public result(): PriceList {
    const { version, publicationDate } = this;
    if (version === undefined || !/^\d{4}-\d{2}-\d{2}T/.test(publicationDate ?? '') || !this.productsRead) {
      throw new NotAPriceList('it has no version, publicationDate or products');
    }
    const products = [...this.products.values()].map((product) => ({
      ...product,
      dimensions: dimensionsOf(product.sku, this.terms.get(product.sku) ?? [], publicationDate!),
    }));
    return { version, publicationDate: publicationDate!, products };
  }

  private get complete(): boolean {
    const known = this.version !== undefined && this.publicationDate !== undefined;
    return known && this.productsRead && (this.termsRead || this.products.size === 0);
  }

  private choose(path: readonly string[]): 'enter' | 'take' | 'skip' {
    const [top, group] = path;
    if (path.length === 1) {
      return top === 'version' || top === 'publicationDate'
        ? 'take'
        : top === 'products' || top === 'terms'
          ? 'enter'
          : 'skip';
    }
    if (top === 'products') {
      return 'take';
    }
    if (path.length === 2) {
      return group === 'OnDemand' && this.productsRead ? 'enter' : 'skip';
    }
    return this.products.has(path[2]) ? 'take' : 'skip';
  }

  private taken(path: readonly string[], value: unknown): void {
    switch (path[0]) {
      case 'version':
        this.version = String(value);
        return;
      case 'publicationDate':
        this.publicationDate = String(value);
        return;
      case 'products':
        return this.product(path[1], (value ?? {}) as { attributes?: Record<string, string> });
      default:
        this.terms.set(path[2], Object.values((value ?? {}) as Record<string, Term>));
    }
  }

  private product(sku: string, { attributes = {} }: { attributes?: Record<string, string> }): void {
    const { usagetype: usageType } = attributes;
    // Local zones and transfers to elsewhere stand in the region's file too.
    const region = attributes.regionCode ?? attributes.fromRegionCode ?? this.region;
    if (typeof usageType === 'string' && region === this.region && this.usageTypes.has(plainUsageType(usageType))) {
      this.products.set(sku, { sku, usageType, attributes });
    }
  }

  private left(path: readonly string[]): void {
    if (path.length === 1 && path[0] === 'products') {
      this.productsRead = true;
    } else if (path.length === 2 && path[1] === 'OnDemand') {
      this.termsRead = true;
    }
  }
}

/** The prices in force when the list was published. */
function dimensionsOf(sku: string, terms: Term[], publicationDate: string): Dimension[] {
  // ISO dates sort as text. A term may begin later: then it is not the price of today.
  const inForce = terms
    .filter(({ effectiveDate = '' }) => effectiveDate.slice(0, 10) <= publicationDate.slice(0, 10))
    .sort((a, b) => (a.effectiveDate ?? '').localeCompare(b.effectiveDate ?? ''));
  const [term] = inForce.length > 0 ? inForce.slice(-1) : terms.slice(0, 1);
  return Object.values(term?.priceDimensions ?? {})
    .map((dimension) => ({
      begin: amount(sku, dimension.beginRange ?? '0'),
      end:
        dimension.endRange === undefined || dimension.endRange === 'Inf' ? Infinity : amount(sku, dimension.endRange),
      unit: dimension.unit ?? '',
      usd: amount(sku, dimension.pricePerUnit?.USD),
    }))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
}

function amount(sku: string, text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new NotAPriceList(`the price of ${sku} in USD is ${JSON.stringify(text)}, which is no amount`);
  }
  return value;
}
