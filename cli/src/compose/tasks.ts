import { asRecord, asRecords, Json } from '../../../lib/checks/internal';
import { TemplateResource, TemplateResources } from '../../../lib/bill';

/** A directory on the volume, as an access point gives it out. */
export interface VolumeDirectory {
  /** Without a slash in front: open-webui. */
  readonly directory: string;
  readonly uid: string;
  readonly gid: string;
}

/** A task definition of the template, and what else the template says of it. */
export interface SynthesizedTask {
  readonly address: string;
  readonly containers: Json[];
  readonly pidIsShared: boolean;
  /** By the name of the volume; undefined for scratch space. */
  readonly volumes: Map<string, VolumeDirectory | undefined>;
  /** Names under which other tasks find a port of it. */
  readonly aliases: string[];
}

/** Every task definition with a directory on EFS. */
export function tasksOf(resources: TemplateResources): SynthesizedTask[] {
  return resources
    .ofType('AWS::ECS::TaskDefinition')
    .map((task) => ({
      address: task.address,
      containers: asRecords(task.properties.ContainerDefinitions),
      pidIsShared: task.properties.PidMode === 'task',
      volumes: new Map(
        asRecords(task.properties.Volumes).map((volume) => [String(volume.Name), directoryOf(resources, volume)]),
      ),
      aliases: aliasesOf(resources, task),
    }))
    .filter(({ volumes }) => [...volumes.values()].some((directory) => directory !== undefined));
}

function directoryOf(resources: TemplateResources, volume: Json): VolumeDirectory | undefined {
  const efs = asRecord(volume.EFSVolumeConfiguration);
  const [point] = resources.references(asRecord(efs.AuthorizationConfig).AccessPointId);
  if (!point) {
    return undefined;
  }
  const user = asRecord(point.properties.PosixUser);
  return {
    directory: String(asRecord(point.properties.RootDirectory).Path).replace(/^\/+/, ''),
    uid: String(user.Uid),
    gid: String(user.Gid),
  };
}

/** The names of ECS Service Connect. */
function aliasesOf(resources: TemplateResources, task: TemplateResource): string[] {
  return resources
    .ofType('AWS::ECS::Service')
    .filter(({ properties }) => resources.references(properties.TaskDefinition).includes(task))
    .flatMap(({ properties }) => asRecords(asRecord(properties.ServiceConnectConfiguration).Services))
    .flatMap(({ ClientAliases }) => asRecords(ClientAliases))
    .map(({ DnsName }) => String(DnsName));
}
