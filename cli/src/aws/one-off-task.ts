import {
  DeregisterTaskDefinitionCommand,
  DescribeTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  RunTaskCommandInput,
  StopTaskCommand,
  Task,
} from '@aws-sdk/client-ecs';
import { ask, CliError } from '../errors';
import { checkInterrupted } from '../undo';
import { Session } from './clients';
import { LogFollower } from './log-follower';
import { CONTAINER, LogTarget, logTarget, OneOff, oneOffDefinition } from './one-off-definition';
import { DeployedWorkload } from './workload';

/** How a one-off task ended. */
export interface OneOffResult {
  readonly exitCode: number;
  /** What it said. */
  readonly lines: string[];
}

const POLL_MS = 3_000;

/** CloudWatch Logs shows lines some seconds after they were written: so long nothing new must come after the end. */
const LOGS_QUIET_MS = 9_000;

/** A role can be used some seconds after it was made (IAM user guide, eventual consistency). */
const ROLE_RETRY_MS = 5_000;
const ROLE_RETRIES = 12;

/** How long ECS is given to stop the task when the work is cut short: its stop timeout and a bit. */
const STOP_WAIT_MS = 180_000;

/** Registers a one-off task definition, runs it once, shows its lines as they come, and returns how it ended. */
export async function runOneOff(
  session: Session,
  workload: DeployedWorkload,
  oneOff: OneOff,
  render: (line: string) => string | undefined = (line) => line,
): Promise<OneOffResult> {
  const { aws, io } = session;
  const definition = oneOffDefinition(workload, oneOff);
  checkInterrupted(session.signal);

  const made: { definition?: string; task?: Task; ended?: boolean } = {};
  session.undo.add({
    what: () => `deregister the task definition ${made.definition}`,
    byHand: () => `aws ecs deregister-task-definition --task-definition ${made.definition}`,
    run: async () => {
      if (made.definition) {
        await aws.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: made.definition }));
      }
    },
  });
  const registered = await ask('one-off task definition', () =>
    aws.ecs.send(new RegisterTaskDefinitionCommand(definition)),
  );
  made.definition = registered.taskDefinition!.taskDefinitionArn!;

  session.undo.add({
    what: () => `stop the task ${made.task?.taskArn}`,
    byHand: () => `aws ecs stop-task --cluster ${workload.cluster} --task ${made.task?.taskArn}`,
    run: async () => {
      if (made.task && !made.ended) {
        await stopTask(session, workload, made.task.taskArn!);
      }
    },
  });
  made.task = await start(session, workload, made.definition);
  io.note(`Task ${taskId(made.task)} started with ${definition.containerDefinitions![0].image}.`);
  return follow(session, workload, made.task, logTarget(workload), render, () => (made.ended = true));
}

function taskId(task: Task): string {
  return task.taskArn!.split('/').pop()!;
}

async function start(session: Session, workload: DeployedWorkload, taskDefinition: string): Promise<Task> {
  const { service } = workload;
  const input: RunTaskCommandInput = {
    cluster: workload.cluster,
    taskDefinition,
    count: 1,
    startedBy: 'efs-data-layer',
    networkConfiguration: service.networkConfiguration,
    platformVersion: service.platformVersion,
    propagateTags: 'TASK_DEFINITION',
    ...(service.capacityProviderStrategy?.length
      ? { capacityProviderStrategy: service.capacityProviderStrategy }
      : { launchType: 'FARGATE' }),
  };
  for (let attempt = 1; ; attempt++) {
    checkInterrupted(session.signal);
    try {
      const { tasks, failures } = await session.aws.ecs.send(new RunTaskCommand(input));
      if (tasks?.length) {
        return tasks[0];
      }
      const reason = failures?.map((failure) => failure.detail ?? failure.reason).join(', ') || 'no reason given';
      throw new CliError('one-off task', `ECS did not start it: ${reason}.`, 'Correct this and run the command again.');
    } catch (error) {
      if (attempt <= ROLE_RETRIES && /assume (the )?role/i.test((error as Error).message)) {
        await session.clock.sleep(ROLE_RETRY_MS, session.signal);
        continue;
      }
      return ask('one-off task', () => Promise.reject(error));
    }
  }
}

async function follow(
  session: Session,
  workload: DeployedWorkload,
  task: Task,
  log: LogTarget,
  render: (line: string) => string | undefined,
  onStopped: () => void,
): Promise<OneOffResult> {
  const { io, clock, signal } = session;
  const follower = new LogFollower(session, log.group, `${log.streamPrefix}-one-off/${CONTAINER}/${taskId(task)}`);
  const lines: string[] = [];
  const show = async (): Promise<number> => {
    const fresh = await follower.poll();
    fresh.map(render).forEach((line) => line !== undefined && io.out(line));
    lines.push(...fresh);
    return fresh.length;
  };
  let status = '';
  let now: Task | undefined;
  for (;;) {
    checkInterrupted(signal);
    now = (await describe(session, workload, task.taskArn!)) ?? now;
    if (now?.lastStatus && now.lastStatus !== status) {
      status = now.lastStatus;
      io.note(`Task ${status.toLowerCase()}`);
    }
    await show();
    if (status === 'STOPPED') {
      onStopped();
      break;
    }
    await clock.sleep(POLL_MS, signal);
  }
  for (let quiet = 0; quiet < LOGS_QUIET_MS && !signal.aborted; quiet += POLL_MS) {
    await clock.sleep(POLL_MS, signal);
    quiet = (await show()) > 0 ? -POLL_MS : quiet;
  }
  const container = now!.containers?.find((one) => one.name === CONTAINER);
  if (container?.exitCode === undefined) {
    throw new CliError(
      'one-off task',
      `It ended before its program did: ${container?.reason ?? now!.stoppedReason ?? 'ECS gives no reason'}.`,
      'A failed mount or image pull is named in the reason; correct it and run the command again.',
    );
  }
  io.note(`Its program ended with exit code ${container.exitCode}.`);
  return { exitCode: container.exitCode, lines };
}

/** Undefined while ECS does not know the task yet. */
async function describe(session: Session, workload: DeployedWorkload, arn: string): Promise<Task | undefined> {
  const answer = await ask(`task ${arn}`, () =>
    session.aws.ecs.send(new DescribeTasksCommand({ cluster: workload.cluster, tasks: [arn] })),
  );
  return answer.tasks?.[0];
}

/** Waits for the end: the application must not start while the task may still write. */
async function stopTask(session: Session, workload: DeployedWorkload, arn: string): Promise<void> {
  const { aws, clock } = session;
  await aws.ecs.send(
    new StopTaskCommand({ cluster: workload.cluster, task: arn, reason: 'efs-data-layer: interrupted' }),
  );
  for (const until = clock.now() + STOP_WAIT_MS; clock.now() < until; await clock.sleep(POLL_MS)) {
    if ((await describe(session, workload, arn))?.lastStatus === 'STOPPED') {
      return;
    }
  }
  throw new Error('it is still stopping');
}
