import { asRecords, show } from '../json';
import { Rule } from '../rule';
import { taskDefinitions } from '../tasks';

export const MOUNT_WITHOUT_VOLUME: Rule = {
  name: 'MountWithoutVolume',
  finding: 'A container mounts a volume that its task definition does not declare.',
  why: 'ECS refuses to register the task definition, half-way through the deployment.',
  source: 'Amazon ECS API, MountPoint, sourceVolume',
  wayOut: 'Declare the volume in Volumes, or correct the name in SourceVolume.',
  check: ({ app }) =>
    taskDefinitions(app).flatMap((resource) => {
      const declared = asRecords(resource.properties.Volumes).map(({ Name }) => show(Name));
      return asRecords(resource.properties.ContainerDefinitions).flatMap((container) =>
        asRecords(container.MountPoints)
          .filter(({ SourceVolume }) => !declared.includes(show(SourceVolume)))
          .map(({ SourceVolume }) => ({
            resource,
            problem: `The container ${show(container.Name)} mounts ${show(SourceVolume)}, which is not among the volumes (${declared.join(', ') || 'none'}).`,
            location: 'Properties.ContainerDefinitions',
          })),
      );
    }),
};
