import { KeyValuePair, RegisterTaskDefinitionCommandInput, Secret, TaskDefinition, Volume } from '@aws-sdk/client-ecs';
import { CliError, usageError } from '../errors';
import { Program } from '../keeper/source';
import { PYTHON_IMAGE } from './python-image';
import { DeployedWorkload, hasKeeper } from './workload';

/** The name of the one container. */
export const CONTAINER = 'keeper';

/** ECS refuses a larger task definition (Amazon ECS service quotas, read 2026-11). */
export const MAX_DEFINITION_BYTES = 65536;

/** Marks what this command makes for a while, so that a leftover is recognized. */
export const TEMPORARY_TAG = 'efs-data-layer:temporary';

/** A second directory in the task: the file system's root. */
export interface RootMount {
  readonly readOnly: boolean;
  readonly accessPointId: string;
  readonly mountPath: string;
}

/** What a one-off task runs. */
export interface OneOff {
  readonly program: Program;
  readonly image?: string;
  /** Stores besides the workload's own. */
  readonly stores?: string;
  /** Take these stores only. Never for what ends with a clean release: a store the keeper did not see would count too. */
  readonly onlyThese?: boolean;
  /** In place of the workload's own role. */
  readonly taskRoleArn?: string;
  readonly root?: RootMount;
  /** Environment besides the keeper's. */
  readonly environment?: KeyValuePair[];
  /** The program is not the keeper's: it is told of no directory and no stores, and its image need not be the workload's. */
  readonly withoutKeeper?: boolean;
  /** In place of the workload's own; vCPU units and MiB. */
  readonly size?: { readonly cpu: string; readonly memory: string };
  /** What ECS reads from Secrets Manager when the task starts. */
  readonly secrets?: Secret[];
}

/** Where the task's lines go. */
export interface LogTarget {
  readonly group: string;
  readonly streamPrefix: string;
}

/** The stores the keeper is told to look after. */
function storesOf(workload: DeployedWorkload, { stores, onlyThese }: OneOff): string {
  const own = workload.container.environment?.find((variable) => variable.name === 'KEEPER_STORES')?.value;
  if (stores === undefined && !hasKeeper(workload.container)) {
    throw usageError(
      `--workload ${workload.name}`,
      `Its task definition ${workload.taskDefinition.family} runs no keeper, so it does not say which files belong together.`,
      'Deploy the stack with a version of efs-data-layer that has one, or pass --stores, for example --stores webui.db.',
    );
  }
  if (stores === undefined || own === undefined || onlyThese) {
    return stores ?? own ?? '*';
  }
  return own === '*' ? own : [...new Set([...own.split(','), ...stores.split(',')])].join(',');
}

function keeperEnvironment(workload: DeployedWorkload, oneOff: OneOff): KeyValuePair[] {
  return [
    { name: 'KEEPER_DIR', value: workload.mountPath },
    { name: 'KEEPER_STORES', value: storesOf(workload, oneOff) },
  ];
}

/** Where a container of the workload logs to: the one-off task's execution role may write there already. */
export function logTarget(workload: DeployedWorkload): LogTarget {
  const { logConfiguration } = workload.container;
  const group = logConfiguration?.options?.['awslogs-group'];
  const streamPrefix = logConfiguration?.options?.['awslogs-stream-prefix'];
  if (logConfiguration?.logDriver !== 'awslogs' || !group || !streamPrefix) {
    throw new CliError(
      `--workload ${workload.name}`,
      `Its container ${workload.container.name} logs with ${logConfiguration?.logDriver ?? 'no driver'}: what the one-off task says could not be read.`,
      'Give the workload the awslogs driver, or run the command on the mounted volume with --dir.',
    );
  }
  return { group, streamPrefix };
}

/**
 * A task definition made from the workload's own: same volume, roles, size and log group; one container that runs one
 * program. The image is the workload's own when the keeper runs in it, for then it has Python.
 */
export function oneOffDefinition(workload: DeployedWorkload, oneOff: OneOff): RegisterTaskDefinitionCommandInput {
  const from: TaskDefinition = workload.taskDefinition;
  const { container } = workload;
  const own = from.volumes!.find((volume) => volume.name === workload.volumeName)!;
  const volumes: Volume[] = [{ name: own.name, efsVolumeConfiguration: own.efsVolumeConfiguration }];
  const mountPoints = [{ sourceVolume: own.name, containerPath: workload.mountPath, readOnly: false }];
  if (oneOff.root) {
    volumes.push({
      name: 'file-system-root',
      efsVolumeConfiguration: {
        fileSystemId: workload.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: oneOff.root.accessPointId, iam: 'ENABLED' },
      },
    });
    mountPoints.push({
      sourceVolume: 'file-system-root',
      containerPath: oneOff.root.mountPath,
      readOnly: oneOff.root.readOnly,
    });
  }
  const log = logTarget(workload);
  const definition: RegisterTaskDefinitionCommandInput = {
    family: `efs-data-layer-one-off-${workload.name.replace(/[^A-Za-z0-9_-]/g, '-')}`,
    networkMode: from.networkMode,
    requiresCompatibilities: from.requiresCompatibilities,
    cpu: oneOff.size?.cpu ?? from.cpu,
    memory: oneOff.size?.memory ?? from.memory,
    runtimePlatform: from.runtimePlatform,
    executionRoleArn: from.executionRoleArn,
    taskRoleArn: oneOff.taskRoleArn ?? from.taskRoleArn,
    ...(from.ephemeralStorage && { ephemeralStorage: from.ephemeralStorage }),
    volumes,
    containerDefinitions: [
      {
        name: CONTAINER,
        image: oneOff.image ?? (hasKeeper(container) ? container.image : PYTHON_IMAGE),
        essential: true,
        ...oneOff.program,
        environment: [
          ...(oneOff.withoutKeeper ? [] : keeperEnvironment(workload, oneOff)),
          ...(oneOff.environment ?? []),
        ],
        ...(oneOff.secrets && { secrets: oneOff.secrets }),
        mountPoints,
        stopTimeout: 120,
        linuxParameters: { initProcessEnabled: true },
        logConfiguration: {
          logDriver: 'awslogs',
          options: { ...container.logConfiguration!.options, 'awslogs-stream-prefix': `${log.streamPrefix}-one-off` },
        },
      },
    ],
    tags: [
      { key: 'ManagedBy', value: 'efs-data-layer' },
      { key: TEMPORARY_TAG, value: 'one-off' },
    ],
  };
  const bytes = Buffer.byteLength(JSON.stringify(definition));
  if (bytes > MAX_DEFINITION_BYTES) {
    throw new CliError(
      'one-off task definition',
      `It has ${bytes} bytes; ECS takes ${MAX_DEFINITION_BYTES}.`,
      oneOff.withoutKeeper ? 'Ask a shorter question.' : 'Pass fewer snapshot ids at once.',
    );
  }
  return definition;
}
