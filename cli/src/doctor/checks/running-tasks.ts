import { Task } from '@aws-sdk/client-ecs';
import { Check, Examination } from '../examination';
import { LiveService } from '../live-ecs';
import { Live } from '../live';
import { singleWriterPoints } from '../workloads';

/** A task may take its image, the lease, a takeover and the health check's start period. */
const START_MINUTES = 30;

const short = (arn: string | undefined) => arn?.split('/').pop() ?? '';

/** Tasks that mount each single writer's directory, by its path. */
async function writers(live: Live, tasks: Task[]): Promise<Map<string, Task[]>> {
  const points = singleWriterPoints(live);
  const found = new Map<string, Task[]>();
  for (const task of tasks) {
    const definition = await live.ecs.taskDefinition(task.taskDefinitionArn!);
    for (const volume of definition.volumes ?? []) {
      const path = points.get(volume.efsVolumeConfiguration?.authorizationConfig?.accessPointId ?? '');
      if (path) {
        found.set(path, [...(found.get(path) ?? []), task]);
      }
    }
  }
  return found;
}

function minutesSince(live: Live, date: Date | undefined): number {
  return date ? (live.clock.now() - date.getTime()) / 60_000 : Infinity;
}

function ofService(
  { live, find, notYet }: Examination,
  { name, cluster, live: service }: LiveService,
  tasks: Task[],
): void {
  const own = tasks.filter((task) => task.group === `service:${name}`);
  const primary = service!.deployments?.find((one) => one.status === 'PRIMARY');
  const look = `aws ecs describe-services --cluster ${cluster} --services ${name} ${live.at} --query "services[0].events[:5].message"`;
  if (primary?.rolloutState === 'FAILED') {
    find('deployment-failed', name, primary.rolloutStateReason ?? 'The deployment failed.', look);
  } else if ((service!.desiredCount ?? 0) > 0 && own.length === 0) {
    if (minutesSince(live, primary?.createdAt) < START_MINUTES) {
      notYet(`${name} is being started`);
    } else {
      find('no-task-running', name, `${service!.desiredCount} wanted, none runs.`, look);
    }
  }
  for (const task of own) {
    const arn = short(task.taskArn);
    if (task.healthStatus === 'UNHEALTHY') {
      find(
        'task-unhealthy',
        name,
        `The task ${arn} is unhealthy.`,
        `aws ecs execute-command --cluster ${cluster} --task ${arn} --interactive --command "python3 /tmp/keeper/keeper.py status" ${live.at}`,
      );
    }
    const moving = primary?.rolloutState === 'IN_PROGRESS' && minutesSince(live, primary.createdAt) < START_MINUTES;
    if (task.taskDefinitionArn !== service!.taskDefinition && !moving) {
      find(
        'task-outdated',
        name,
        `The task ${arn} runs ${short(task.taskDefinitionArn)}, the service has ${short(service!.taskDefinition)}.`,
        `aws ecs update-service --cluster ${cluster} --service ${name} --force-new-deployment ${live.at}`,
      );
    }
  }
}

export const runningTasks: Check = {
  name: 'running tasks',
  kinds: {
    'two-writers': {
      severity: 'critical',
      title: 'Two tasks mount a single writer’s directory',
      why: 'The keeper lets only one of them write. Whatever runs without a keeper writes beside it, and corrupts.',
    },
    'no-task-running': {
      severity: 'critical',
      title: 'No task runs',
      why: 'The application is away, and ECS does not get it up.',
    },
    'deployment-failed': {
      severity: 'critical',
      title: 'The last deployment failed',
      why: 'The circuit breaker gave up: ECS starts no more tasks of this version. Nothing rolls back, on purpose.',
    },
    'task-unhealthy': {
      severity: 'warning',
      title: 'A task is unhealthy',
      why: 'ECS will kill it and start another, with the takeover that follows.',
    },
    'task-outdated': {
      severity: 'warning',
      title: 'A task runs an older task definition than its service has',
      why: 'What was deployed is not what runs; the change comes at an hour that nobody chose.',
    },
  },
  async run(examination) {
    const { live, find } = examination;
    const tasks = await live.ecs.tasks();
    for (const service of (await live.ecs.services()).filter((one) => one.live)) {
      ofService(examination, service, tasks);
    }
    for (const [path, mounting] of await writers(live, tasks)) {
      if (mounting.length > 1) {
        const who = mounting.map((one) => `${short(one.taskArn)} (${one.group})`);
        const extra = mounting.find((one) => !one.group?.startsWith('service:')) ?? mounting[mounting.length - 1];
        find(
          'two-writers',
          path,
          `It is mounted by ${who.join(' and ')}.`,
          `aws ecs stop-task --cluster ${short(extra.clusterArn)} --task ${short(extra.taskArn)} ${live.at}`,
        );
      }
    }
  },
};
