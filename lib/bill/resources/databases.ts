import { Pricer, Pricing } from '../pricing';
import { cacheNodeRate, RATE, rdsInstanceRate } from '../rates';
import { HOURS } from '../usage-keys';

/** RDS, Aurora, Aurora DSQL. */
export const DATABASES: { [type: string]: Pricer } = {
  'AWS::RDS::DBInstance': {
    part: 'data layer',
    price: (pricing) => {
      const instanceClass = pricing.text('DBInstanceClass');
      const engine = pricing.text('Engine');
      if (pricing.property('DBClusterIdentifier') !== undefined || engine.startsWith('aurora')) {
        priceAuroraInstance(pricing, instanceClass);
        return;
      }
      const multiAz = pricing.text('MultiAZ') === 'true';
      const name = engine === 'postgres' ? 'postgresql' : engine;
      pricing.line(
        `Instance (${instanceClass || 'class not set'}, ${engine}${multiAz ? ', Multi-AZ' : ''})`,
        rdsInstanceRate(name, instanceClass, multiAz),
        () => HOURS,
      );
      const storage = pricing.text('StorageType', 'gp2');
      const size = pricing.number('AllocatedStorage');
      if (storage === 'gp3') {
        // A Multi-AZ instance has its storage twice.
        pricing.line(`Storage (gp3${multiAz ? ', Multi-AZ' : ''})`, RATE.rdsGp3, () => size * (multiAz ? 2 : 1));
      } else {
        pricing.line(`Storage (${storage})`, `rds/${storage}-storage`, () => size * (multiAz ? 2 : 1));
      }
      pricing.line('Backup beyond the size of the database', RATE.rdsBackup, (use) => use('rds.backupGB'));
    },
  },
  'AWS::RDS::DBCluster': {
    part: 'data layer',
    price: (pricing) => {
      if (!pricing.text('Engine').startsWith('aurora')) {
        pricing.notPriced('a Multi-AZ cluster of RDS has no rate');
        return;
      }
      if (pricing.text('StorageType', 'aurora') !== 'aurora') {
        pricing.notPriced('storage of type aurora-iopt1 has no rate');
        return;
      }
      pricing.line('Storage', RATE.auroraStorage, (use) => use('aurora.storedGB'));
      pricing.line('I/O requests', RATE.auroraIo, (use) => use('aurora.ioRequests') / 1e6);
      pricing.line('Backup beyond one day', RATE.auroraBackup, (use) => use('aurora.backupGB'));
    },
  },
  'AWS::DSQL::Cluster': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('Distributed processing units', RATE.dsqlDpu, (use) => use('dsql.dpu') / 1e6);
      pricing.line('Storage', RATE.dsqlStorage, (use) => use('dsql.storedGB'));
    },
  },
};

/** Capacity is set on the cluster, and each of its instances is billed for it. */
function priceAuroraInstance(pricing: Pricing, instanceClass: string): void {
  if (instanceClass !== 'db.serverless') {
    pricing.line(`Instance (${instanceClass})`, rdsInstanceRate('aurora', instanceClass, false), () => HOURS);
    return;
  }
  const [cluster] = pricing.resources.references(pricing.property('DBClusterIdentifier'));
  if (!cluster) {
    pricing.notPriced('its cluster is not in the template, so that its capacity is not known');
    return;
  }
  const minimum = pricing.number('ServerlessV2ScalingConfiguration.MinCapacity', undefined, cluster);
  const maximum = pricing.number('ServerlessV2ScalingConfiguration.MaxCapacity', undefined, cluster);
  const capacity = (average: number) => Math.min(maximum, Math.max(minimum, average));
  if (minimum > 0) {
    pricing.line(
      `Capacity (${minimum} to ${maximum} ACU, never paused)`,
      RATE.auroraAcu,
      (use) => HOURS * capacity(use('aurora.averageAcu', cluster.address)),
    );
    return;
  }
  pricing.line(
    `Capacity while awake (0 to ${maximum} ACU)`,
    RATE.auroraAcu,
    (use) => use('aurora.awakeHours', cluster.address) * capacity(use('aurora.averageAcu', cluster.address)),
    { note: 'paused it costs $0.00, but only with every connected service stopped' },
  );
}

/** ElastiCache, serverless and nodes. */
export const CACHES: { [type: string]: Pricer } = {
  'AWS::ElastiCache::ServerlessCache': {
    part: 'data layer',
    price: (pricing) => {
      const engine = pricing.text('Engine', 'valkey').toLowerCase();
      if (engine !== 'valkey') {
        pricing.notPriced(`a serverless cache of ${engine} has no rate`);
        return;
      }
      // A minimum is billed as if it were used; without one, at least 100 MB.
      const minimumGB = Math.max(0.1, pricing.number('CacheUsageLimits.DataStorage.Minimum', 0));
      const minimumEcpu = pricing.number('CacheUsageLimits.ECPUPerSecond.Minimum', 0) * HOURS * 3600;
      pricing.line('Data stored', RATE.valkeyData, (use) => HOURS * Math.max(minimumGB, use('valkey.storedGB')));
      pricing.line('Processing units', RATE.valkeyEcpu, (use) => Math.max(minimumEcpu, use('valkey.ecpu')) / 1e6);
      pricing.line('Snapshots', RATE.valkeySnapshot, (use) => use('valkey.snapshotGB'));
    },
  },
  'AWS::ElastiCache::CacheCluster': {
    part: 'data layer',
    price: (pricing) => priceNodes(pricing, pricing.number('NumCacheNodes', 1)),
  },
  'AWS::ElastiCache::ReplicationGroup': {
    part: 'data layer',
    price: (pricing) => {
      const shards = pricing.number('NumNodeGroups', 1);
      const each =
        pricing.property('NumCacheClusters') !== undefined
          ? pricing.number('NumCacheClusters')
          : 1 + pricing.number('ReplicasPerNodeGroup', 0);
      priceNodes(pricing, shards * each);
    },
  },
};

function priceNodes(pricing: Pricing, nodes: number): void {
  const type = pricing.text('CacheNodeType');
  const engine = pricing.text('Engine', 'redis').toLowerCase();
  pricing.line(`${nodes} node(s) (${type}, ${engine})`, cacheNodeRate(engine, type), () => nodes * HOURS);
  pricing.line('Snapshots', RATE.valkeySnapshot, (use) => use('valkey.snapshotGB'));
}
