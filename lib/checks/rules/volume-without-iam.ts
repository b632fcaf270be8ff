import { show } from '../json';
import { Rule } from '../rule';
import { efsVolumes, taskDefinitions } from '../tasks';

export const VOLUME_WITHOUT_IAM: Rule = {
  name: 'VolumeWithoutIam',
  finding: 'An EFS volume of a task definition is mounted without IAM authorization.',
  why: 'The task mounts as an anonymous client: its role decides nothing, and the file system cannot tell one workload from another.',
  source: 'Amazon ECS API, EFSAuthorizationConfig, iam (default DISABLED)',
  wayOut:
    "Set the volume's AuthorizationConfig.IAM to ENABLED, and allow elasticfilesystem:ClientMount and ClientWrite on the file system in the task role.",
  check: ({ app }) =>
    taskDefinitions(app).flatMap((resource) =>
      efsVolumes(resource)
        .filter(({ iam }) => iam !== 'ENABLED')
        .map(({ name, iam }) => ({
          resource,
          problem: `AuthorizationConfig.IAM of the EFS volume ${show(name)} is ${show(iam)}.`,
          location: 'Properties.Volumes',
        })),
    ),
};
