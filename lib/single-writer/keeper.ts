import * as fs from 'fs';
import * as path from 'path';
import { Duration } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { inputError } from '../errors';

/** Where the keeper leaves its phase, and itself, in the container. Not on the volume. */
export const KEEPER_LOCAL_DIR = '/tmp/keeper';

/**
 * The Python of a keeper that runs beside an image without one: Debian 13 with SQLite 3.46
 * (docker-library/python, versions.json of 2025-10).
 */
export const PYTHON_IMAGE = 'public.ecr.aws/docker/library/python:3.13.9-slim-trixie';

/** The time a container gets to close its databases: the most Fargate allows. */
const STOP_TIMEOUT = Duration.seconds(120);

/** ECS refuses a task definition above 64 KiB; the keeper may take half of it. */
export const MAX_KEEPER_BYTES = 32768;

/**
 * keeper.py and its modules, packed by scripts/bundle-keeper.py. It is kept as a file because zlib does not compress to
 * the same bytes on every processor: a workstation and a pipeline must make the same template.
 */
export function keeperBundle(): string {
  const [, bundle] = fs.readFileSync(path.join(__dirname, 'keeper.bundle'), 'utf8').split('\n');
  return bundle;
}

/** Writes the keeper beside the application, where ECS Exec finds it too, and becomes it. */
const BOOT = [
  'import base64,json,os,sys,zlib',
  `d=os.environ.get("KEEPER_LOCAL_DIR","${KEEPER_LOCAL_DIR}")`,
  'os.makedirs(d,exist_ok=True)',
  '[open(d+"/"+n,"w",encoding="utf-8").write(t) for n,t in json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))).items()]',
  'os.execv(sys.executable,[sys.executable,d+"/keeper.py"]+sys.argv[2:])',
].join(';');

/** The entry point that runs keeper.py with the command as its arguments, in any image with Python 3.9 or newer. */
export function keeperEntryPoint(): string[] {
  return ['python3', '-c', BOOT, keeperBundle()];
}

function gateScript(): string {
  return fs.readFileSync(path.join(__dirname, 'gate.sh'), 'utf8').replace(/^#.*\n/gm, '');
}

/** What the keeper guards. */
export interface KeptStores {
  /** Names in the directory, as KEEPER_STORES takes them. */
  readonly stores: string;
  /** The image's Alembic versions directory. */
  readonly migrations?: string;
  /** False when the image has no Python 3.9: the keeper then runs in a container of its own. */
  readonly imageHasPython: boolean;
}

/** The environment of the keeper of a directory. */
export function keeperEnvironment(mountPath: string, kept: KeptStores): { [name: string]: string } {
  return {
    KEEPER_DIR: mountPath,
    KEEPER_STORES: kept.stores,
    KEEPER_LOCAL_DIR,
    ...(kept.migrations && { KEEPER_MIGRATIONS: kept.migrations }),
  };
}

/**
 * Asks the keeper first: a task that waits for the lease, copies or takes a snapshot is healthy, however long it takes.
 * A check that killed it would start the same copy again, for ever.
 */
export function askKeeperFirst(check: ecs.HealthCheck): ecs.HealthCheck {
  const busy = `[ "$(cat ${KEEPER_LOCAL_DIR}/phase 2>/dev/null)" != running ]`;
  const [kind, ...words] = check.command;
  if (kind === 'CMD-SHELL') {
    return { ...check, command: [kind, `${busy} || { ${words.join(' ')}; }`] };
  }
  return {
    ...check,
    command: ['CMD', 'sh', '-c', `${busy} || exec "$@"`, 'sh', ...(kind === 'CMD' ? words : check.command)],
  };
}

/** A container under a keeper, and every container that needs the volume. */
export interface KeptContainer {
  readonly container: ecs.ContainerDefinition;
  readonly mounting: ecs.ContainerDefinition[];
}

/**
 * Makes the container that is the one writer of a directory. With Python in its image the keeper is its entry point and
 * the application a child process. Without, the keeper is an essential container beside it: both share the process
 * namespace and a small scratch volume, the application waits at a gate for the lease, and ECS stops it first.
 */
export function keptContainer(
  taskDefinition: ecs.TaskDefinition,
  id: string,
  mountPath: string,
  kept: KeptStores,
  options: ecs.ContainerDefinitionOptions & { readonly command: string[] },
): KeptContainer {
  const keeper = keeperEnvironment(mountPath, kept);
  const taken = Object.keys(options.environment ?? {}).filter((name) => name in keeper);
  if (taken.length > 0) {
    throw inputError(
      taskDefinition,
      `The environment of ${id} sets ${taken.join(', ')}, which the data layer sets for the keeper.`,
      'Leave it out.',
    );
  }
  const common = {
    essential: true,
    stopTimeout: STOP_TIMEOUT,
    healthCheck: options.healthCheck && askKeeperFirst(options.healthCheck),
  };
  if (kept.imageHasPython) {
    const container = taskDefinition.addContainer(id, {
      ...options,
      ...common,
      entryPoint: keeperEntryPoint(),
      command: ['run', '--', ...options.command],
      environment: { ...options.environment, ...keeper },
    });
    return { container, mounting: [container] };
  }
  if (taskDefinition.pidMode !== ecs.PidMode.TASK) {
    throw inputError(
      taskDefinition,
      `The image of ${id} has no Python, so its keeper runs in a container beside it and must see its process.`,
      'Make the task definition with pidMode: ecs.PidMode.TASK and runtimePlatform: { operatingSystemFamily: ecs.OperatingSystemFamily.LINUX }.',
    );
  }
  const scratch = `${id}-keeper`;
  taskDefinition.addVolume({ name: scratch });
  const container = taskDefinition.addContainer(id, {
    ...options,
    ...common,
    entryPoint: ['bash', '-c', gateScript(), 'gate'],
    command: options.command,
  });
  const guard = taskDefinition.addContainer(`${id}-keeper`, {
    image: ecs.ContainerImage.fromRegistry(PYTHON_IMAGE),
    essential: true,
    stopTimeout: STOP_TIMEOUT,
    logging: options.logging,
    entryPoint: keeperEntryPoint(),
    command: ['guard'],
    environment: { ...keeper, KEEPER_IMAGE: container.imageName },
  });
  for (const each of [container, guard]) {
    each.addMountPoints({ sourceVolume: scratch, containerPath: KEEPER_LOCAL_DIR, readOnly: false });
  }
  // START, not HEALTHY: ECS gives up on a dependency after at most two minutes, and the lease of a dead host may take
  // longer. The gate does the waiting. The order is reversed when the task stops.
  container.addContainerDependencies({ container: guard, condition: ecs.ContainerDependencyCondition.START });
  return { container, mounting: [container, guard] };
}
