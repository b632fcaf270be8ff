import { Service } from '@aws-sdk/client-ecs';
import { asApi, Difference, differences, show } from '../compare';
import { Check, Examination } from '../examination';
import { LiveService } from '../live-ecs';
import { Promised } from '../promise';
import { isSingleWriter } from '../workloads';

/** Settings that do not come with DescribeServices, or that other checks look at. */
const ELSEWHERE = ['taskDefinition', 'cluster', 'tags', 'serviceConnectConfiguration', 'serviceName', 'role'];

/** The finding for a difference, by where it stands. */
function kindOf({ path }: Difference): string {
  const text = path.join('.');
  if (/^deploymentConfiguration\.deploymentCircuitBreaker\.rollback|^deploymentConfiguration\.alarms/.test(text)) {
    return 'deployment-rollback';
  }
  if (/^deploymentConfiguration\.deploymentCircuitBreaker/.test(text)) {
    return 'circuit-breaker';
  }
  if (/^deployment(Configuration|Controller)/.test(text)) {
    return 'deployment-overlap';
  }
  return (
    { availabilityZoneRebalancing: 'zone-rebalancing', networkConfiguration: 'service-network' }[path[0]] ??
    'service-drift'
  );
}

/** Differences of everything but the number of tasks. */
function changed(promised: Promised, live: Service): Difference[] {
  const wanted = asApi(promised.properties) as Record<string, unknown>;
  const compared = Object.fromEntries(
    Object.entries(wanted).filter(([key]) => ![...ELSEWHERE, 'desiredCount'].includes(key)),
  );
  const implied = {
    deploymentController: { type: 'ECS' },
    ...compared,
    deploymentConfiguration: {
      strategy: live.deploymentConfiguration?.strategy === undefined ? undefined : 'ROLLING',
      alarms: live.deploymentConfiguration?.alarms === undefined ? undefined : { rollback: false },
      ...(compared.deploymentConfiguration as object),
    },
  };
  return differences(implied, live);
}

function option(path: string[], promised: Record<string, unknown>): string {
  const [first] = path;
  switch (first) {
    case 'deploymentConfiguration':
      return `--deployment-configuration '${JSON.stringify({ strategy: 'ROLLING', ...(promised[first] as object) })}'`;
    case 'availabilityZoneRebalancing':
      return `--availability-zone-rebalancing ${show(promised[first])}`;
    case 'networkConfiguration':
      return `--network-configuration '${JSON.stringify(promised[first])}'`;
    case 'platformVersion':
      return `--platform-version ${show(promised[first])} --force-new-deployment`;
    case 'enableExecuteCommand':
      return promised[first] ? '--enable-execute-command' : '--disable-execute-command';
    case 'propagateTags':
      return `--propagate-tags ${show(promised[first])}`;
    default:
      return '';
  }
}

function settings({ live, find }: Examination, { promised, name, cluster, live: service }: LiveService): void {
  const wanted = asApi(promised.properties) as Record<string, unknown>;
  const update = `aws ecs update-service --cluster ${cluster} --service ${name} ${live.at}`;
  for (const one of changed(promised, service!)) {
    const how = option(one.path, wanted);
    find(
      kindOf(one),
      name,
      `${one.path.join('.')} is ${show(one.live)}; promised is ${show(one.promised)}.`,
      how ? `${update} ${how}` : live.revert,
    );
  }
  const primary = service!.deployments?.find((one) => one.status === 'PRIMARY');
  const connect = differences(wanted.serviceConnectConfiguration ?? {}, primary?.serviceConnectConfiguration ?? {});
  for (const one of connect) {
    find(
      'service-connect',
      name,
      `${one.path.join('.') || 'The configuration'} is ${show(one.live)}; promised is ${show(one.promised)}.`,
      live.revert,
    );
  }
  const count = Number(promised.properties.DesiredCount ?? 1);
  const actual = service!.desiredCount ?? 0;
  if (actual > count && isSingleWriter(live, promised)) {
    find(
      'several-tasks-wanted',
      name,
      `${actual} tasks are wanted; promised is ${count}.`,
      `${update} --desired-count ${count}`,
    );
  } else if (actual === 0 && count > 0) {
    find('service-stopped', name, 'No task is wanted.', `${update} --desired-count ${count}`);
  } else if (actual !== count) {
    find(
      'service-drift',
      name,
      `${actual} tasks are wanted; promised is ${count}.`,
      `${update} --desired-count ${count}`,
    );
  }
}

async function scaling({ live, find }: Examination, services: LiveService[]): Promise<void> {
  const single = services.filter((one) => isSingleWriter(live, one.promised));
  const ids = single.map((one) => `service/${one.cluster}/${one.name}`);
  const targets = ids.length > 0 ? await live.scalableTargets(ids) : [];
  for (const { ResourceId, MinCapacity, MaxCapacity } of targets) {
    find(
      'auto-scaling',
      ResourceId!,
      `It is scaled between ${MinCapacity} and ${MaxCapacity} tasks.`,
      `aws application-autoscaling deregister-scalable-target --service-namespace ecs --resource-id ${ResourceId} --scalable-dimension ecs:service:DesiredCount ${live.at}`,
    );
  }
}

export const services: Check = {
  name: 'services',
  kinds: {
    'service-missing': {
      severity: 'critical',
      title: 'A service is gone',
      why: 'Nobody runs the application, and nobody starts it again.',
    },
    'deployment-overlap': {
      severity: 'critical',
      title: 'A deployment would run two tasks, or two versions, side by side',
      why: 'Two hosts on one SQLite database corrupt it; only the keeper’s lease is then left between them.',
    },
    'deployment-rollback': {
      severity: 'critical',
      title: 'A failed deployment would roll back',
      why: 'It starts the older image on a database that the newer one has migrated; the keeper refuses it, and nothing runs.',
    },
    'circuit-breaker': {
      severity: 'warning',
      title: 'A deployment that does not come up is tried for ever',
      why: 'Tasks are started and killed without end, each with its takeover, and nobody is told.',
    },
    'zone-rebalancing': {
      severity: 'critical',
      title: 'ECS may move the task to another zone',
      why: 'It starts the task in the other zone before it stops the first: two writers.',
    },
    'several-tasks-wanted': {
      severity: 'critical',
      title: 'More tasks are wanted than promised',
      why: 'Two hosts on one SQLite database corrupt it; the second waits for the keeper’s lease, is killed, and starts again.',
    },
    'service-stopped': {
      severity: 'critical',
      title: 'A service was stopped',
      why: 'The application is away. A move or a restore that was interrupted may have left it so; otherwise nobody will start it.',
    },
    'service-network': {
      severity: 'warning',
      title: 'A service runs in other subnets or security groups',
      why: 'A task may start where no mount target is, or where no rule lets it in.',
    },
    'service-connect': {
      severity: 'warning',
      title: 'Service Connect is not as promised',
      why: 'Open WebUI does not find the vector server under its name, or the server is not published.',
    },
    'service-drift': {
      severity: 'notice',
      title: 'A setting of a service is not the promised one',
      why: 'The next person will not know which of the two was meant, and the next deployment does not put it back.',
    },
    'auto-scaling': {
      severity: 'critical',
      title: 'A single writer is scaled automatically',
      why: 'At the first load a second task starts on the same database.',
    },
  },
  async run(examination) {
    const { live, find } = examination;
    const all = await live.ecs.services();
    for (const service of all) {
      if (service.live) {
        settings(examination, service);
      } else {
        find(
          'service-missing',
          service.name,
          `There is no active service of that name in ${service.cluster}.`,
          live.revert,
        );
      }
    }
    await scaling(
      examination,
      all.filter((one) => one.live),
    );
  },
};
