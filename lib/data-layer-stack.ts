import { Stack, StackProps, Tags, Token, Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { AlarmsProps } from './alarms';
import { EfsDataLayer, EfsDataLayerProps } from './efs-data-layer';
import { inputError, requireBoolean } from './errors';
import { requireObject } from './inputs';
import { LoadBalancerOptions, OpenWebUiLoadBalancer } from './load-balancer';
import { FocusExport } from './stores';
import { FocusExportSource } from './workloads';

/** General purpose bucket names (docs.aws.amazon.com/AmazonS3, bucket naming rules, read 2026-11). */
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** The ARN of a topic, in any partition. */
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

/** Where a FOCUS export lies, by name. */
export interface FocusExportLocation {
  /** The bucket's name. */
  readonly bucketName: string;
  /** The prefix and the export's name, without a slash at either end. */
  readonly prefix: string;

  /**
   * Whether the bucket and the export are made. In a region where CloudFormation makes none call
   * `stack.focusExport.exportFrom()` with a stack of one that does.
   *
   * @default false - both are there
   */
  readonly create?: boolean;
}

/** The deployable stack. */
export interface DataLayerStackProps extends StackProps {
  /**
   * The data layer.
   *
   * @default - all defaults
   */
  readonly dataLayer?: EfsDataLayerProps;

  /**
   * Run Open WebUI and the knowledge workload as services, and the evidence collector daily when it has a source.
   * Compute is billed apart from the data layer.
   *
   * @default false
   */
  readonly services?: boolean;

  /**
   * A load balancer before Open WebUI. Needs services.
   *
   * @default - none: the port is brought to a workstation by the command in the output PortForward
   */
  readonly loadBalancer?: LoadBalancerOptions;

  /**
   * The SNS topic, by its ARN, that the alarms notify. Needs dataLayer.alarms.
   *
   * @default - that of dataLayer.alarms, or none
   */
  readonly alarmTopicArn?: string;

  /**
   * The AWS Data Exports FOCUS export that the evidence collector reads.
   *
   * @default - that of dataLayer.evidence, or none
   */
  readonly focusExport?: FocusExportLocation;
}

/** A data layer in a stack of its own: network, volume, task definitions and, if asked, running services. */
export class DataLayerStack extends Stack {
  /** The data layer. */
  public readonly dataLayer: EfsDataLayer;
  /** The cluster of the services. Undefined without services. */
  public readonly cluster?: ecs.Cluster;
  /** The export, if it is made here. */
  public readonly focusExport?: FocusExport;

  constructor(scope: Construct, id: string, props: DataLayerStackProps = {}) {
    super(scope, id, props);
    const services = props.services !== undefined && requireBoolean(this, 'services', props.services);
    requireObject(this, 'dataLayer', props.dataLayer, [], 'Pass an object of props of EfsDataLayer.');
    this.requireOneFocusExport(props);
    this.focusExport = this.makeFocusExport(props);
    const focusExport =
      this.focusExport ?? this.foundFocusExport(props.focusExport) ?? props.dataLayer?.evidence?.focusExport;
    this.dataLayer = new EfsDataLayer(this, 'DataLayer', {
      ...props.dataLayer,
      alarms: this.alarmsOf(props),
      evidence: { ...props.dataLayer?.evidence, focusExport },
    });
    requireObject(this, 'loadBalancer', props.loadBalancer, [], 'Pass { certificateArn, allowedCidrs }.');
    if (props.loadBalancer && !services) {
      throw inputError(
        this,
        'loadBalancer is set without services: there is nothing it could reach.',
        'Set services: true, or make an OpenWebUiLoadBalancer for a service of your own.',
      );
    }
    if (services) {
      this.cluster = this.runServices(focusExport !== undefined, props.loadBalancer);
    }
  }

  private alarmsOf({ alarmTopicArn, dataLayer }: DataLayerStackProps): AlarmsProps | undefined {
    if (alarmTopicArn === undefined) {
      return dataLayer?.alarms;
    }
    if (typeof alarmTopicArn !== 'string' || (!Token.isUnresolved(alarmTopicArn) && !TOPIC_ARN.test(alarmTopicArn))) {
      throw inputError(
        this,
        `alarmTopicArn is ${JSON.stringify(alarmTopicArn)}.`,
        'Pass the ARN of a topic, for example arn:aws:sns:us-east-1:123456789012:alerts.',
      );
    }
    if (!dataLayer?.alarms || dataLayer.alarms.topic) {
      throw inputError(
        this,
        `alarmTopicArn is set ${dataLayer?.alarms ? 'together with dataLayer.alarms.topic' : 'without dataLayer.alarms'}.`,
        'Pass alarmTopicArn with dataLayer: { alarms: {} }, or a topic in dataLayer.alarms.',
      );
    }
    return { ...dataLayer.alarms, topic: sns.Topic.fromTopicArn(this, 'AlarmTopic', alarmTopicArn) };
  }

  private requireOneFocusExport({ focusExport, dataLayer }: DataLayerStackProps): void {
    if (focusExport && dataLayer?.evidence?.focusExport) {
      throw inputError(
        this,
        'focusExport and dataLayer.evidence.focusExport are both set.',
        'Pass one: focusExport with names, or dataLayer.evidence.focusExport with a bucket.',
      );
    }
    requireObject(
      this,
      'focusExport',
      focusExport,
      ['bucketName', 'prefix'],
      "Pass { bucketName: 'my-exports', prefix: 'focus/cost-2026' }.",
    );
    const bucketName: unknown = focusExport?.bucketName;
    if (
      focusExport &&
      (typeof bucketName !== 'string' || (!Token.isUnresolved(bucketName) && !BUCKET.test(bucketName)))
    ) {
      throw inputError(
        this,
        `focusExport.bucketName is ${JSON.stringify(bucketName)}.`,
        'Pass the name of a bucket, without s3:// and without a key.',
      );
    }
  }

  private foundFocusExport(location?: FocusExportLocation): FocusExportSource | undefined {
    return (
      location && {
        bucket: s3.Bucket.fromBucketName(this, 'FocusExportBucket', location.bucketName),
        prefix: location.prefix,
      }
    );
  }

  private makeFocusExport({ focusExport, dataLayer }: DataLayerStackProps): FocusExport | undefined {
    if (!focusExport || !requireBoolean(this, 'focusExport.create', focusExport.create ?? false)) {
      return undefined;
    }
    const [, prefix, exportName] = /^(.+)\/([^/]+)$/.exec(focusExport.prefix) ?? [];
    if (exportName === undefined) {
      throw inputError(
        this,
        `focusExport.prefix is ${JSON.stringify(focusExport.prefix)}: an export that is made needs a prefix and a name.`,
        'Pass both, for example focus/focus-1-2.',
      );
    }
    const made = new FocusExport(this, 'FocusExport', {
      bucketName: focusExport.bucketName,
      prefix,
      exportName,
      removalPolicy: dataLayer?.removalPolicy,
    });
    Tags.of(made).add('ManagedBy', 'efs-data-layer');
    return made;
  }

  private runServices(collectEvidence: boolean, loadBalancer?: LoadBalancerOptions): ecs.Cluster {
    const { openWebUi, knowledge, evidence, vpc } = this.dataLayer;
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: ecs.ContainerInsights.DISABLED,
    });
    Validations.of(cluster).acknowledge({
      id: 'AwsSolutions-ECS4',
      reason:
        'Container Insights bills every custom metric and would cost more than the volume; the free service metrics and the tasks’ logs stay.',
    });
    const server = knowledge.runOn(cluster);
    const chat = openWebUi.runOn(cluster, {
      serviceConnectConfiguration: knowledge.isChromaServer ? knowledge.serviceConnectClient() : undefined,
    });
    if (knowledge.isChromaServer) {
      knowledge.allowClient(chat);
      // A Service Connect client knows only the names that exist when it starts.
      chat.service.node.defaultChild!.node.addDependency(server.service.node.defaultChild!);
    }
    if (loadBalancer) {
      const balancer = new OpenWebUiLoadBalancer(this, 'LoadBalancer', { ...loadBalancer, vpc, service: chat });
      Tags.of(balancer).add('ManagedBy', 'efs-data-layer');
    }
    if (collectEvidence) {
      evidence.scheduleOn(cluster);
    }
    Tags.of(cluster).add('ManagedBy', 'efs-data-layer');
    return cluster;
  }
}
