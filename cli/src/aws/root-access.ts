import { CreateAccessPointCommand, DeleteAccessPointCommand, DescribeAccessPointsCommand } from '@aws-sdk/client-efs';
import { ask, CliError } from '../errors';
import { checkInterrupted } from '../undo';
import { Session } from './clients';
import { RootMount, TEMPORARY_TAG } from './one-off-definition';
import { makeTemporaryRole } from './temporary-role';
import { DeployedWorkload } from './workload';

/** Where the one-off task sees the root of the file system. */
export const ROOT_MOUNT = '/mnt/file-system-root';

const POLL_MS = 2_000;
const AVAILABLE_MS = 120_000;

/** With whose rights, and whether to write. */
export type RootPower = 'read-as-workload' | 'read-as-root' | 'write-as-root';

/** A way to the whole file system, for the length of this command. */
export interface RootAccess {
  readonly taskRoleArn: string;
  readonly root: RootMount;
}

/**
 * A temporary access point on the root of the file system, and a temporary role that may read through it and write
 * through the workload's own: what AWS Backup restored is only read, and what is written gets the workload's user.
 *
 * The access point has the workload's POSIX user: AWS Backup keeps owner and mode, so this user may read the restored
 * directory (mode 750, its own) and sees no other workload's. As root it is user 0, which EFS honours only with
 * ClientRootAccess: to read trees whose owner is another, and to delete one, for the root belongs to user 0.
 */
export async function makeRootAccess(
  session: Session,
  workload: DeployedWorkload,
  runId: string,
  power: RootPower,
): Promise<RootAccess> {
  const { aws, clock, undo, signal } = session;
  const asRoot = power !== 'read-as-workload';
  const write = power === 'write-as-root';
  checkInterrupted(signal);
  const temporary: { id?: string } = {};
  undo.add({
    what: () => `delete the access point ${temporary.id}`,
    byHand: () => `aws efs delete-access-point --access-point-id ${temporary.id}`,
    run: async () => {
      if (temporary.id) {
        await aws.efs.send(new DeleteAccessPointCommand({ AccessPointId: temporary.id }));
      }
    },
  });
  const made = await ask('temporary access point', () =>
    aws.efs.send(
      new CreateAccessPointCommand({
        ClientToken: `efs-data-layer-${runId}`,
        FileSystemId: workload.fileSystemId,
        PosixUser: asRoot ? { Uid: 0, Gid: 0 } : workload.accessPoint.PosixUser,
        RootDirectory: { Path: '/' },
        Tags: [
          { Key: 'Name', Value: `efs-data-layer restore ${runId}` },
          { Key: 'ManagedBy', Value: 'efs-data-layer' },
          { Key: TEMPORARY_TAG, Value: 'restore' },
        ],
      }),
    ),
  );
  const accessPointId = made.AccessPointId!;
  temporary.id = accessPointId;
  for (const until = clock.now() + AVAILABLE_MS; ; await clock.sleep(POLL_MS, signal)) {
    checkInterrupted(signal);
    const { AccessPoints } = await ask(`access point ${accessPointId}`, () =>
      aws.efs.send(new DescribeAccessPointsCommand({ AccessPointId: accessPointId })),
    );
    const state = AccessPoints?.[0]?.LifeCycleState;
    if (state === 'available') {
      break;
    }
    if (state === 'error' || clock.now() >= until) {
      throw new CliError(`access point ${accessPointId}`, `It is ${state}.`, 'Run the command again.');
    }
  }

  const own = workload.accessPoint.AccessPointArn!;
  // arn:<partition>:elasticfilesystem:<region>:<account>:access-point/fsap-…
  const [, partition, , region, accountId] = own.split(':');
  const fileSystemArn = `arn:${partition}:elasticfilesystem:${region}:${accountId}:file-system/${workload.fileSystemId}`;
  const through = (arn: string) => ({ StringEquals: { 'elasticfilesystem:AccessPointArn': arn } });
  const taskRoleArn = await makeTemporaryRole(session, {
    name: `efs-data-layer-bring-back-${runId}`,
    description: 'efs-data-layer: for a one-off task on a restored tree; deleted by the command that made it',
    service: 'ecs-tasks.amazonaws.com',
    accountId,
    statements: [
      {
        Sid: 'TheRoot',
        Effect: 'Allow',
        Action: [
          'elasticfilesystem:ClientMount',
          ...(write ? ['elasticfilesystem:ClientWrite'] : []),
          ...(asRoot ? ['elasticfilesystem:ClientRootAccess'] : []),
        ],
        Resource: fileSystemArn,
        Condition: through(made.AccessPointArn!),
      },
      {
        Sid: 'TheWorkload',
        Effect: 'Allow',
        Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
        Resource: fileSystemArn,
        Condition: through(own),
      },
    ],
  });
  return { taskRoleArn, root: { accessPointId, mountPath: ROOT_MOUNT, readOnly: !write } };
}
