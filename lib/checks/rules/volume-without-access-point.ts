import { show } from '../json';
import { Rule } from '../rule';
import { efsVolumes, taskDefinitions } from '../tasks';

export const VOLUME_WITHOUT_ACCESS_POINT: Rule = {
  name: 'VolumeWithoutAccessPoint',
  finding: 'An EFS volume of a task definition is mounted without an access point.',
  why: 'The task sees every directory that its POSIX user may read, other workloads’ too, and a container that runs as root owns them all.',
  source: 'Amazon EFS User Guide, Working with access points',
  wayOut: 'Make an access point with a directory and a POSIX user, and name it in AuthorizationConfig.AccessPointId.',
  check: ({ app }) =>
    taskDefinitions(app).flatMap((resource) =>
      efsVolumes(resource)
        .filter(({ accessPoint }) => accessPoint === undefined)
        .map(({ name }) => ({
          resource,
          problem: `The EFS volume ${show(name)} has no AuthorizationConfig.AccessPointId.`,
          location: 'Properties.Volumes',
        })),
    ),
};
