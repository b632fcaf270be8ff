import { TaskDefinition } from '@aws-sdk/client-ecs';
import { Live } from './live';
import { Promised } from './promise';

/** Access points of directories that one task may write: paths by their ids. */
export function singleWriterPoints(live: Live): Map<string, string> {
  const single = live.stack
    .promised('AWS::EFS::AccessPoint')
    .filter(({ properties }) =>
      ((properties.AccessPointTags ?? []) as { Key: string; Value: string }[]).some(
        ({ Key, Value }) => Key === 'data-layer:writers' && Value === 'one',
      ),
    );
  return new Map(single.map((one) => [one.id, String((one.properties.RootDirectory as { Path: string }).Path)]));
}

/** A role that mounts through an access point: what a task definition of the stack says. */
export interface MountingRole {
  /** Of the task definition. */
  readonly unit: string;
  readonly roleArn: string;
  readonly roleName: string;
  readonly accessPointId: string;
  readonly accessPointArn: string;
  readonly writes: boolean;
}

/** The roles that the template promises to let in, and through which access point. */
export async function mountingRoles(live: Live): Promise<MountingRole[]> {
  const { partition, region, account } = live.stack;
  return live.stack.promised('AWS::ECS::TaskDefinition').flatMap(({ logicalId, id }) => {
    const definition = live.ecs.promisedDefinition(id) as unknown as TaskDefinition & { taskRoleArn: string };
    return (definition.volumes ?? []).flatMap((volume) => {
      const accessPointId = volume.efsVolumeConfiguration?.authorizationConfig?.accessPointId;
      if (!accessPointId || volume.efsVolumeConfiguration?.fileSystemId !== live.efs.id) {
        return [];
      }
      const mounts = (definition.containerDefinitions ?? []).flatMap((one) => one.mountPoints ?? []);
      return [
        {
          unit: logicalId,
          roleArn: definition.taskRoleArn,
          roleName: String(definition.taskRoleArn).split('/').pop()!,
          accessPointId,
          accessPointArn: `arn:${partition}:elasticfilesystem:${region}:${account}:access-point/${accessPointId}`,
          writes: mounts.some((one) => one.sourceVolume === volume.name && !one.readOnly),
        },
      ];
    });
  });
}

/** Whether a service should run a task definition that mounts a single writer's directory. */
export function isSingleWriter(live: Live, service: Promised): boolean {
  const definition = live.ecs.promisedDefinition(service.properties.TaskDefinition) as TaskDefinition | undefined;
  const points = singleWriterPoints(live);
  return (definition?.volumes ?? []).some((volume) =>
    points.has(volume.efsVolumeConfiguration?.authorizationConfig?.accessPointId ?? ''),
  );
}
