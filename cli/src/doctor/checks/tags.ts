import { differences, show } from '../compare';
import { Check, Examination } from '../examination';

interface Tagged {
  readonly id: string;
  readonly wanted: unknown;
  readonly actual: unknown;
  readonly command: (key: string, value: string) => string;
}

function compare({ live, find }: Examination, { id, wanted, actual, command }: Tagged): void {
  for (const { path, promised, live: found } of differences(wanted ?? [], actual ?? [])) {
    const key = path.join('.');
    find(
      'tags',
      id,
      `The tag ${key} is ${show(found)}; promised is ${show(promised)}.`,
      `${command(key, show(promised))} ${live.at}`,
    );
  }
}

/** Databases, their secrets, the cache and the load balancer. Whether they are there is asked elsewhere. */
async function ofStores(examination: Examination): Promise<void> {
  const { live } = examination;
  const { partition, region, account } = live.stack;
  const pair = (key: string, value: string) => `'Key=${key},Value=${value}'`;
  const kinds: [string, (id: string) => Promise<{ tags: unknown } | undefined>, (id: string) => string][] = [
    [
      'AWS::RDS::DBInstance',
      (id) => live.rds.instance(id).then((one) => one && { tags: one.TagList }),
      (id) => `aws rds add-tags-to-resource --resource-name arn:${partition}:rds:${region}:${account}:db:${id} --tags`,
    ],
    [
      'AWS::RDS::DBCluster',
      (id) => live.rds.cluster(id).then((one) => one && { tags: one.TagList }),
      (id) =>
        `aws rds add-tags-to-resource --resource-name arn:${partition}:rds:${region}:${account}:cluster:${id} --tags`,
    ],
    [
      'AWS::SecretsManager::Secret',
      (id) => live.secret(id).then((one) => one && { tags: one.Tags }),
      (id) => `aws secretsmanager tag-resource --secret-id ${id} --tags`,
    ],
    [
      'AWS::ElastiCache::ServerlessCache',
      (id) => live.cache.tags(id).then((found) => found && { tags: found }),
      (id) => `aws elasticache add-tags-to-resource --resource-name ${live.cache.arn(id)} --tags`,
    ],
    [
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
      (id) => live.elb.tags(id).then((found) => found && { tags: found }),
      (id) => `aws elbv2 add-tags --resource-arns ${id} --tags`,
    ],
  ];
  for (const [type, read, command] of kinds) {
    for (const { id, properties } of live.stack.promised(type)) {
      const actual = await read(id);
      if (actual) {
        const how = (key: string, value: string) => `${command(id)} ${pair(key, value)}`;
        compare(examination, { id, wanted: properties.Tags, actual: actual.tags, command: how });
      }
    }
  }
}

export const tags: Check = {
  name: 'tags',
  kinds: {
    tags: {
      severity: 'notice',
      title: 'A tag is not the promised one',
      why: 'Costs are attributed by tags, and the rule pack knows a single writer’s directory by data-layer:writers.',
    },
  },
  async run(examination) {
    const { live } = examination;
    const tagEfs = (id: string) => (key: string, value: string) =>
      `aws efs tag-resource --resource-id ${id} --tags 'Key=${key},Value=${value}'`;
    for (const { id, properties } of live.stack.promised('AWS::EFS::FileSystem')) {
      const { Tags } = await live.efs.fileSystem();
      compare(examination, { id, wanted: properties.FileSystemTags, actual: Tags, command: tagEfs(id) });
    }
    const points = await live.efs.accessPoints();
    for (const { id, properties } of live.stack.promised('AWS::EFS::AccessPoint')) {
      const point = points.find((one) => one.AccessPointId === id);
      if (point) {
        compare(examination, { id, wanted: properties.AccessPointTags, actual: point.Tags, command: tagEfs(id) });
      }
    }
    await ofStores(examination);
    for (const { promised, live: service } of await live.ecs.services()) {
      if (service) {
        compare(examination, {
          id: promised.id,
          wanted: promised.properties.Tags,
          // ECS spells its tags in lower case.
          actual: service.tags?.map(({ key, value }) => ({ Key: key, Value: value })),
          command: (key, value) =>
            `aws ecs tag-resource --resource-arn ${promised.id} --tags 'key=${key},value=${value}'`,
        });
      }
    }
  },
};
