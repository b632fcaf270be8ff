import { Command } from 'commander';
import { Session } from '../aws/clients';
import { NODE_IMAGE } from '../aws/node-image';
import { OneOff } from '../aws/one-off-definition';
import { runOneOff } from '../aws/one-off-task';
import { findTaskWorkload } from '../aws/workload';
import { usageError } from '../errors';
import { DUCKDB } from '../evidence/engine';
import { bytesText } from '../evidence/output';
import { Scan, SCAN_EVENT, SCAN_LINE } from '../evidence/scans';
import { evidenceProgram } from '../evidence/task-program';
import { EvidenceRequest } from '../evidence/verbs';
import { Undo } from '../undo';
import { AccountOptions, clientsOf, PROFILE, REGION, Shell, workloadQuery } from './shell';

export interface TaskOptions extends AccountOptions {
  readonly taskCpu?: string;
  readonly taskMemory?: string;
}

export function addTaskOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'the CloudFormation stack of the data layer: ask the volume, with a one-off task')
    .option('--workload <name>', 'the directory on the volume (default with --stack: evidence)')
    .option('--service <name>', 'an ECS service whose network the task can use, when the stack has none')
    .option('--cluster <name>', 'its cluster')
    .option('--image <image>', `an image with Node 20 or newer, with npm or with ${DUCKDB} (default: ${NODE_IMAGE})`)
    .option('--task-cpu <units>', 'vCPU units of the task (default: 1024)')
    .option('--task-memory <MiB>', 'memory of the task (default: 4096)')
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

export function refuseTaskOptions(folder: string, options: TaskOptions): void {
  const given = Object.keys(FLAGS).filter((name) => options[name as keyof TaskOptions] !== undefined);
  if (given.length > 0) {
    throw usageError(
      folder,
      `A folder does not go together with ${given.map((name) => FLAGS[name as keyof TaskOptions]).join(', ')}.`,
      'Pass the folder on the mounted volume or on a copy, or --stack from a workstation.',
    );
  }
}

/** Runs it on the volume, in a task that has the evidence workload's own mount, role and log group. */
export async function runInTask(shell: Shell, options: TaskOptions, request: (root: string) => EvidenceRequest) {
  const query = workloadQuery({ ...options, workload: options.workload ?? 'evidence' });
  const aws = clientsOf(shell, options);
  return Undo.guard(shell.io, async (undo, signal) => {
    const session: Session = { aws, io: shell.io, clock: shell.clock, undo, signal };
    const workload = await findTaskWorkload(session, query);
    const asked = request(workload.mountPath);
    const oneOff: OneOff = {
      program: evidenceProgram(asked),
      image: options.image ?? NODE_IMAGE,
      withoutKeeper: true,
      size: { cpu: options.taskCpu ?? '1024', memory: options.taskMemory ?? '4096' },
      environment: [
        ...(asked.verb === 'verify' ? [] : [{ name: 'EFS_DATA_LAYER_DUCKDB', value: DUCKDB }]),
        { name: SCAN_LINE, value: '1' },
      ],
    };
    return (await runOneOff(session, workload, oneOff, (line) => render(shell, line, asked))).exitCode;
  });
}

/** A log has what the task printed and what it noted in one stream: only the former may reach a pipe. */
function render(shell: Shell, line: string, request: EvidenceRequest): string | undefined {
  const json = request.verb === 'query' ? request.format === 'json' : request.json;
  if (!line.startsWith('{')) {
    if (json) {
      shell.io.note(line);
      return undefined;
    }
    return line;
  }
  try {
    const found = JSON.parse(line) as Scan & { event?: string };
    if (found.event === SCAN_EVENT) {
      shell.io.note(`It read ${bytesText(found.bytes)} in ${found.seconds.toFixed(1)} s.`);
      return undefined;
    }
  } catch {
    // A row of a table may begin with a brace.
  }
  return line;
}
