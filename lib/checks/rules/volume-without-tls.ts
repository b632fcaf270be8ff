import { show } from '../json';
import { Rule } from '../rule';
import { efsVolumes, taskDefinitions } from '../tasks';

export const VOLUME_WITHOUT_TLS: Rule = {
  name: 'VolumeWithoutTls',
  finding: 'An EFS volume of a task definition is mounted without TLS.',
  why: 'Files cross the network in the clear, ECS refuses access points and IAM on such a volume, and a file-system policy that asks for TLS lets nobody in.',
  source: 'Amazon ECS API, EFSVolumeConfiguration, transitEncryption',
  wayOut: "Set the volume's TransitEncryption to ENABLED.",
  check: ({ app }) =>
    taskDefinitions(app).flatMap((resource) =>
      efsVolumes(resource)
        .filter(({ transitEncryption }) => transitEncryption !== 'ENABLED')
        .map(({ name, transitEncryption }) => ({
          resource,
          problem: `TransitEncryption of the EFS volume ${show(name)} is ${show(transitEncryption)}.`,
          location: 'Properties.Volumes',
        })),
    ),
};
