import { Command } from 'commander';
import { Clients, makeClients } from '../aws/clients';
import { WorkloadQuery } from '../aws/workload';
import { usageError } from '../errors';
import { Clock, Io } from '../io';

/** What a command gets from whoever runs it. */
export interface Shell {
  readonly io: Io;
  readonly clock: Clock;
  readonly clients: typeof makeClients;
  /** Sets the exit code. */
  exit(code: number): void;
}

/** Options of every command that works in an account. */
export interface AccountOptions {
  readonly stack?: string;
  readonly workload?: string;
  readonly cluster?: string;
  readonly service?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly image?: string;
  readonly stores?: string;
}

/** Whose account, for every command that asks AWS. */
export const REGION = ['--region <region>', 'the AWS region (default: that of your AWS configuration)'] as const;
export const PROFILE = ['--profile <profile>', 'the AWS profile (default: that of your AWS configuration)'] as const;

export function addAccountOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'the CloudFormation stack of the data layer')
    .option('--workload <name>', 'its directory on the volume, for example open-webui')
    .option(
      '--stores <names>',
      'names in the directory, for example uploads/, besides the workload’s own (with --dir: no others)',
    )
    .option('--service <name>', 'the ECS service, when it is in another stack')
    .option('--cluster <name>', 'its cluster')
    .option('--image <image>', 'an image with Python for the one-off task (default: the workload’s, or python slim)')
    .option(...REGION)
    .option(...PROFILE);
}

/** The workload that was named. */
export function workloadQuery(options: AccountOptions): WorkloadQuery {
  if (!options.stack || !options.workload) {
    throw usageError(
      options.stack ? '--workload' : '--stack',
      'It is missing.',
      'Pass --stack and --workload, for example --stack EfsDataLayer --workload open-webui.',
    );
  }
  const { stack, workload, cluster, service } = options;
  return { stack, workload, cluster, service };
}

/** Clients for the account that was named. */
export function clientsOf(shell: Shell, options: AccountOptions): Clients {
  return shell.clients({ region: options.region, profile: options.profile });
}

/** What the keeper means by its exit code (keeper.py --help). */
const KEEPER_EXIT: { [code: number]: string } = {
  64: 'the command or a setting is wrong',
  65: 'a store failed its check; nothing was put in its place',
  70: 'the lease was lost',
  71: 'a fault of the keeper: its last lines name the place',
  74: 'the volume failed or is full',
  75: 'another task holds the lease: something still runs on this directory',
  78: 'refused; the message says why',
};

/** Says how the one-off task ended, when it did not end well. */
export function noteKeeperExit(io: Io, code: number): void {
  if (code !== 0) {
    io.note(`The keeper ended with exit code ${code}: ${KEEPER_EXIT[code] ?? 'see its last lines above'}.`);
  }
}
