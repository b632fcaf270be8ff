import { DescribeTasksCommand, ListTasksCommand, Task, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { ask, CliError } from '../errors';
import { checkInterrupted } from '../undo';
import { Session } from './clients';
import { DeployedWorkload } from './workload';

const POLL_MS = 5_000;

/** A task gets 120 s to stop, and ECS some more to notice. */
const DRAIN_MS = 600_000;

/** Sets the service's desired count to 0, waits until no task of it runs, and sets it back at the end. */
export async function pauseService(session: Session, workload: DeployedWorkload): Promise<void> {
  const { aws, io, clock, undo, signal } = session;
  const { cluster, service } = workload;
  const name = service.serviceName!;
  const wanted = service.desiredCount ?? 0;
  const setCount = (desiredCount: number) =>
    aws.ecs.send(new UpdateServiceCommand({ cluster, service: name, desiredCount }));
  const byHand = `aws ecs update-service --cluster ${cluster} --service ${name} --desired-count ${wanted}`;
  checkInterrupted(signal);

  if (wanted === 0) {
    io.note(`The desired count of ${name} is 0 already and stays 0.`);
  } else {
    undo.add({
      what: () => `set the desired count of ${name} back to ${wanted}`,
      byHand: () => byHand,
      run: async () => {
        await setCount(wanted);
        io.note(`The desired count of ${name} is ${wanted} again: the application starts.`);
      },
    });
    io.note(`Stopping ${name}. Should this command be killed, start it again with:\n  ${byHand}`);
    await ask(`service ${name}`, () => setCount(0));
  }

  for (const until = clock.now() + DRAIN_MS; ; await clock.sleep(POLL_MS, signal)) {
    checkInterrupted(signal);
    const running = await tasksNotStopped(session, workload);
    if (running.length === 0) {
      io.note(`No task of ${name} runs.`);
      return;
    }
    if (clock.now() >= until) {
      throw new CliError(
        `service ${name}`,
        `${running.length} task(s) did not stop within ${DRAIN_MS / 60_000} minutes: ${running.map((task) => `${task.taskArn} (${task.lastStatus})`).join(', ')}.`,
        'Look at the service events, stop the task, then run the command again.',
      );
    }
  }
}

/**
 * The service's own running count leaves out tasks that are stopping, and these still write: every task is asked
 * for its last status.
 */
async function tasksNotStopped(session: Session, workload: DeployedWorkload): Promise<Task[]> {
  const { cluster, service } = workload;
  const arns: string[] = [];
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
    let nextToken: string | undefined;
    do {
      const page = await ask(`tasks of ${service.serviceName}`, () =>
        session.aws.ecs.send(
          new ListTasksCommand({ cluster, serviceName: service.serviceName, desiredStatus, nextToken }),
        ),
      );
      arns.push(...(page.taskArns ?? []));
      nextToken = page.nextToken;
    } while (nextToken);
  }
  const tasks: Task[] = [];
  // DescribeTasks takes a hundred at a time.
  for (let start = 0; start < arns.length; start += 100) {
    const answer = await ask(`tasks of ${service.serviceName}`, () =>
      session.aws.ecs.send(new DescribeTasksCommand({ cluster, tasks: arns.slice(start, start + 100) })),
    );
    tasks.push(...(answer.tasks ?? []));
  }
  return tasks.filter((task) => task.lastStatus !== 'STOPPED');
}
