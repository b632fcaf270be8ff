import { ContainerDefinition } from '@aws-sdk/client-ecs';
import { hasKeeper } from '../../aws/workload';
import { Difference, differences, show } from '../compare';
import { Check, Examination } from '../examination';
import { keptContainers, Unit } from '../live-ecs';

/** What decides how SQLite treats the file. */
const SQLITE_SETTINGS =
  /^(DATABASE_ENABLE_SQLITE_WAL|DATABASE_SQLITE_PRAGMA_\w+|DATABASE_POOL_SIZE|DATABASE_POOL_MAX_OVERFLOW|UVICORN_WORKERS)$/;

/** Names that hold a secret: they belong into the task definition's secrets. */
const SECRET_NAME = /(SECRET|PASSWORD|TOKEN|API_KEY|PRIVATE_KEY|CREDENTIAL)S?$/i;

const VOLUME_KINDS: Record<string, string> = {
  transitEncryption: 'volume-without-tls',
  'authorizationConfig.iam': 'volume-without-iam',
  'authorizationConfig.accessPointId': 'volume-other-access-point',
  fileSystemId: 'volume-other-file-system',
};

/** The finding for a difference in a container; undefined when another check looks at it. */
function ofContainer(kept: boolean, keeper: boolean, [first, second]: string[], added: boolean): string | undefined {
  switch (first) {
    case undefined:
      return keeper ? 'keeper-removed' : 'task-definition-drift';
    case 'image':
      return 'image-drift';
    case 'entryPoint':
      return kept ? 'keeper-removed' : 'command-drift';
    case 'command':
      return 'command-drift';
    case 'healthCheck':
      return 'health-check';
    case 'stopTimeout':
      return 'stop-timeout';
    case 'mountPoints':
      return 'mount-point';
    case 'environment':
      if (second === 'DATABASE_URL') {
        return undefined;
      }
      return SQLITE_SETTINGS.test(second)
        ? 'sqlite-settings'
        : /^KEEPER_/.test(second ?? '')
          ? 'keeper-settings'
          : added && SECRET_NAME.test(second) && !/_FILE$/.test(second)
            ? 'secret-in-environment'
            : 'environment-drift';
    default:
      return 'task-definition-drift';
  }
}

function kindOf(unit: Unit, { path, promised }: Difference): string | undefined {
  const [first, name, ...rest] = path;
  if (first === 'containerDefinitions' && name !== undefined) {
    const wanted = (unit.promised?.containerDefinitions ?? []) as ContainerDefinition[];
    const container = wanted.find((one) => one.name === name);
    const kept = keptContainers({ containerDefinitions: wanted }).length > 0;
    return ofContainer(kept, container !== undefined && hasKeeper(container), rest, promised === undefined);
  }
  if (first === 'volumes') {
    const below = rest[0] === 'efsVolumeConfiguration' ? rest.slice(1).join('.') : '';
    // Without any authorization there is neither IAM nor an access point.
    return below === 'authorizationConfig' ? 'volume-other-access-point' : (VOLUME_KINDS[below] ?? 'mount-point');
  }
  return 'task-definition-drift';
}

/** Names, and what Fargate settles. */
const NOT_COMPARED = ['family', 'tags', 'requiresCompatibilities', 'networkMode'];

function comparable(definition: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(definition).filter(([key]) => !NOT_COMPARED.includes(key)));
}

function examine({ live, find }: Examination, unit: Unit): void {
  if (unit.promised === undefined || unit.definition.taskDefinitionArn === unit.promisedArn) {
    // A registered task definition cannot be changed: the same one is the same.
    return;
  }
  const mend = unit.service
    ? `aws ecs update-service --cluster ${unit.service.cluster} --service ${unit.service.name} --task-definition ${unit.promisedArn} ${live.at}`
    : live.revert;
  const found = differences(comparable(unit.promised), unit.definition, ['environment', 'containerDefinitions']);
  for (const one of found) {
    const kind = kindOf(unit, one);
    if (kind) {
      find(kind, unit.name, `${one.path.join('.')} is ${show(one.live)}; promised is ${show(one.promised)}.`, mend);
    }
  }
  if (found.length === 0) {
    find(
      'task-definition-drift',
      unit.name,
      `It runs ${unit.definition.taskDefinitionArn?.split('/').pop()}, the stack has ${unit.promisedArn?.split('/').pop()}; they say the same.`,
      mend,
    );
  }
}

/** Definitions that a schedule starts. */
async function scheduled({ live }: Examination): Promise<Unit[]> {
  const units: Unit[] = [];
  for (const { id, properties } of live.stack.promised('AWS::Scheduler::Schedule')) {
    const schedule = await live.schedule(id);
    const arn = schedule?.Target?.EcsParameters?.TaskDefinitionArn;
    const target = properties.Target as { EcsParameters?: { TaskDefinitionArn?: unknown } };
    if (arn && target.EcsParameters) {
      const promisedArn = String(target.EcsParameters.TaskDefinitionArn);
      units.push({
        name: id,
        definition: await live.ecs.taskDefinition(arn),
        promised: live.ecs.promisedDefinition(promisedArn),
        promisedArn,
      });
    }
  }
  return units;
}

export const taskDefinition: Check = {
  name: 'task definitions',
  kinds: {
    'image-drift': {
      severity: 'warning',
      title: 'Another image runs than promised',
      why: 'A newer one migrates the database one way; an older one is refused by the keeper, or does not know the schema.',
    },
    'keeper-removed': {
      severity: 'critical',
      title: 'The application runs without its keeper',
      why: 'No lease, no takeover, no snapshots: the next two tasks that overlap corrupt the database, and nobody notices.',
    },
    'command-drift': {
      severity: 'warning',
      title: 'A container runs another command than promised',
      why: 'It may not be the application at all, or one that does not stop on SIGTERM.',
    },
    'sqlite-settings': {
      severity: 'critical',
      title: 'A setting that keeps SQLite safe on NFS is another',
      why: 'Each was tried on NFS: memory-mapping turns I/O errors into crashes, NORMAL loses the last commits when a host dies, more workers are more processes on one lock.',
    },
    'keeper-settings': {
      severity: 'critical',
      title: 'A setting of the keeper is another',
      why: 'It then guards another directory or other files, or does not keep them exclusive.',
    },
    'environment-drift': {
      severity: 'warning',
      title: 'The environment of a container is another',
      why: 'The next deployment does not bring it along: it is lost, or stays when nobody expects it.',
    },
    'secret-in-environment': {
      severity: 'critical',
      title: 'A secret stands in the environment',
      why: 'Everyone who may describe task definitions reads it, in every revision, for ever. Change the secret as well.',
    },
    'health-check': {
      severity: 'warning',
      title: 'The health check is another',
      why: 'One that does not ask the keeper first kills a task in the middle of its takeover; without one nobody notices a hung application.',
    },
    'stop-timeout': {
      severity: 'critical',
      title: 'The application gets another time to stop',
      why: 'With ECS’s 30 seconds it is killed before its databases are closed, and every start is a takeover.',
    },
    'mount-point': {
      severity: 'critical',
      title: 'The volume is mounted elsewhere, or not at all',
      why: 'What the application writes is gone with its task.',
    },
    'volume-without-tls': {
      severity: 'critical',
      title: 'A task mounts without TLS',
      why: 'The policy of the file system refuses it, and the task does not start; without that policy the data would cross the network in the clear.',
    },
    'volume-without-iam': {
      severity: 'critical',
      title: 'A task mounts without IAM',
      why: 'The policy of the file system refuses whoever has no identity: the task does not start.',
    },
    'volume-other-access-point': {
      severity: 'critical',
      title: 'A task mounts through another access point, or none',
      why: 'It starts on another directory, or as another user; its role does not let it.',
    },
    'volume-other-file-system': {
      severity: 'critical',
      title: 'A task mounts another file system',
      why: 'The application starts as after a new installation, while its data lies here.',
    },
    'task-definition-drift': {
      severity: 'warning',
      title: 'A task definition is another than the stack’s',
      why: 'What runs is not what the repository says, and the next deployment undoes it without a word.',
    },
  },
  async run(examination) {
    for (const unit of [...(await examination.live.ecs.units()), ...(await scheduled(examination))]) {
      examine(examination, unit);
    }
  },
};
