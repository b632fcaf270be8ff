import { Pricer, Pricing } from '../pricing';
import { RATE } from '../rates';
import { HOURS } from '../usage-keys';

/** S3, S3 Tables, S3 Vectors, Athena. */
export const OBJECT_STORES: { [type: string]: Pricer } = {
  'AWS::S3::Bucket': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('Storage (Standard)', RATE.s3Storage, (use) => use('s3.storedGB'));
      pricing.line('PUT, COPY, POST, LIST', RATE.s3Put, (use) => use('s3.putRequests') / 1000);
      pricing.line('GET and others', RATE.s3Get, (use) => use('s3.getRequests') / 1000);
    },
  },
  'AWS::S3Tables::TableBucket': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('Storage', RATE.s3TablesStorage, (use) => use('s3tables.storedGB'));
      pricing.line('Object monitoring', RATE.s3TablesMonitoring, (use) => use('s3tables.objects') / 1000);
      pricing.line('PUT, COPY, POST, LIST', RATE.s3TablesPut, (use) => use('s3tables.putRequests') / 1000);
      pricing.line('GET and others', RATE.s3TablesGet, (use) => use('s3tables.getRequests') / 1000);
      pricing.line('Compaction, data', RATE.s3TablesCompactedData, (use) => use('s3tables.compactedGB'));
      pricing.line(
        'Compaction, objects',
        RATE.s3TablesCompactedObjects,
        (use) => use('s3tables.compactedObjects') / 1000,
      );
    },
  },
  'AWS::S3Vectors::VectorBucket': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('Storage', RATE.s3VectorsStorage, (use) => use('s3vectors.storedGB'));
      pricing.line('Vectors written', RATE.s3VectorsPut, (use) => use('s3vectors.putGB'));
      pricing.line('Queries', RATE.s3VectorsQueries, (use) => use('s3vectors.queries') / 1e6);
      pricing.line('Processed by queries', RATE.s3VectorsProcessed, (use) => use('s3vectors.processedTB'));
    },
  },
  'AWS::Athena::WorkGroup': {
    part: 'data layer',
    price: (pricing) => pricing.line('Data scanned', RATE.athenaScan, (use) => use('athena.scannedTB')),
  },
};

/** OpenSearch Serverless. Collections of one group, and classic ones that share a key, share their OCUs. */
export const SEARCH: { [type: string]: Pricer } = {
  'AWS::OpenSearchServerless::CollectionGroup': {
    part: 'data layer',
    price: (pricing) => {
      if (isNextGen(pricing.text('Generation', 'CLASSIC'))) {
        priceNextGen(pricing);
      }
    },
  },
  'AWS::OpenSearchServerless::Collection': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('Storage', RATE.openSearchStorage, (use) => use('opensearch.storedGB'));
      const group = groupOf(pricing);
      if (group === 'unknown') {
        pricing.notPriced('its collection group is not in the template, so that its generation is not known');
      } else if (group === undefined || !isNextGen(group)) {
        priceClassic(pricing);
      }
    },
  },
};

const isNextGen = (generation: string) => generation.toUpperCase() === 'NEXTGEN';

/** The generation of the collection's group; undefined for a collection without one. */
function groupOf(pricing: Pricing): string | undefined {
  const name = pricing.property('CollectionGroupName');
  if (name === undefined) {
    return undefined;
  }
  const group =
    pricing.resources.references(name)[0] ??
    pricing.resources
      .ofType('AWS::OpenSearchServerless::CollectionGroup')
      .find(({ properties }) => properties.Name === name);
  return group ? String(group.properties.Generation ?? 'CLASSIC') : 'unknown';
}

/** One OCU each for indexing and search with a standby replica, half of one without: never less, used or not. */
function priceClassic(pricing: Pricing): void {
  const standby = pricing.text('StandbyReplicas', 'ENABLED') !== 'DISABLED';
  const classic = pricing.resources
    .ofType('AWS::OpenSearchServerless::Collection')
    .filter(({ properties }) => (properties.StandbyReplicas === 'DISABLED') === !standby);
  if (classic[0]?.key !== pricing.resource.key) {
    return; // The first collection of the kind carries the OCUs that all share.
  }
  const each = standby ? 1 : 0.5;
  pricing.line(`Indexing, at least ${each} OCU`, RATE.openSearchClassicOcu, () => HOURS * each);
  pricing.line(`Search, at least ${each} OCU`, RATE.openSearchClassicOcu, () => HOURS * each);
}

/** After ten idle minutes NextGen goes down to its minimum, which may be zero. */
function priceNextGen(pricing: Pricing): void {
  const minimum =
    pricing.number('CapacityLimits.MinIndexingCapacityInOcu', 0) +
    pricing.number('CapacityLimits.MinSearchCapacityInOcu', 0);
  if (minimum > 0) {
    pricing.line(`Capacity, at least ${minimum} OCU`, RATE.openSearchNextGenOcu, () => HOURS * minimum);
  }
  pricing.line(
    minimum > 0 ? 'Capacity above the minimum while awake' : 'Capacity while awake (from 0 OCU)',
    RATE.openSearchNextGenOcu,
    (use) => use('opensearch.awakeHours') * Math.max(0, use('opensearch.awakeOcu') - minimum),
  );
}
