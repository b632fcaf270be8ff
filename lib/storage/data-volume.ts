import { CfnOutput, RemovalPolicy, Tags, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct, DependencyGroup, IConstruct, IDependable } from 'constructs';
import { inputError, requireBoolean } from '../errors';
import { requireObject } from '../inputs';
import { VolumeBackup } from './backup';
import { ExistingFileSystem } from './existing-file-system';
import { createVpcWithoutHourlyCost, oneSubnetPerZone } from './network';
import { overlaps } from './paths';
import { fileSystemPolicy } from './policy';

/** The second key that must be turned before data may be deleted with its stack. */
export const ALLOW_DESTROY_CONTEXT = 'data-layer:allowDestroy';

const VPC_WAY_OUT =
  "Pass a VPC, for example ec2.Vpc.fromLookup(this, 'Vpc', { vpcId }), or leave it out to get one made.";

/** What a volume is made from. */
export interface DataVolumeProps {
  /**
   * The VPC of the mount targets. At least two Availability Zones.
   *
   * @default - a new VPC of two zones with no hourly cost
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Adopt this file system instead of making one.
   *
   * @default - a new file system
   */
  readonly existingFileSystem?: ExistingFileSystem;

  /**
   * The key that encrypts the volume. A customer managed key costs about $1 a month
   * (aws.amazon.com/kms/pricing, read 2026-11). It cannot be changed later without a new file system.
   *
   * @default - the AWS managed key aws/elasticfilesystem, free
   */
  readonly kmsKey?: kms.IKey;

  /**
   * After how long without access a file moves to Infrequent Access. It comes back at its first access.
   *
   * @default efs.LifecyclePolicy.AFTER_30_DAYS
   */
  readonly lifecyclePolicy?: efs.LifecyclePolicy;

  /**
   * What happens to the file system when the stack is destroyed. RETAIN, or DESTROY, which counts only when the
   * context key data-layer:allowDestroy is true as well; else the file system stays and a warning says so.
   * SNAPSHOT is an error: CloudFormation has no snapshot for EFS.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * An own AWS Backup plan: daily, kept 7 days.
   *
   * @default true
   */
  readonly backup?: boolean;
}

/**
 * One EFS volume: file system, policy, mount targets, their security group, backup.
 */
export class DataVolume extends Construct {
  /** The file system. */
  public readonly fileSystem: efs.IFileSystem;
  /** The VPC of the mount targets. */
  public readonly vpc: ec2.IVpc;
  /** The security group of the mount targets. It lets in only those for whom allowFrom was called. */
  public readonly securityGroup: ec2.ISecurityGroup;
  /** Depend on this so that a task starts only when its host name resolves. */
  public readonly mountTargetsAvailable: IDependable;
  /** The vault, and the plan when backup is on. */
  public readonly backup: VolumeBackup;
  /**
   * What happens to the data when the stack goes, after both keys were looked at. Undefined for an adopted file system.
   *
   * @internal
   */
  public _removalPolicy?: RemovalPolicy;

  constructor(scope: Construct, id: string, props: DataVolumeProps = {}) {
    super(scope, id);
    const existing = props.existingFileSystem;
    requireObject(this, 'vpc', props.vpc, ['vpcId', 'selectSubnets'], VPC_WAY_OUT);
    requireObject(
      this,
      'kmsKey',
      props.kmsKey,
      ['keyArn', 'grantDecrypt'],
      "Pass a key, for example kms.Key.fromKeyArn(this, 'Key', arn).",
    );
    requireObject(this, 'existingFileSystem', existing, [], 'Pass { fileSystemId, vpc, securityGroup }.');
    if (existing) {
      this.refuseContradictions(existing, props);
    }
    this.vpc = existing?.vpc ?? props.vpc ?? createVpcWithoutHourlyCost(this);
    this.securityGroup = existing?.securityGroup ?? this.createSecurityGroup();

    const fileSystemId = existing ? existing.fileSystemId : this.createFileSystem(props);
    this.fileSystem = efs.FileSystem.fromFileSystemAttributes(this, 'Imported', {
      fileSystemId,
      securityGroup: this.securityGroup,
    });
    if (existing) {
      this.warnWithoutPolicy(existing);
    }

    const available = new DependencyGroup();
    if (!existing || existing.createMountTargets) {
      for (const { id: mountTargetId, subnet } of oneSubnetPerZone(this, this.vpc)) {
        available.add(
          new efs.CfnMountTarget(this, mountTargetId, {
            fileSystemId,
            subnetId: subnet.subnetId,
            securityGroups: [this.securityGroup.securityGroupId],
          }),
        );
      }
    }
    this.mountTargetsAvailable = available;

    const enabled = props.backup === undefined || requireBoolean(this, 'backup', props.backup);
    this.backup = new VolumeBackup(this, 'Backup', this.fileSystem.fileSystemArn, enabled);
  }

  /**
   * Registers a directory, once per file system in the whole app: two workloads in one directory, or one inside the
   * other's, could write each other's files.
   *
   * @internal
   */
  public _claimDirectory(owner: IConstruct, directory: string): void {
    const id = this.fileSystem.fileSystemId;
    const key = Token.isUnresolved(id) ? this.node.path : id;
    const claims = directoryClaims(this.node.root);
    const taken = claims.find((claim) => claim.volume === key && overlaps(claim.directory, directory));
    if (taken) {
      throw inputError(
        owner,
        `The directory ${directory} overlaps ${taken.directory}, which belongs to ${taken.owner}.`,
        'Give every workload a directory of its own, for example /reports.',
      );
    }
    claims.push({ volume: key, directory, owner: owner.node.path });
  }

  /**
   * Refuses a cluster in another VPC: the name of a file system resolves in the VPC of its mount targets only, and a
   * task elsewhere would wait for its mount until it is given up. Says nothing when the two cannot be compared, one
   * made in this app and the other known by its id.
   *
   * @internal
   */
  public _requireSameVpc(scope: IConstruct, cluster: ecs.ICluster): void {
    const [own, other] = [this.vpc.vpcId, cluster.vpc.vpcId];
    if (own !== other && Token.isUnresolved(own) === Token.isUnresolved(other)) {
      throw inputError(
        scope,
        `The cluster ${cluster.node.path} is in the VPC ${cluster.vpc.node.path}, the mount targets are in ${this.vpc.node.path}: a task could not mount the volume.`,
        'Make the cluster with { vpc: data.vpc }, or give the data layer the VPC of the cluster.',
      );
    }
  }

  private createSecurityGroup(): ec2.SecurityGroup {
    return new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: this.vpc,
      description: 'NFS to the data layer, from its workloads only',
      allowAllOutbound: false,
    });
  }

  private createFileSystem(props: DataVolumeProps): string {
    const removalPolicy = this.effectiveRemovalPolicy(props.removalPolicy ?? RemovalPolicy.RETAIN);
    this._removalPolicy = removalPolicy;
    // L1 on purpose: the L2 cannot switch the automatic backup off, and its policy and the ids of its mount targets
    // change with the feature flags of the app that uses it.
    const fileSystem = new efs.CfnFileSystem(this, 'FileSystem', {
      encrypted: true,
      kmsKeyId: props.kmsKey?.keyArn,
      performanceMode: efs.PerformanceMode.GENERAL_PURPOSE,
      throughputMode: efs.ThroughputMode.BURSTING,
      lifecyclePolicies: [
        { transitionToIa: this.requireLifecycle(props.lifecyclePolicy ?? efs.LifecyclePolicy.AFTER_30_DAYS) },
        { transitionToPrimaryStorageClass: efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS },
      ],
      backupPolicy: { status: 'DISABLED' },
      fileSystemPolicy: fileSystemPolicy(),
    });
    Tags.of(fileSystem).add('Name', this.node.path);
    fileSystem.applyRemovalPolicy(removalPolicy);
    return fileSystem.ref;
  }

  private requireLifecycle(policy: efs.LifecyclePolicy): efs.LifecyclePolicy {
    const valid = Object.values(efs.LifecyclePolicy);
    if (!valid.includes(policy)) {
      throw inputError(
        this,
        `lifecyclePolicy is ${JSON.stringify(policy)}.`,
        `Pass one of efs.LifecyclePolicy: ${valid.join(', ')}.`,
      );
    }
    return policy;
  }

  private effectiveRemovalPolicy(wanted: RemovalPolicy): RemovalPolicy {
    if (wanted === RemovalPolicy.RETAIN) {
      return wanted;
    }
    if (wanted !== RemovalPolicy.DESTROY) {
      throw inputError(
        this,
        `removalPolicy is ${JSON.stringify(wanted)}.`,
        'Pass RemovalPolicy.RETAIN or RemovalPolicy.DESTROY; a copy at the end is what the backup plan is for.',
      );
    }
    const context = this.node.tryGetContext(ALLOW_DESTROY_CONTEXT);
    if (context === true || context === 'true') {
      return RemovalPolicy.DESTROY;
    }
    Validations.of(this).addWarning(
      'efs-data-layer:OneKeyOnly',
      `removalPolicy is DESTROY, but the context key ${ALLOW_DESTROY_CONTEXT} is not true: the file system stays (RETAIN). Turn both keys to let a destroy delete the data.`,
    );
    return RemovalPolicy.RETAIN;
  }

  private refuseContradictions(existing: ExistingFileSystem, props: DataVolumeProps): void {
    if (!existing.fileSystemId || typeof existing.fileSystemId !== 'string') {
      throw inputError(
        this,
        `existingFileSystem.fileSystemId is ${JSON.stringify(existing.fileSystemId)}.`,
        'Pass the id, for example fs-0123456789abcdef0.',
      );
    }
    if (!Token.isUnresolved(existing.fileSystemId) && !/^fs-([0-9a-f]{8}|[0-9a-f]{17})$/.test(existing.fileSystemId)) {
      throw inputError(
        this,
        `existingFileSystem.fileSystemId is "${existing.fileSystemId}".`,
        'Pass the id, for example fs-0123456789abcdef0, not the name or the ARN.',
      );
    }
    if (!existing.vpc) {
      throw inputError(
        this,
        'existingFileSystem.vpc is missing: mount targets live in one VPC, and workloads must run in it.',
        'Pass the VPC of its mount targets, for example ec2.Vpc.fromLookup(this, "Vpc", { vpcId }).',
      );
    }
    requireObject(
      this,
      'existingFileSystem.vpc',
      existing.vpc,
      ['vpcId', 'selectSubnets'],
      "Pass the VPC of its mount targets, for example ec2.Vpc.fromLookup(this, 'Vpc', { vpcId }).",
    );
    requireObject(
      this,
      'existingFileSystem.securityGroup',
      existing.securityGroup,
      ['securityGroupId', 'connections'],
      "Pass a security group, for example ec2.SecurityGroup.fromSecurityGroupId(this, 'Group', 'sg-0123456789abcdef0').",
    );
    for (const name of ['createMountTargets', 'policyAttached'] as const) {
      if (existing[name] !== undefined) {
        requireBoolean(this, `existingFileSystem.${name}`, existing[name]);
      }
    }
    if (!existing.securityGroup && !existing.createMountTargets) {
      throw inputError(
        this,
        'existingFileSystem.securityGroup is missing: without it nothing can be let in.',
        'Pass the security group of its mount targets, or createMountTargets: true when it has none.',
      );
    }
    const ignored = (['vpc', 'kmsKey', 'lifecyclePolicy', 'removalPolicy'] as const).filter(
      (name) => props[name] !== undefined && !(name === 'vpc' && props.vpc === existing.vpc),
    );
    if (ignored.length > 0) {
      throw inputError(
        this,
        `${ignored.join(', ')} cannot be set together with existingFileSystem: they belong to the file system that exists.`,
        'Leave them out, and change the file system itself where it was made.',
      );
    }
  }

  private warnWithoutPolicy(existing: ExistingFileSystem): void {
    if (existing.policyAttached) {
      return;
    }
    Validations.of(this).addWarning(
      'efs-data-layer:IsolationNotEnforced',
      'The adopted file system may have no policy: then every client that reaches a mount target can read and write everything, whatever the access points say. Attach the policy with the command in the output PolicyCommand, then set existingFileSystem.policyAttached to true.',
    );
    new CfnOutput(this, 'PolicyCommand', {
      description: 'Attaches the policy that makes access points count. It affects every client of the file system.',
      value: `aws efs put-file-system-policy --file-system-id ${existing.fileSystemId} --policy '${JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'DenyWithoutTls',
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Action: '*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      })}'`,
    });
  }
}

interface DirectoryClaim {
  readonly volume: string;
  readonly directory: string;
  readonly owner: string;
}

const CLAIMS = new WeakMap<IConstruct, DirectoryClaim[]>();

function directoryClaims(root: IConstruct): DirectoryClaim[] {
  if (!CLAIMS.has(root)) {
    CLAIMS.set(root, []);
  }
  return CLAIMS.get(root)!;
}
