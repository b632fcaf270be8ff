import { randomBytes } from 'crypto';
import { Command } from 'commander';
import { Session } from '../aws/clients';
import { OneOff, oneOffDefinition } from '../aws/one-off-definition';
import { OneOffResult, runOneOff } from '../aws/one-off-task';
import { restoreFromBackup } from '../aws/restore-job';
import { parseRestoredTrees, pickRestoredTree } from '../aws/restored-tree';
import { makeRootAccess, RootAccess, ROOT_MOUNT } from '../aws/root-access';
import { pauseService } from '../aws/service-pause';
import { DeployedWorkload, findWorkload } from '../aws/workload';
import { usageError } from '../errors';
import { discardRestoredProgram, keeperProgram, listRestoredProgram } from '../keeper/source';
import { Undo } from '../undo';
import { AccountOptions, addAccountOptions, clientsOf, noteKeeperExit, Shell, workloadQuery } from './shell';

interface RestoreOptions extends AccountOptions {
  readonly recoveryPoint?: string;
  readonly restoredDirectory?: string;
  readonly list?: boolean;
  readonly discard?: string;
  readonly restore?: boolean;
  readonly asRoot?: boolean;
  readonly restoreRole?: string;
}

/** `efs-data-layer restore-backup …` */
export function restoreBackupCommand(shell: Shell): Command {
  const command = new Command('restore-backup').description(
    'bring what AWS Backup restores back under a workload’s directory, as verified snapshots',
  );
  addAccountOptions(command)
    .option('--recovery-point <arn>', 'start the restore job itself and wait for it; "latest" takes the newest')
    .option('--restored-directory <name>', 'of a restore job that has ended: aws-backup-restore_<time>')
    .option('--list', 'show what AWS Backup has restored on the file system, and do nothing else')
    .option('--discard <name>', 'delete what AWS Backup has restored, once it is not needed, and do nothing else')
    .option('--restore', 'also put the snapshots in place of the present files, which are set aside')
    .option('--as-root', 'read the restored tree as user 0, when its owner is not the workload’s user')
    .option('--restore-role <arn>', 'the role AWS Backup restores with (default: a temporary one)')
    .action(async () => shell.exit(await restoreBackup(shell, command.opts<RestoreOptions>())));
  return command;
}

function checkOptions(options: RestoreOptions): void {
  const { recoveryPoint, restoredDirectory, list, discard } = options;
  const sources = [recoveryPoint, restoredDirectory, list, discard].filter((one) => one !== undefined);
  if (sources.length !== 1) {
    throw usageError(
      'restore-backup',
      `${sources.length} of --recovery-point, --restored-directory, --list and --discard are given.`,
      'Pass one of them.',
    );
  }
  const directory = restoredDirectory ?? discard;
  if (directory !== undefined && !/^aws-backup-restore_[A-Za-z0-9._:-]+$/.test(directory)) {
    throw usageError(
      `--${discard ? 'discard' : 'restored-directory'} ${directory}`,
      'It is no name AWS Backup gives.',
      'Pass the name without slashes, for example aws-backup-restore_2026-05-14T17-27-00-417Z; --list shows them.',
    );
  }
  if (options.restoreRole && !options.recoveryPoint) {
    throw usageError('--restore-role', 'It is for --recovery-point only.', 'Leave it out.');
  }
}

async function restoreBackup(shell: Shell, options: RestoreOptions): Promise<number> {
  checkOptions(options);
  const query = workloadQuery(options);
  const aws = clientsOf(shell, options);
  const code = await Undo.guard(shell.io, async (undo, signal) => {
    const session: Session = { aws, io: shell.io, clock: shell.clock, undo, signal };
    const workload = await findWorkload(session, query);
    const base = { image: options.image, stores: options.stores };
    // Whatever is wrong with the definition must show before anything is made.
    oneOffDefinition(workload, { ...base, program: keeperProgram([]) });

    const runId = randomBytes(4).toString('hex');
    const since = options.recoveryPoint
      ? await restoreFromBackup(session, workload, runId, options.recoveryPoint, options.restoreRole)
      : undefined;
    if (options.discard) {
      const access = await makeRootAccess(session, workload, runId, 'write-as-root');
      const program = discardRestoredProgram(ROOT_MOUNT, options.discard);
      return (await runOneOff(session, workload, { ...base, ...access, program })).exitCode;
    }
    const power = options.asRoot ? 'read-as-root' : 'read-as-workload';
    const access = await makeRootAccess(session, workload, runId, power);
    const listed = options.restoredDirectory
      ? undefined
      : await runOneOff(session, workload, { ...base, ...access, program: listRestoredProgram(ROOT_MOUNT) });
    if (listed && (options.list || listed.exitCode !== 0)) {
      return listed.exitCode;
    }
    const directory =
      options.restoredDirectory ?? pickRestoredTree(parseRestoredTrees(listed!.lines), workload.name, since!);
    return bringBack(session, workload, { ...base, ...access }, directory, options.restore ?? false);
  });
  noteKeeperExit(shell.io, code);
  return code;
}

async function bringBack(
  session: Session,
  workload: DeployedWorkload,
  base: Omit<OneOff, 'program'> & RootAccess,
  directory: string,
  restore: boolean,
): Promise<number> {
  const { io } = session;
  const source = `${ROOT_MOUNT}/${directory}/${workload.name}`;
  io.note(`Bringing back ${directory}/${workload.name} …`);
  await pauseService(session, workload);
  const program = keeperProgram(['bring-back', source]);
  const brought = await runOneOff(session, workload, { ...base, program, onlyThese: true });
  if (brought.exitCode !== 0) {
    io.note(
      'Nothing was put in place. If the directory is there (--list) but may not be read by the workload’s user, repeat with --as-root.',
    );
    return brought.exitCode;
  }
  const ids = snapshotIds(brought);
  if (restore && ids.length > 0) {
    const { image, stores } = base;
    return (
      await runOneOff(session, workload, {
        image,
        stores,
        program: keeperProgram(...ids.map((id) => ['snapshots', 'restore', id])),
      })
    ).exitCode;
  }
  const { stack, workload: name } = workload.query;
  io.note(
    ids.length > 0
      ? `Kept as ${ids.join(', ')}. Put in place with:\n  efs-data-layer snapshots restore ${ids.join(' ')} --stack ${stack} --workload ${name}`
      : 'The keeper names no snapshot: see its lines above.',
  );
  io.note(
    `${directory} stays on the file system and is billed; delete it when it is not needed, with --discard ${directory}.`,
  );
  return 0;
}

/** The keeper says what it made in events such as {"keeper": "snapshot", "id": "webui.db/2026-…"}. */
function snapshotIds({ lines }: OneOffResult): string[] {
  return lines.flatMap((line) => {
    try {
      const event = JSON.parse(line) as { keeper?: string; id?: string };
      return event.keeper === 'snapshot' && event.id ? [event.id] : [];
    } catch {
      return [];
    }
  });
}
