import * as fs from 'fs';
import * as path from 'path';
import { Stack, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { inputError } from '../errors';
import { requireObject } from '../inputs';
import { placeTasks } from '../single-writer';
import { DataVolume } from '../storage';
import { acknowledgeObjects } from '../storage/internal';
import { AWS_CLI_IMAGE } from './images';
import { mergeEnvironment } from './open-webui';
import { createTask, TaskSettings } from './task';
import { PosixIdentity, Workload } from './workload';
import { Writers } from './writers';

/** Where an AWS Data Exports FOCUS export lies. */
export interface FocusExportSource {
  /** The bucket. Another account's bucket must allow the task's role. */
  readonly bucket: s3.IBucket;

  /**
   * The prefix and the export's name, without a slash at either end, for example focus/cost-2026.
   * Below it are data/BILLING_PERIOD=… and metadata/BILLING_PERIOD=….
   */
  readonly prefix: string;
}

/** FinOps evidence on the volume. */
export interface EvidenceProps {
  /**
   * The FOCUS export to collect.
   *
   * @default - none: the collector ends with exit code 64 and says what to set
   */
  readonly focusExport?: FocusExportSource;

  /**
   * A collector of your own.
   *
   * @default - AWS's aws-cli image, pinned, with the collector of this package
   */
  readonly image?: ecs.ContainerImage;

  /**
   * The command of your image. Required together with image.
   *
   * @default - the collector of this package
   */
  readonly command?: string[];

  /**
   * vCPU units.
   *
   * @default 256
   */
  readonly cpu?: number;

  /**
   * Memory in MiB.
   *
   * @default 512
   */
  readonly memoryLimitMiB?: number;

  /**
   * Where the container sees the volume.
   *
   * @default /mnt/evidence
   */
  readonly mountPath?: string;

  /**
   * More environment variables. No secrets.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };
}

/** When and where evidence is collected. */
export interface EvidenceScheduleOptions {
  /**
   * When.
   *
   * @default - daily at 06:00 UTC; AWS refreshes an export at least once a day
   */
  readonly schedule?: scheduler.ScheduleExpression;

  /**
   * The subnets of the task. They need a way to the image registry.
   *
   * @default - subnets with a NAT gateway if the VPC has them, else public subnets with a public IPv4 address and no inbound rule
   */
  readonly vpcSubnets?: ec2.SubnetSelection;
}

const CONTAINER = 'evidence';

/** Printable ASCII without the characters that mean something in an IAM policy (* ? $): the prefix stands in one. */
const EXPORT_PREFIX = /^[!-#%-)+-.0->@-~]+(\/[!-#%-)+-.0->@-~]+)*$/;

/** ECS refuses a task definition above 64 KiB; the collector may take a quarter of it. */
export const MAX_SCRIPT_BYTES = 16384;

/** The collector's text: the container runs it without any image having to be built. */
export function collectorScript(): string {
  return fs.readFileSync(path.join(__dirname, 'evidence-collector.py'), 'utf8');
}

/**
 * FinOps evidence: JSON and CSV reports, FOCUS exports. Many writers; every file is written whole (temporary name,
 * fsync, rename), a run is never overwritten, and each run's SHA-256 manifest is chained to the one before.
 */
export class EvidenceWorkload extends Workload {
  /** A complete task definition that collects once and ends. */
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  /** The container in it. */
  public readonly container: ecs.ContainerDefinition;
  private readonly reached: { allowFrom(peer: ec2.IConnectable): void }[] = [];

  constructor(
    scope: Construct,
    id: string,
    volume: DataVolume,
    identity: PosixIdentity,
    settings: TaskSettings,
    props: EvidenceProps = {},
  ) {
    super(scope, id, {
      volume,
      directory: '/evidence',
      mountPath: props.mountPath,
      writers: Writers.MANY,
      ...identity,
    });
    if ((props.image === undefined) !== (props.command === undefined)) {
      throw inputError(this, 'evidence.image and evidence.command come together.', 'Pass both or neither.');
    }
    const source = props.focusExport && this.requireSource(props.focusExport);
    const task = createTask(this, CONTAINER, settings, {
      cpu: props.cpu ?? 256,
      memoryLimitMiB: props.memoryLimitMiB ?? 512,
    });
    this.taskDefinition = task.taskDefinition;
    this.container = this.taskDefinition.addContainer(CONTAINER, {
      image: props.image ?? ecs.ContainerImage.fromRegistry(AWS_CLI_IMAGE),
      entryPoint: props.image ? undefined : ['/usr/bin/python3', '-c'],
      command: props.command ?? [collectorScript()],
      environment: mergeEnvironment(
        this,
        'evidence',
        {
          EVIDENCE_ROOT: this.mountPath,
          AWS_REGION: Stack.of(this).region,
          AWS_ACCOUNT_ID: Stack.of(this).account,
          ...(source && { FOCUS_EXPORT_BUCKET: source.bucket.bucketName, FOCUS_EXPORT_PREFIX: source.prefix }),
        },
        props.environment,
      ),
      logging: task.logging,
      linuxParameters: new ecs.LinuxParameters(this.taskDefinition, `${CONTAINER}Linux`, { initProcessEnabled: true }),
    });
    this._mount(this.taskDefinition, this.container, {});
    if (source) {
      this.allowRead(source);
    }
  }

  /**
   * Collects on a schedule, with EventBridge Scheduler. A run that overlaps another waits for it.
   *
   * @param cluster the cluster
   * @param options when and where
   */
  public scheduleOn(cluster: ecs.ICluster, options: EvidenceScheduleOptions = {}): scheduler.Schedule {
    const id = `${this.node.scope!.node.id}${this.node.id}`;
    this.volume._requireSameVpc(this, cluster);
    const placement = placeTasks(this, cluster.vpc, options.vpcSubnets);
    const securityGroup = new ec2.SecurityGroup(cluster, `${id}SecurityGroup`, {
      vpc: cluster.vpc,
      description: 'Evidence collector: no inbound rule',
      allowAllOutbound: true,
    });
    this.allowFrom(securityGroup);
    this.reached.forEach((service) => service.allowFrom(securityGroup));
    const role = new iam.Role(cluster, `${id}ScheduleRole`, {
      description: 'EventBridge Scheduler: starts the evidence collector',
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(cluster).account } },
      }),
      // Written out here: what the target would add is ordered by a feature flag.
      inlinePolicies: {
        StartTask: new iam.PolicyDocument({
          minimize: false,
          statements: [
            new iam.PolicyStatement({
              actions: ['ecs:RunTask'],
              resources: [this.taskDefinition.taskDefinitionArn],
              conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
            }),
            new iam.PolicyStatement({
              actions: ['iam:PassRole'],
              resources: [this.taskDefinition.taskRole.roleArn, this.taskDefinition.obtainExecutionRole().roleArn],
              conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
            }),
          ],
        }),
      },
    });
    return new scheduler.Schedule(cluster, `${id}Schedule`, {
      description: 'Collects FinOps evidence onto the data layer volume',
      schedule: options.schedule ?? scheduler.ScheduleExpression.cron({ minute: '0', hour: '6' }),
      target: new targets.EcsRunFargateTask(cluster, {
        taskDefinition: this.taskDefinition,
        assignPublicIp: placement.assignPublicIp,
        vpcSubnets: placement.vpcSubnets,
        securityGroups: [securityGroup],
        platformVersion: ecs.FargatePlatformVersion.VERSION1_4,
        role: role.withoutPolicyUpdates(),
      }),
    });
  }

  /**
   * A service beside the volume that its tasks are let into.
   *
   * @internal
   */
  public _reaches(service: { allowFrom(peer: ec2.IConnectable): void }): void {
    this.reached.push(service);
  }

  private requireSource(source: FocusExportSource): FocusExportSource {
    requireObject(
      this,
      'evidence.focusExport.bucket',
      source.bucket ?? null,
      ['bucketArn', 'arnForObjects'],
      "Pass a bucket, for example s3.Bucket.fromBucketName(this, 'Export', 'my-exports').",
    );
    if (
      !Token.isUnresolved(source.prefix) &&
      (typeof source.prefix !== 'string' || !EXPORT_PREFIX.test(source.prefix))
    ) {
      throw inputError(
        this,
        `evidence.focusExport.prefix is ${JSON.stringify(source.prefix)}.`,
        "Pass the prefix and the export's name, for example focus/cost-2026: no slash at either end, printable ASCII without spaces and without * ? $, which mean something in an IAM policy.",
      );
    }
    return source;
  }

  /** Reads below the export's prefix only. Not grantRead: that allows the whole bucket to be listed. */
  private allowRead(source: FocusExportSource): void {
    this.taskDefinition.addToTaskRolePolicy(
      new iam.PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [source.bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': [`${source.prefix}`, `${source.prefix}/*`] } },
      }),
    );
    this.taskDefinition.addToTaskRolePolicy(
      new iam.PolicyStatement({
        actions: ['s3:GetObject', 's3:GetObjectVersion'],
        resources: [source.bucket.arnForObjects(`${source.prefix}/*`)],
      }),
    );
    source.bucket.encryptionKey?.grantDecrypt(this.taskDefinition.taskRole);
    acknowledgeObjects(
      this.taskDefinition.taskRole,
      source.bucket,
      `${source.prefix}/*`,
      'The objects of one FOCUS export: their names are chosen by AWS Data Exports, month by month.',
    );
  }
}
