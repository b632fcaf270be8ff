import { Command } from 'commander';
import { Session } from '../aws/clients';
import { OneOff } from '../aws/one-off-definition';
import { runOneOff } from '../aws/one-off-task';
import { DeployedWorkload, findTaskWorkload } from '../aws/workload';
import { usageError } from '../errors';
import { Undo } from '../undo';
import { AccountOptions, clientsOf, PROFILE, REGION, Shell, workloadQuery } from './shell';

/** Options of a command that can run as a one-off task on the volume. */
export interface TaskOptions extends AccountOptions {
  readonly taskCpu?: string;
  readonly taskMemory?: string;
}

/** How much a task has when the user does not say: vCPU units and MiB. */
export interface TaskSize {
  readonly cpu: string;
  readonly memory: string;
}

/** Adds them, with what a command says of its stack and its image. */
export function addTaskOptions(command: Command, stack: string, image: string, size: TaskSize): Command {
  return command
    .option('--stack <name>', stack)
    .option('--workload <name>', 'the directory on the volume (default with --stack: evidence)')
    .option('--service <name>', 'an ECS service whose network the task can use, when the stack has none')
    .option('--cluster <name>', 'its cluster')
    .option('--image <image>', image)
    .option('--task-cpu <units>', `vCPU units of the task (default: ${size.cpu})`)
    .option('--task-memory <MiB>', `memory of the task (default: ${size.memory})`)
    .option(...REGION)
    .option(...PROFILE);
}

const FLAGS: { [name in keyof TaskOptions]: string } = {
  stack: '--stack',
  workload: '--workload',
  service: '--service',
  cluster: '--cluster',
  image: '--image',
  taskCpu: '--task-cpu',
  taskMemory: '--task-memory',
  region: '--region',
  profile: '--profile',
};

/** A folder is read here, so that what is about a task was meant otherwise. */
export function refuseTaskOptions(folder: string, options: TaskOptions, allowed: (keyof TaskOptions)[] = []): void {
  const names = (Object.keys(FLAGS) as (keyof TaskOptions)[]).filter((name) => !allowed.includes(name));
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length > 0) {
    throw usageError(
      folder,
      `A folder does not go together with ${given.map((name) => FLAGS[name]).join(', ')}.`,
      'Pass the folder on the mounted volume or on a copy, or --stack without a folder from a workstation.',
    );
  }
}

/** What a task runs, once the workload is known, and where when that is not the network of a service. */
export type VolumeTask = Pick<OneOff, 'program' | 'environment'> & { readonly workload?: DeployedWorkload };

/**
 * Runs a program on the volume, in a task that has the evidence workload's own mount, role and log group. `render` makes
 * of a line of its log what is printed. Returns the program's exit code.
 */
export async function runOnVolume(
  shell: Shell,
  options: TaskOptions,
  own: TaskSize & { readonly image: string },
  task: (session: Session, workload: DeployedWorkload) => VolumeTask | Promise<VolumeTask>,
  render: (line: string) => string | undefined,
): Promise<number> {
  const query = workloadQuery({ ...options, workload: options.workload ?? 'evidence' });
  const aws = clientsOf(shell, options);
  return Undo.guard(shell.io, async (undo, signal) => {
    const session: Session = { aws, io: shell.io, clock: shell.clock, undo, signal };
    const found = await findTaskWorkload(session, query);
    const { workload = found, ...what } = await task(session, found);
    const oneOff: OneOff = {
      ...what,
      image: options.image ?? own.image,
      withoutKeeper: true,
      size: { cpu: options.taskCpu ?? own.cpu, memory: options.taskMemory ?? own.memory },
    };
    return (await runOneOff(session, workload, oneOff, render)).exitCode;
  });
}

/** A log has what the task printed and what it noted in one stream: with --json only the former may reach a pipe. */
export function onlyJson(shell: Shell, line: string, json: boolean): string | undefined {
  if (json && !line.startsWith('{')) {
    shell.io.note(line);
    return undefined;
  }
  return line;
}
