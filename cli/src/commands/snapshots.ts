import { Command } from 'commander';
import { Session } from '../aws/clients';
import { OneOff, oneOffDefinition } from '../aws/one-off-definition';
import { runOneOff } from '../aws/one-off-task';
import { pauseService } from '../aws/service-pause';
import { findWorkload } from '../aws/workload';
import { usageError } from '../errors';
import { runLocally } from '../keeper/local';
import { keeperProgram } from '../keeper/source';
import { Undo } from '../undo';
import { AccountOptions, addAccountOptions, clientsOf, noteKeeperExit, Shell, workloadQuery } from './shell';

interface SnapshotOptions extends AccountOptions {
  readonly dir?: string;
  readonly json?: boolean;
}

interface Verb {
  readonly name: string;
  readonly ids?: string;
  readonly summary: string;
  /** The keeper needs the lease, so nothing else may run on the directory. */
  readonly stopsService: boolean;
}

const VERBS: Verb[] = [
  { name: 'list', summary: 'the verified copies on the volume', stopsService: false },
  { name: 'verify', ids: '[id]', summary: 'read one copy, or all, again and check it', stopsService: false },
  { name: 'take', summary: 'make a copy now; the application is stopped meanwhile', stopsService: true },
  {
    name: 'restore',
    ids: '<ids...>',
    summary: 'put copies in place of the present files, which are set aside; the application is stopped meanwhile',
    stopsService: true,
  },
  { name: 'release', ids: '<id>', summary: 'let a kept copy grow old like any other', stopsService: false },
];

/** `efs-data-layer snapshots …` */
export function snapshotsCommand(shell: Shell): Command {
  const snapshots = new Command('snapshots').description(
    'verified copies of a workload’s databases: on a mounted volume (--dir), or from a workstation (--stack, --workload)',
  );
  for (const verb of VERBS) {
    const command = snapshots.command(`${verb.name}${verb.ids ? ` ${verb.ids}` : ''}`).description(verb.summary);
    command.option('--dir <path>', 'the mounted directory, inside a task or on a host that mounts the volume');
    command.option('--json', 'one JSON object per line');
    addAccountOptions(command);
    command.action(async (...received: unknown[]) => {
      const ids = verb.ids ? [received[0] ?? []].flat() : [];
      shell.exit(await runVerb(shell, verb, ids as string[], command.opts<SnapshotOptions>()));
    });
  }
  return snapshots;
}

async function runVerb(shell: Shell, verb: Verb, ids: string[], options: SnapshotOptions): Promise<number> {
  const json = options.json ? ['--json'] : [];
  // The keeper restores one copy at a time.
  const runs = (ids.length > 0 ? ids : [[]]).map((id) => ['snapshots', verb.name, ...[id].flat(), ...json]);
  if (options.dir !== undefined) {
    refuseAccountOptions(options);
    for (const run of runs) {
      const code = await runLocally(options.dir, options.stores, run);
      if (code !== 0) {
        return code;
      }
    }
    return 0;
  }
  if (options.stack === undefined) {
    throw usageError(
      'snapshots',
      'Neither a mounted directory nor a stack is named.',
      'Pass --dir /mnt/open-webui on the volume, or --stack EfsDataLayer --workload open-webui from a workstation.',
    );
  }
  return runRemotely(shell, verb, runs, options);
}

function refuseAccountOptions(options: SnapshotOptions): void {
  const names = ['stack', 'workload', 'cluster', 'service', 'region', 'profile', 'image'] as const;
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length > 0) {
    throw usageError(
      `--dir ${options.dir}`,
      `It does not go together with ${given.map((name) => `--${name}`).join(', ')}.`,
      'Pass --dir on the mounted volume, or --stack and --workload from a workstation.',
    );
  }
}

async function runRemotely(shell: Shell, verb: Verb, runs: string[][], options: SnapshotOptions): Promise<number> {
  const query = workloadQuery(options);
  const oneOff: OneOff = { program: keeperProgram(...runs), image: options.image, stores: options.stores };
  const aws = clientsOf(shell, options);
  const code = await Undo.guard(shell.io, async (undo, signal) => {
    const session: Session = { aws, io: shell.io, clock: shell.clock, undo, signal };
    const workload = await findWorkload(session, query);
    // Whatever is wrong with the definition must show before the application is stopped.
    oneOffDefinition(workload, oneOff);
    if (verb.stopsService) {
      await pauseService(session, workload);
    }
    return (await runOneOff(session, workload, oneOff)).exitCode;
  });
  noteKeeperExit(shell.io, code);
  return code;
}
