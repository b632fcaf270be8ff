/** A product with its prices, as a test names it. */
export interface ListedProduct {
  readonly usagetype: string;
  readonly unit: string;
  /** USD of each step and where the next one begins; a number for one step. */
  readonly usd: string | { readonly from: number; readonly usd: string }[];
  readonly attributes?: Record<string, string>;
}

export interface ListOptions {
  readonly service: string;
  readonly region: string;
  readonly products: ListedProduct[];
  readonly version?: string;
  readonly publicationDate?: string;
  /** The terms before the products. */
  readonly termsFirst?: boolean;
}

/** A price list file with the layout of AWS's own: `"name" : value`, indented by two. */
export function priceListFile(options: ListOptions): string {
  const { service, region, version = '20260507001122', publicationDate = '2026-05-07T00:11:22Z' } = options;
  const products: Record<string, unknown> = {};
  const onDemand: Record<string, unknown> = {};
  const reserved: Record<string, unknown> = {};
  options.products.forEach((product, index) => {
    const sku = `SKU${String(index).padStart(13, '0')}`;
    products[sku] = {
      sku,
      productFamily: 'Storage',
      attributes: {
        servicecode: service,
        location: 'somewhere',
        locationType: 'AWS Region',
        usagetype: product.usagetype,
        operation: '',
        regionCode: region,
        servicename: service,
        ...product.attributes,
      },
    };
    onDemand[sku] = term(sku, 'JRTCKXETXF', product);
    reserved[sku] = term(sku, '38NPMPTW36', { ...product, usd: '0.0100000000' });
  });
  const terms = { OnDemand: onDemand, Reserved: reserved };
  return JSON.stringify(
    {
      formatVersion: 'v1.0',
      disclaimer: 'This pricing list is for informational purposes only.',
      offerCode: service,
      version,
      publicationDate,
      ...(options.termsFirst ? { terms, products } : { products, terms }),
      attributesList: {},
    },
    undefined,
    2,
  ).replace(/^( *"[^"\n]*"):/gm, '$1 :');
}

function term(sku: string, offer: string, { unit, usd }: ListedProduct): Record<string, unknown> {
  const steps = typeof usd === 'string' ? [{ from: 0, usd }] : usd;
  const dimensions = steps.map((step, index) => {
    const rateCode = `${sku}.${offer}.RATE${index}`;
    const endRange = String(steps[index + 1]?.from ?? 'Inf');
    return [
      rateCode,
      {
        rateCode,
        description: `$${step.usd} per ${unit}`,
        beginRange: String(step.from),
        endRange,
        unit,
        pricePerUnit: { USD: step.usd },
        appliesTo: [],
      },
    ];
  });
  return {
    [`${sku}.${offer}`]: {
      offerTermCode: offer,
      sku,
      effectiveDate: '2026-05-01T00:00:00Z',
      priceDimensions: Object.fromEntries(dimensions),
      termAttributes: {},
    },
  };
}
