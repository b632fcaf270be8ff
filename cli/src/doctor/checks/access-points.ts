import { AccessPointDescription } from '@aws-sdk/client-efs';
import { differences, show } from '../compare';
import { Check } from '../examination';
import { singleWriterPoints } from '../workloads';

function overlaps(one: string, other: string): boolean {
  const inside = (a: string, b: string) => a === b || a.startsWith(b.endsWith('/') ? b : `${b}/`);
  return inside(one, other) || inside(other, one);
}

const pathOf = (point: AccessPointDescription) => point.RootDirectory?.Path ?? '/';

export const accessPoints: Check = {
  name: 'access points',
  kinds: {
    'access-point-missing': {
      severity: 'critical',
      title: 'A workload’s access point is gone',
      why: 'Its task definition names it: the next task does not start.',
    },
    'access-point-unavailable': {
      severity: 'critical',
      title: 'A workload’s access point is not available',
      why: 'Nothing can be mounted through it.',
    },
    'access-point-identity': {
      severity: 'critical',
      title: 'An access point acts as another user',
      why: 'Files are then made that the workload cannot read, or it cannot open those it has: a database “malformed” or read-only at the next start.',
    },
    'access-point-directory': {
      severity: 'critical',
      title: 'An access point leads into another directory',
      why: 'The workload starts on an empty directory, as after a new installation, while its data lies beside it.',
    },
    'access-point-owner': {
      severity: 'warning',
      title: 'The directory would be made with another owner or other permissions',
      why: 'It counts when the directory is made anew, for example after a restore: then others may read it, or the workload may not.',
    },
    'access-point-as-root': {
      severity: 'warning',
      title: 'An access point acts as root',
      why: 'Whoever may mount it reads and changes every file below it, whosever they are.',
    },
    'access-point-overlap': {
      severity: 'warning',
      title: 'A second access point leads into a single writer’s directory',
      why: 'Through it a second task can write the same databases, past the keeper and past the tag that warns of it.',
    },
  },
  async run({ live, find }) {
    const points = await live.efs.accessPoints();
    const promised = live.stack.promised('AWS::EFS::AccessPoint');
    for (const { id, logicalId, properties } of promised) {
      const point = points.find((one) => one.AccessPointId === id);
      if (!point) {
        find('access-point-missing', id, `${logicalId} is not on ${live.efs.id} any more.`, live.revert);
        continue;
      }
      if (point.LifeCycleState !== 'available') {
        find(
          'access-point-unavailable',
          id,
          `Its state is ${show(point.LifeCycleState)}.`,
          `aws efs describe-access-points --access-point-id ${id} ${live.at}`,
        );
      }
      const kinds = [
        ['access-point-identity', differences(properties.PosixUser, point.PosixUser)],
        [
          'access-point-directory',
          differences((properties.RootDirectory as { Path?: string })?.Path, point.RootDirectory?.Path),
        ],
        [
          'access-point-owner',
          differences(
            (properties.RootDirectory as { CreationInfo?: object })?.CreationInfo,
            point.RootDirectory?.CreationInfo,
          ),
        ],
      ] as const;
      for (const [kind, found] of kinds) {
        if (found.length > 0) {
          const what = found.map(
            (one) => `${one.path.join('.') || 'Path'} is ${show(one.live)}; promised is ${show(one.promised)}`,
          );
          find(kind, id, `${what.join('. ')}.`, live.revert);
        }
      }
    }
    const known = new Set(promised.map((one) => one.id));
    const single = [...singleWriterPoints(live).values()];
    for (const point of points) {
      const mend = `aws efs delete-access-point --access-point-id ${point.AccessPointId} ${live.at}   (the files stay)`;
      if (point.PosixUser?.Uid === 0) {
        find('access-point-as-root', point.AccessPointId!, `It acts as uid 0 in ${pathOf(point)}.`, mend);
      }
      const shared = known.has(point.AccessPointId!) ? [] : single.filter((one) => overlaps(pathOf(point), one));
      if (shared.length > 0) {
        find(
          'access-point-overlap',
          point.AccessPointId!,
          `Its directory ${pathOf(point)} overlaps ${shared.join(', ')}.`,
          mend,
        );
      }
    }
  },
};
