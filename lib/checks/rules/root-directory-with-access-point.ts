import { show } from '../json';
import { Rule } from '../rule';
import { efsVolumes, taskDefinitions } from '../tasks';

export const ROOT_DIRECTORY_WITH_ACCESS_POINT: Rule = {
  name: 'RootDirectoryWithAccessPoint',
  finding: 'An EFS volume has a root directory together with an access point.',
  why: 'The access point decides the directory: ECS takes no RootDirectory but "/" beside it, and the task does not start.',
  source: 'Amazon ECS API, EFSVolumeConfiguration, rootDirectory',
  wayOut: 'Leave RootDirectory out, and set the directory in the access point.',
  check: ({ app }) =>
    taskDefinitions(app).flatMap((resource) =>
      efsVolumes(resource)
        .filter(
          ({ accessPoint, rootDirectory }) =>
            accessPoint !== undefined && rootDirectory !== undefined && rootDirectory !== '/',
        )
        .map(({ name, rootDirectory }) => ({
          resource,
          problem: `The EFS volume ${show(name)} has the RootDirectory ${show(rootDirectory)} and an access point.`,
          location: 'Properties.Volumes',
        })),
    ),
};
