import {
  DescribeRestoreJobCommand,
  ListRecoveryPointsByResourceCommand,
  RecoveryPointByResource,
  StartRestoreJobCommand,
} from '@aws-sdk/client-backup';
import { DescribeFileSystemsCommand, FileSystemDescription } from '@aws-sdk/client-efs';
import { ask, CliError, usageError } from '../errors';
import { checkInterrupted } from '../undo';
import { Session } from './clients';
import { makeTemporaryRole } from './temporary-role';
import { DeployedWorkload } from './workload';

const POLL_MS = 15_000;

/** The recovery point to restore, checked against the file system: another one's would be restored without a word. */
async function recoveryPointOf(
  session: Session,
  fileSystem: FileSystemDescription,
  wanted: string,
): Promise<RecoveryPointByResource> {
  const points: RecoveryPointByResource[] = [];
  let NextToken: string | undefined;
  do {
    const page = await ask(`recovery points of ${fileSystem.FileSystemId}`, () =>
      session.aws.backup.send(
        new ListRecoveryPointsByResourceCommand({ ResourceArn: fileSystem.FileSystemArn, NextToken }),
      ),
    );
    points.push(...(page.RecoveryPoints ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  const usable = points
    .filter((point) => point.Status === 'COMPLETED')
    .sort((a, b) => b.CreationDate!.getTime() - a.CreationDate!.getTime());
  const point = wanted === 'latest' ? usable[0] : usable.find((one) => one.RecoveryPointArn === wanted);
  if (!point) {
    const newest = usable.slice(0, 5).map((one) => `\n  ${one.CreationDate!.toISOString()} ${one.RecoveryPointArn}`);
    throw usageError(
      `--recovery-point ${wanted}`,
      `It is no completed recovery point of ${fileSystem.FileSystemId}.`,
      usable.length > 0
        ? `The newest are:${newest.join('')}`
        : 'The file system has none: was its backup switched off?',
    );
  }
  return point;
}

/**
 * Restores the workload's directory from a recovery point and waits for it. AWS Backup never overwrites: what it
 * restores lies in a new aws-backup-restore_<time> off the root. Returns when the job was made.
 */
export async function restoreFromBackup(
  session: Session,
  workload: DeployedWorkload,
  runId: string,
  wanted: string,
  restoreRoleArn?: string,
): Promise<Date> {
  const { aws, io, clock, signal } = session;
  const { FileSystems } = await ask(`file system ${workload.fileSystemId}`, () =>
    aws.efs.send(new DescribeFileSystemsCommand({ FileSystemId: workload.fileSystemId })),
  );
  const fileSystem = FileSystems![0];
  const point = await recoveryPointOf(session, fileSystem, wanted);
  const [, partition, , , accountId] = fileSystem.FileSystemArn!.split(':');

  const started: { job?: string } = {};
  const job = () =>
    ask(`restore job ${started.job}`, () =>
      aws.backup.send(new DescribeRestoreJobCommand({ RestoreJobId: started.job })),
    );
  const IamRoleArn =
    restoreRoleArn ??
    (await makeTemporaryRole(session, {
      name: `efs-data-layer-restore-${runId}`,
      description: 'efs-data-layer: AWS Backup restores with it; deleted by the command that made it',
      service: 'backup.amazonaws.com',
      accountId,
      managedPolicyArn: `arn:${partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores`,
      stillNeeded: async () => {
        if (started.job && isUnfinished((await job()).Status)) {
          throw new Error(
            `the restore job ${started.job} still needs it: AWS Backup cannot stop a restore; when it has ended`,
          );
        }
      },
    }));
  checkInterrupted(signal);
  const answer = await ask(`--recovery-point ${point.RecoveryPointArn}`, () =>
    aws.backup.send(
      new StartRestoreJobCommand({
        RecoveryPointArn: point.RecoveryPointArn,
        IamRoleArn,
        IdempotencyToken: runId,
        ResourceType: 'EFS',
        Metadata: {
          'file-system-id': workload.fileSystemId,
          Encrypted: `${fileSystem.Encrypted ?? false}`,
          PerformanceMode: fileSystem.PerformanceMode!,
          CreationToken: `efs-data-layer-${runId}`,
          newFileSystem: 'false',
          itemsToRestore: JSON.stringify([`/${workload.name}`]),
        },
      }),
    ),
  );
  started.job = answer.RestoreJobId!;
  io.note(
    `Restore job ${started.job} of ${point.CreationDate!.toISOString()}: the application goes on running meanwhile.`,
  );

  for (let shown = ''; ; await clock.sleep(POLL_MS, signal)) {
    checkInterrupted(signal);
    const { Status, StatusMessage, PercentDone, CreationDate } = await job();
    const progress = `${Status} ${PercentDone ?? ''}`.trim();
    if (progress !== shown) {
      io.note(`Restore job: ${progress}`);
      shown = progress;
    }
    if (Status === 'COMPLETED') {
      return CreationDate ?? new Date(clock.now());
    }
    if (!isUnfinished(Status)) {
      throw new CliError(
        `restore job ${started.job}`,
        `It ended as ${Status}: ${StatusMessage ?? 'no reason given'}.`,
        'Nothing of the workload was touched; correct the reason and run the command again.',
      );
    }
  }
}

function isUnfinished(status?: string): boolean {
  return status === 'PENDING' || status === 'RUNNING';
}
