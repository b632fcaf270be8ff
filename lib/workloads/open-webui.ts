import { Duration } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { inputError } from '../errors';
import { SingleWriterService, SingleWriterServiceOptions } from '../single-writer';
import { DataVolume } from '../storage';
import { OPEN_WEBUI_IMAGE } from './images';
import { createTask, TaskSettings } from './task';
import { PosixIdentity, Workload } from './workload';
import { Writers } from './writers';

/** Open WebUI on the volume. */
export interface OpenWebUiProps {
  /**
   * The image: Open WebUI or one made from it. Pin it: schema changes are one-way.
   *
   * @default - the official image, pinned: ghcr.io/open-webui/open-webui:v0.12.4
   */
  readonly image?: ecs.ContainerImage;

  /**
   * vCPU units.
   *
   * @default 1024
   */
  readonly cpu?: number;

  /**
   * Memory in MiB. The local embedding model alone takes about 500 MB (open-webui/docs, performance.md, 2026-08).
   *
   * @default 4096
   */
  readonly memoryLimitMiB?: number;

  /**
   * Where the container sees the volume. Not /app/backend/data: the image keeps its models there.
   *
   * @default /mnt/open-webui
   */
  readonly mountPath?: string;

  /**
   * More environment variables, for example OPENAI_API_BASE_URL. No secrets. Those that keep the database safe cannot
   * be overridden.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Environment variables from Secrets Manager or Parameter Store, for example OPENAI_API_KEY.
   *
   * @default - none
   */
  readonly secrets?: { [name: string]: ecs.Secret };
}

/**
 * The settings SQLite needs on NFS, each tried with Open WebUI 0.12.4:
 * the database is opened through `unix-excl`, which takes one exclusive lock for the process and keeps the WAL index
 * in memory, so there is no shared-memory file on NFS and a second host is refused.
 */
export function sqliteOnEfsEnvironment(mountPath: string): { [name: string]: string } {
  return {
    DATA_DIR: mountPath,
    DATABASE_URL: `sqlite:///file:${mountPath}/webui.db?vfs=unix-excl&uri=true`,
    DATABASE_ENABLE_SQLITE_WAL: 'true',
    // NORMAL, the application's default, may lose the last commits when the host dies.
    DATABASE_SQLITE_PRAGMA_SYNCHRONOUS: 'FULL',
    // 256 MB by default: over NFS an I/O error in mapped memory is a signal, not an error code.
    DATABASE_SQLITE_PRAGMA_MMAP_SIZE: '0',
    DATABASE_SQLITE_PRAGMA_BUSY_TIMEOUT: '30000',
    // Unset means 512 connections, each with its own page cache.
    DATABASE_POOL_SIZE: '4',
    // Unset means one write for every request of every user.
    DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL: '300',
    UVICORN_WORKERS: '1',
    // Made at the first start and kept: a new key with every task would end all sessions.
    WEBUI_SECRET_KEY_FILE: `${mountPath}/.webui_secret_key`,
  };
}

/** Names that hold a secret: they belong into `secrets`. */
const SECRET_NAME = /(SECRET|PASSWORD|TOKEN|API_KEY|PRIVATE_KEY|CREDENTIAL)S?$/i;

/** Refuses plain environment that undoes a protected setting or holds a secret. */
export function mergeEnvironment(
  scope: Construct,
  prop: string,
  own: { [name: string]: string },
  more: { [name: string]: string } = {},
): { [name: string]: string } {
  for (const name of Object.keys(more)) {
    if (name in own) {
      throw inputError(
        scope,
        `${prop}.environment sets ${name}, which the data layer sets to keep the files safe (${own[name]}).`,
        'Leave it out; for another database use a store of its own.',
      );
    }
    if (SECRET_NAME.test(name)) {
      throw inputError(
        scope,
        `${prop}.environment sets ${name}: plain environment is readable by everyone who may describe the task definition.`,
        `Pass it in ${prop}.secrets with ecs.Secret.fromSecretsManager() or fromSsmParameter().`,
      );
    }
  }
  return { ...own, ...more };
}

/** The port Open WebUI listens on. */
export const OPEN_WEBUI_PORT = 8080;

const CONTAINER = 'open-webui';

/** What one process writes: the database, and the embedded Chroma. Uploads are written once, under names of their own. */
const STORES = ['webui.db', 'vector_db/'];

/** Where the image keeps its schema versions (open-webui/open-webui, Dockerfile and backend/open_webui, 0.12.4). */
const MIGRATIONS = '/app/backend/open_webui/migrations/versions';

/** Open WebUI: its SQLite, uploads and key file in one directory with one writer. */
export class OpenWebUiWorkload extends Workload {
  /** A complete task definition. */
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  /** The container in it. */
  public readonly container: ecs.ContainerDefinition;

  constructor(
    scope: Construct,
    id: string,
    volume: DataVolume,
    identity: PosixIdentity,
    settings: TaskSettings,
    props: OpenWebUiProps = {},
  ) {
    super(scope, id, {
      volume,
      directory: '/open-webui',
      mountPath: props.mountPath,
      writers: Writers.ONE,
      ...identity,
    });
    const task = createTask(this, CONTAINER, settings, {
      cpu: props.cpu ?? 1024,
      memoryLimitMiB: props.memoryLimitMiB ?? 4096,
    });
    this.taskDefinition = task.taskDefinition;
    const container = {
      image: props.image ?? ecs.ContainerImage.fromRegistry(OPEN_WEBUI_IMAGE),
      command: ['bash', 'start.sh'],
      environment: mergeEnvironment(this, 'openWebUi', sqliteOnEfsEnvironment(this.mountPath), props.environment),
      secrets: props.secrets,
      portMappings: [{ name: CONTAINER, containerPort: OPEN_WEBUI_PORT, appProtocol: ecs.AppProtocol.http }],
      healthCheck: {
        command: ['CMD-SHELL', `curl -fsS http://localhost:${OPEN_WEBUI_PORT}/health | jq -e '.status == true'`],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(10),
        retries: 5,
        startPeriod: Duration.seconds(300),
      },
      logging: task.logging,
    };
    this.container = this._keptContainer(this.taskDefinition, CONTAINER, container, {
      stores: STORES.join(','),
      migrations: MIGRATIONS,
      imageHasPython: true,
    });
  }

  /**
   * Runs Open WebUI as a service that cannot run two writers. The service is made in the cluster's scope, so that
   * the cluster may be in another stack. Its stack gets an output with the command that brings the port to a
   * workstation.
   *
   * @param cluster the cluster
   * @param options how it runs
   */
  public runOn(cluster: ecs.ICluster, options: SingleWriterServiceOptions = {}): SingleWriterService {
    const id = `${this.node.scope!.node.id}${this.node.id}`;
    this.volume._requireSameVpc(this, cluster);
    this._claimOwner(`${cluster.node.path}/${id}`);
    const service = new SingleWriterService(cluster, id, { ...options, cluster, taskDefinition: this.taskDefinition });
    this.allowFrom(service.service);
    service.addPortForwardOutput(CONTAINER, OPEN_WEBUI_PORT);
    return service;
  }
}
