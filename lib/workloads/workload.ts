import { Tags } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import { Construct } from 'constructs';
import { inputError, requireWholeNumber } from '../errors';
import { keptContainer, KeptStores, StopFirstService, WHY_ONE_WRITER } from '../single-writer';
import { DataVolume } from '../storage';
import { accessPointStatement, allowInto, requireDirectory, requireMountPath } from '../storage/internal';
import { WHY_NOT_QDRANT_ON_EFS } from '../stores/internal';
import { Writers } from './writers';

/** Largest POSIX id EFS takes (API_PosixUser, docs.aws.amazon.com/efs, read 2026-11). */
const MAX_POSIX_ID = 4294967295;

const NFS_PORT = 2049;

/** Whose files they are. */
export interface PosixIdentity {
  /**
   * The POSIX user id every file operation is made with, 1 to 4294967295. 0 (root) is refused.
   *
   * @default 1000
   */
  readonly uid?: number;

  /**
   * The POSIX group id every file operation is made with, 1 to 4294967295.
   *
   * @default 1000
   */
  readonly gid?: number;
}

/** A directory of one's own on the volume. */
export interface WorkloadOptions extends PosixIdentity {
  /**
   * The directory on the file system, absolute, for example /reports. It must not overlap another workload's.
   */
  readonly directory: string;

  /**
   * How many tasks may write at the same time.
   *
   * @default Writers.ONE
   */
  readonly writers?: Writers;

  /**
   * Where containers see the directory.
   *
   * @default - /mnt followed by the directory, for example /mnt/reports
   */
  readonly mountPath?: string;
}

/** What a workload is made from. */
export interface WorkloadProps extends WorkloadOptions {
  /** The volume the directory is on. */
  readonly volume: DataVolume;
}

/** How a directory is mounted. */
export interface MountOptions {
  /**
   * Where the container sees the directory.
   *
   * @default - the workload's mount path
   */
  readonly mountPath?: string;

  /**
   * Mount read-only; the role is then not allowed to write either.
   *
   * @default false
   */
  readonly readOnly?: boolean;
}

/** A container that is the one writer of a directory. */
export interface SingleWriterContainerOptions {
  /** The image. Pin it by version or digest: a newer image may migrate the database one way. */
  readonly image: ecs.ContainerImage;

  /**
   * The command. Required: the container's entry point belongs to the data layer, and setting an entry point drops
   * the image's own command.
   */
  readonly command: string[];

  /**
   * Plain environment variables. No secrets.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Environment variables from Secrets Manager or Parameter Store.
   *
   * @default - none
   */
  readonly secrets?: { [name: string]: ecs.Secret };

  /**
   * Ports.
   *
   * @default - none
   */
  readonly portMappings?: ecs.PortMapping[];

  /**
   * Health check.
   *
   * @default - none
   */
  readonly healthCheck?: ecs.HealthCheck;

  /**
   * Logs.
   *
   * @default - the awslogs driver, in a log group of its own
   */
  readonly logging?: ecs.LogDriver;

  /**
   * Where the container sees the directory.
   *
   * @default - the workload's mount path
   */
  readonly mountPath?: string;

  /**
   * The databases and directories in it that one process writes: `app.db` is a SQLite database, `index/` a directory
   * whose files belong together. After a crash each is copied, checked and put in place anew; snapshots hold them.
   * Files outside, such as uploads that are written once, are left alone.
   *
   * @default - everything in the directory
   */
  readonly stores?: string[];

  /**
   * Whether the image has Python 3.9 or newer as python3. The keeper, which guards the files, is a Python program and
   * runs as the container's entry point. Without Python it runs in a container beside it; the image must then have
   * bash, and the task definition pidMode: ecs.PidMode.TASK.
   *
   * @default true
   */
  readonly imageHasPython?: boolean;
}

/** A directory in a container. */
export class Mount {
  /** Where the container sees the directory. */
  public readonly mountPath: string;
  private readonly workload: Workload;

  /**
   * @param workload the workload that was mounted
   * @param mountPath where
   */
  constructor(workload: Workload, mountPath: string) {
    this.workload = workload;
    this.mountPath = mountPath;
  }

  /**
   * Lets a service or a security group reach the volume. See Workload.allowFrom.
   *
   * @param peer the service that runs the task
   */
  public allowFrom(peer: ec2.IConnectable): void {
    this.workload.allowFrom(peer);
  }
}

/**
 * A directory on the volume with an access point of its own: a POSIX identity, and the only door through which a
 * workload's role may mount.
 */
export class Workload extends Construct {
  /** The directory on the file system. */
  public readonly directory: string;
  /** Where containers see it. */
  public readonly mountPath: string;
  /** How many tasks may write at the same time. */
  public readonly writers: Writers;
  /** The access point. */
  public readonly accessPoint: efs.IAccessPoint;
  /** The volume. */
  public readonly volume: DataVolume;
  private owner?: string;
  private readonly whenRunning: ((service: StopFirstService) => void)[] = [];

  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id);
    this.volume = props.volume;
    this.directory = requireDirectory(this, props.directory);
    this.mountPath = requireMountPath(this, props.mountPath ?? `/mnt${this.directory}`);
    this.writers = this.requireWriters(props.writers ?? Writers.ONE);
    const uid = requireWholeNumber(this, 'uid', props.uid ?? 1000, 1, MAX_POSIX_ID).toString();
    const gid = requireWholeNumber(this, 'gid', props.gid ?? 1000, 1, MAX_POSIX_ID).toString();
    this.volume._claimDirectory(this, this.directory);

    this.accessPoint = new efs.AccessPoint(this, 'AccessPoint', {
      fileSystem: this.volume.fileSystem,
      path: this.directory,
      posixUser: { uid, gid },
      createAcl: { ownerUid: uid, ownerGid: gid, permissions: '750' },
    });
    Tags.of(this).add('data-layer:workload', this.directory.slice(1));
    // What the rule pack of any stack reads to know that a second writer would harm.
    Tags.of(this.accessPoint).add('data-layer:writers', this.writers === Writers.ONE ? 'one' : 'many');
  }

  /**
   * Mounts the directory in a container of a task definition of one's own: volume with TLS and IAM, access point,
   * mount point, and the role's permission for this access point only.
   *
   * Call allowFrom with the service that runs it, or the mount times out.
   *
   * @param taskDefinition a Fargate task definition
   * @param container a container of it
   * @param options where, and whether read-only
   * @throws when the directory has a single writer: use addContainer
   */
  public mountOn(
    taskDefinition: ecs.TaskDefinition,
    container: ecs.ContainerDefinition,
    options: MountOptions = {},
  ): Mount {
    if (this.writers === Writers.ONE) {
      throw inputError(
        this,
        `${this.directory} has a single writer and cannot be mounted on ${container.node.path}, a container the data layer did not make.`,
        `${WHY_ONE_WRITER} Use addContainer(), which makes the container, or a directory with writers: Writers.MANY.`,
      );
    }
    return this._mount(taskDefinition, container, options);
  }

  /**
   * Makes the container that is the one writer of this directory, and mounts it. The container is essential and gets
   * 120 seconds to stop.
   *
   * @param taskDefinition a Fargate task definition
   * @param id the container's name
   * @param options image, command and the rest
   * @throws when the directory has an owner already, or no command is given
   */
  public addContainer(
    taskDefinition: ecs.TaskDefinition,
    id: string,
    options: SingleWriterContainerOptions,
  ): ecs.ContainerDefinition {
    if (!Array.isArray(options.command) || options.command.length === 0) {
      throw inputError(
        this,
        `addContainer("${id}") has no command.`,
        "Pass command, for example ['python', 'crew.py']: the entry point belongs to the data layer, and an entry point drops the image's own command.",
      );
    }
    this._claimOwner(taskDefinition.node.path);
    const { stores, imageHasPython, ...container } = options;
    return this._keptContainer(taskDefinition, id, container, {
      stores: requireStores(this, stores).join(',') || '*',
      imageHasPython: imageHasPython ?? true,
    });
  }

  /**
   * Lets a service or a security group reach the volume by NFS, and starts the service after the mount targets. The
   * rule is created in the peer's stack, so that a layout of two stacks has no cycle.
   *
   * @param peer a service, or anything with a security group
   */
  public allowFrom(peer: ec2.IConnectable): void {
    allowInto(peer, this.volume.securityGroup, NFS_PORT, 'NFS to the data layer');
    if (Construct.isConstruct(peer)) {
      peer.node.addDependency(this.volume.mountTargetsAvailable);
    }
  }

  /**
   * A single-writer directory has one owner in an app.
   *
   * @internal
   */
  public _claimOwner(owner: string): void {
    if (this.writers === Writers.MANY) {
      return;
    }
    if (this.owner !== undefined) {
      throw inputError(
        this,
        `${this.directory} has a single writer, ${this.owner}; ${owner} would be a second.`,
        `${WHY_ONE_WRITER} Run one of them, or give the other a directory of its own with addWorkload().`,
      );
    }
    this.owner = owner;
  }

  /**
   * Called with the service when the workload gets one.
   *
   * @internal
   */
  public _whenRunning(callback: (service: StopFirstService) => void): void {
    this.whenRunning.push(callback);
  }

  /** @internal */
  protected _announce(service: StopFirstService): void {
    this.whenRunning.forEach((callback) => callback(service));
  }

  /**
   * The one place where a container of a single-writer directory is made: under a keeper.
   *
   * @internal
   */
  public _keptContainer(
    taskDefinition: ecs.TaskDefinition,
    id: string,
    options: Omit<SingleWriterContainerOptions, 'stores' | 'imageHasPython'>,
    kept: KeptStores,
  ): ecs.ContainerDefinition {
    const { mountPath: given, logging, ...container } = options;
    const mountPath = requireMountPath(this, given ?? this.mountPath);
    const made = keptContainer(taskDefinition, id, mountPath, kept, {
      ...container,
      logging: logging ?? ecs.LogDrivers.awsLogs({ streamPrefix: id }),
      linuxParameters: new ecs.LinuxParameters(taskDefinition, `${id}Linux`, { initProcessEnabled: true }),
    });
    for (const each of made.mounting) {
      this._mount(taskDefinition, each, { mountPath });
    }
    return made.container;
  }

  /** @internal */
  public _mount(taskDefinition: ecs.TaskDefinition, container: ecs.ContainerDefinition, options: MountOptions): Mount {
    if (/(^|\/)qdrant(:|@|$)/.test(container.imageName)) {
      throw inputError(this, `${container.node.path} runs ${container.imageName}.`, WHY_NOT_QDRANT_ON_EFS);
    }
    if (!taskDefinition.isFargateCompatible) {
      throw inputError(
        this,
        `${taskDefinition.node.path} is not a Fargate task definition.`,
        'Use ecs.FargateTaskDefinition: access points with IAM are proved there only.',
      );
    }
    const mountPath = requireMountPath(this, options.mountPath ?? this.mountPath);
    const readOnly = options.readOnly ?? false;
    const name = `efs${this.directory.replace(/[^A-Za-z0-9]+/g, '-')}`;
    const known = MOUNTED.get(taskDefinition) ?? new Set<string>();
    MOUNTED.set(taskDefinition, known);
    if (!known.has(name)) {
      known.add(name);
      taskDefinition.addVolume({
        name,
        efsVolumeConfiguration: {
          fileSystemId: this.volume.fileSystem.fileSystemId,
          transitEncryption: 'ENABLED',
          authorizationConfig: { accessPointId: this.accessPoint.accessPointId, iam: 'ENABLED' },
        },
      });
    }
    if (!known.has(`${name}:${readOnly}`)) {
      known.add(`${name}:${readOnly}`);
      taskDefinition.addToTaskRolePolicy(
        accessPointStatement(this.volume.fileSystem.fileSystemArn, this.accessPoint.accessPointArn, readOnly),
      );
    }
    container.addMountPoints({ sourceVolume: name, containerPath: mountPath, readOnly });
    return new Mount(this, mountPath);
  }

  private requireWriters(writers: Writers): Writers {
    if (writers !== Writers.ONE && writers !== Writers.MANY) {
      throw inputError(this, `writers is ${JSON.stringify(writers)}.`, 'Pass Writers.ONE or Writers.MANY.');
    }
    return writers;
  }
}

function requireStores(scope: Construct, stores: string[] = []): string[] {
  for (const store of stores) {
    if (
      !/^[A-Za-z0-9_][A-Za-z0-9._-]*\/?$/.test(store) ||
      ['snapshots', 'set-aside'].includes(store.replace('/', ''))
    ) {
      throw inputError(
        scope,
        `stores holds ${JSON.stringify(store)}, which is not a name at the top of the directory.`,
        'Write app.db for a SQLite database or index/ for a directory.',
      );
    }
  }
  return stores;
}

/** What is mounted on a task definition already, so that two containers of one task share a volume. */
const MOUNTED = new WeakMap<ecs.TaskDefinition, Set<string>>();
