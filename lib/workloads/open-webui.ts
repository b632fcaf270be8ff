import { Duration } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { inputError, requireWholeNumber } from '../errors';
import { SingleWriterService, StopFirstService, StopFirstServiceOptions } from '../single-writer';
import { DataVolume } from '../storage';
import { DataStores } from '../stores';
import {
  databaseEnvironment,
  databaseSecrets,
  entryCommand,
  targetEnvironment,
  targetSecrets,
} from '../stores/internal';
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

  /**
   * How many tasks run. More than one only when the relational data is in PostgreSQL, the vectors are on a server and
   * there is a cache: else it is an error that lists what is missing. A deployment still stops all of them first.
   *
   * @default 1
   */
  readonly replicas?: number;
}

/** The settings of every store: where the files are, and who makes the key that signs sessions. */
function commonEnvironment(mountPath: string): { [name: string]: string } {
  return {
    DATA_DIR: mountPath,
    // Unset means one write for every request of every user.
    DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL: '300',
    UVICORN_WORKERS: '1',
    // Made at the first start and kept: a new key with every task would end all sessions.
    WEBUI_SECRET_KEY_FILE: `${mountPath}/.webui_secret_key`,
  };
}

/**
 * The settings SQLite needs on NFS, each tried with Open WebUI 0.12.4:
 * the database is opened through `unix-excl`, which takes one exclusive lock for the process and keeps the WAL index
 * in memory, so there is no shared-memory file on NFS and a second host is refused.
 */
export function sqliteOnEfsEnvironment(mountPath: string): { [name: string]: string } {
  return {
    ...commonEnvironment(mountPath),
    DATABASE_URL: `sqlite:///file:${mountPath}/webui.db?vfs=unix-excl&uri=true`,
    DATABASE_ENABLE_SQLITE_WAL: 'true',
    // NORMAL, the application's default, may lose the last commits when the host dies.
    DATABASE_SQLITE_PRAGMA_SYNCHRONOUS: 'FULL',
    // 256 MB by default: over NFS an I/O error in mapped memory is a signal, not an error code.
    DATABASE_SQLITE_PRAGMA_MMAP_SIZE: '0',
    DATABASE_SQLITE_PRAGMA_BUSY_TIMEOUT: '30000',
    // Unset means 512 connections, each with its own page cache.
    DATABASE_POOL_SIZE: '4',
  };
}

/**
 * The settings of a database: what Open WebUI reads (open_webui/env.py, 0.12.4), and what the entry program asks before
 * it starts.
 */
function databaseSettings(mountPath: string, stores: DataStores, replicas: number): { [name: string]: string } {
  return {
    ...commonEnvironment(mountPath),
    ...databaseEnvironment(stores._database!),
    // Open WebUI keeps two pools, one for each of its drivers: up to 20 connections a task. The smallest instance of
    // RDS takes about 80.
    DATABASE_POOL_SIZE: '5',
    DATABASE_POOL_MAX_OVERFLOW: '5',
    DATA_LAYER_DIR: mountPath,
    DATA_LAYER_PHASE: stores.phase!.toLowerCase(),
    DATA_LAYER_REPLICAS: `${replicas}`,
    DATA_LAYER_MIGRATIONS: MIGRATIONS,
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

/** The container's name. */
export const OPEN_WEBUI_CONTAINER = 'open-webui';

const CONTAINER = OPEN_WEBUI_CONTAINER;

/** The command of the image. */
const START = ['bash', 'start.sh'];

/** Addresses that Open WebUI takes whole, and before the parts that the data layer sets. */
const ADDRESSES = ['DATABASE_URL', 'PGVECTOR_DB_URL', 'REDIS_URL', 'WEBSOCKET_REDIS_URL', 'VECTOR_DB'];

/** What one process writes. Uploads are written once, under names of their own. */
const STORES = { database: 'webui.db', vectors: 'vector_db/' };

/** Where the image keeps its schema versions (open-webui/open-webui, Dockerfile and backend/open_webui, 0.12.4). */
const MIGRATIONS = '/app/backend/open_webui/migrations/versions';

/** Open WebUI: its SQLite, uploads and key file in one directory with one writer. */
export class OpenWebUiWorkload extends Workload {
  /** A complete task definition. */
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  /** The container in it. */
  public readonly container: ecs.ContainerDefinition;
  /** Where its containers, and the keeper, log to. */
  public readonly logGroup: logs.ILogGroup;
  /** How many tasks run. */
  public readonly replicas: number;
  private readonly stores?: DataStores;

  constructor(
    scope: Construct,
    id: string,
    volume: DataVolume,
    identity: PosixIdentity,
    settings: TaskSettings,
    props: OpenWebUiProps = {},
    stores?: DataStores,
  ) {
    const onDatabase = stores !== undefined && !stores._relationalOnVolume;
    const kept = [
      ...(onDatabase ? [] : [STORES.database]),
      ...(stores === undefined || stores._vectorsOnVolume ? [STORES.vectors] : []),
    ];
    super(scope, id, {
      volume,
      directory: '/open-webui',
      mountPath: props.mountPath,
      // Uploads are written once, under names of their own: several tasks may. Everything else needs one.
      writers: kept.length > 0 ? Writers.ONE : Writers.MANY,
      ...identity,
    });
    this.stores = stores;
    this.replicas = this.requireReplicas(props.replicas ?? 1);
    const task = createTask(this, CONTAINER, settings, {
      cpu: props.cpu ?? 1024,
      memoryLimitMiB: props.memoryLimitMiB ?? 4096,
    });
    this.taskDefinition = task.taskDefinition;
    // Once the application runs on the database, its own settings name it.
    const target = onDatabase ? undefined : stores?._database;
    this.logGroup = task.logGroup;
    const wirings = [stores?._vectors, stores?._cache].filter((wiring) => wiring !== undefined);
    const own = {
      ...(onDatabase
        ? databaseSettings(this.mountPath, stores, this.replicas)
        : sqliteOnEfsEnvironment(this.mountPath)),
      ...(target && targetEnvironment(target)),
      ...Object.assign({}, ...wirings.map(({ environment }) => environment)),
    };
    const ownSecrets: { [name: string]: ecs.Secret } = {
      ...(onDatabase && databaseSecrets(stores._database!)),
      ...(target && targetSecrets(target)),
      ...Object.assign({}, ...wirings.map(({ secrets }) => secrets)),
    };
    const needsEntry = onDatabase || 'DATA_LAYER_VECTORS_HOST' in own;
    const container = {
      image: props.image ?? ecs.ContainerImage.fromRegistry(OPEN_WEBUI_IMAGE),
      environment: mergeEnvironment(this, 'openWebUi', { ...own }, props.environment),
      secrets: this.mergeSecrets(own, ownSecrets, props.secrets),
      portMappings: [{ name: CONTAINER, containerPort: OPEN_WEBUI_PORT, appProtocol: ecs.AppProtocol.http }],
      healthCheck: {
        // With -n and input: jq 1.6, which Debian 12 has, ends with 0 when curl got nothing and there is no input.
        command: ['CMD-SHELL', `curl -fsS http://localhost:${OPEN_WEBUI_PORT}/health | jq -ne 'input.status == true'`],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(10),
        retries: 5,
        startPeriod: Duration.seconds(300),
      },
      logging: task.logging,
    };
    if (kept.length > 0) {
      this.container = this._keptContainer(
        this.taskDefinition,
        CONTAINER,
        { ...container, command: [...(needsEntry ? entryCommand() : []), ...START] },
        { stores: kept.join(','), migrations: onDatabase ? undefined : MIGRATIONS, imageHasPython: true },
      );
    } else {
      // Nothing on the volume is one task's alone: a keeper would only stop the second replica.
      this.container = this.taskDefinition.addContainer(CONTAINER, {
        ...container,
        entryPoint: entryCommand(),
        command: START,
        stopTimeout: Duration.seconds(120),
        linuxParameters: new ecs.LinuxParameters(this.taskDefinition, `${CONTAINER}Linux`, {
          initProcessEnabled: true,
        }),
      });
      this._mount(this.taskDefinition, this.container, {});
    }
    wirings.forEach((wiring) => wiring.grant?.(this.taskDefinition.taskRole));
  }

  /**
   * Runs Open WebUI as a service that cannot run two writers or two versions. The service is made in the cluster's scope, so that
   * the cluster may be in another stack. Its stack gets an output with the command that brings the port to a
   * workstation.
   *
   * @param cluster the cluster
   * @param options how it runs
   */
  public runOn(cluster: ecs.ICluster, options: StopFirstServiceOptions = {}): StopFirstService {
    const id = `${this.node.scope!.node.id}${this.node.id}`;
    this.volume._requireSameVpc(this, cluster);
    this._claimOwner(`${cluster.node.path}/${id}`);
    const wanted: unknown = options.desiredCount ?? this.replicas;
    if (typeof wanted === 'number' && wanted > this.replicas && this.writers === Writers.MANY) {
      throw inputError(
        this,
        `desiredCount is ${wanted}, but openWebUi.replicas is ${this.replicas}.`,
        'Set openWebUi.replicas: it checks what more than one task needs, and tells the tasks of each other.',
      );
    }
    const Service = this.writers === Writers.ONE ? SingleWriterService : StopFirstService;
    const service = new Service(cluster, id, {
      desiredCount: this.replicas,
      ...options,
      cluster,
      taskDefinition: this.taskDefinition,
    });
    this.allowFrom(service.service);
    // Also while the move is only prepared: the one-off task that moves the data runs with the service's network.
    this.stores?._database?.allowFrom(service.service);
    this.stores?._vectors.allowFrom?.(service.service);
    this.stores?._cache?.allowFrom?.(service.service);
    service.addPortForwardOutput(CONTAINER, OPEN_WEBUI_PORT);
    this._announce(service);
    return service;
  }

  private requireReplicas(replicas: unknown): number {
    const wanted = requireWholeNumber(this, 'replicas', replicas, 1, 100);
    const missing = this.stores?._missingForReplicas() ?? [];
    if (wanted > 1 && missing.length > 0) {
      throw inputError(
        this,
        `replicas is ${wanted}, but ${missing.length} of what more than one needs is missing: ${missing.join('; ')}.`,
        'SQLite and Chroma on the volume take one writer, and without a cache the replicas do not see each other’s sessions. Add what is missing, or leave replicas at 1.',
      );
    }
    return wanted;
  }

  private mergeSecrets(
    environment: { [name: string]: string },
    own: { [name: string]: ecs.Secret },
    more: { [name: string]: ecs.Secret } = {},
  ): { [name: string]: ecs.Secret } | undefined {
    const taken = Object.keys(more).find((name) => name in own || name in environment || ADDRESSES.includes(name));
    if (taken) {
      throw inputError(
        this,
        `openWebUi.secrets sets ${taken}, which decides where the data lives and is the data layer’s.`,
        'Leave it out and choose the store with relational, vectors or cache; RelationalStore.external() takes a database that exists.',
      );
    }
    const all = { ...own, ...more };
    return Object.keys(all).length > 0 ? all : undefined;
  }
}
