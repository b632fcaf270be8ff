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
