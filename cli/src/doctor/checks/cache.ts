import { ServerlessCache } from '@aws-sdk/client-elasticache';
import { Check } from '../examination';
import { compareSettings, same, Setting, value } from '../settings';

const SETTINGS: Setting<ServerlessCache>[] = [
  same('CacheUsageLimits', 'cache-limits', (wanted) => `--cache-usage-limits '${JSON.stringify(wanted)}'`),
  same('SecurityGroupIds', 'cache-network', value('security-group-ids')),
  same('SnapshotRetentionLimit', 'cache-drift', value('snapshot-retention-limit')),
  same('MajorEngineVersion', 'cache-drift', value('major-engine-version')),
  same('Engine', 'cache-drift', value('engine')),
];

export const cache: Check = {
  name: 'cache',
  kinds: {
    'cache-missing': {
      severity: 'critical',
      title: 'The cache is gone, or not available',
      why: 'The replicas share their sessions and tasks through it: no replica starts without.',
    },
    'cache-limits': {
      severity: 'warning',
      title: 'The cache may hold or answer more than promised, or less',
      why: 'Its limits are what the bill may rise to; without them there is no end. Too low, it evicts sessions and slows requests down.',
    },
    'cache-network': {
      severity: 'critical',
      title: 'The cache stands behind another security group',
      why: 'It has no password: who reaches it reads every session; or the services do not reach it.',
    },
    'cache-drift': {
      severity: 'notice',
      title: 'A setting of the cache is not the promised one',
      why: 'Snapshots are billed, and hold what nobody needs; a version does not go back.',
    },
  },
  async run(examination) {
    const { live, find } = examination;
    for (const { id, logicalId, properties } of live.stack.promised('AWS::ElastiCache::ServerlessCache')) {
      const one = await live.cache.cache(id);
      if (!one) {
        // Nothing in it outlives a task: a new one is as good.
        find('cache-missing', id, `${logicalId} does not exist any more.`, live.revert);
        continue;
      }
      if (/failed|deleting/i.test(one.Status ?? '')) {
        find('cache-missing', id, `Its state is ${one.Status}.`, live.revert);
      }
      compareSettings(
        examination,
        id,
        properties,
        one,
        SETTINGS,
        (option) => `aws elasticache modify-serverless-cache --serverless-cache-name ${id} ${option} ${live.at}`,
      );
    }
  },
};
