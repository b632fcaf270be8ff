import { CfnOutput, Duration, Lazy, Stack, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, IDependable } from 'constructs';
import { inputError } from '../errors';
import { placeTasks } from './placement';
import { brokenRules, enforceKind, ServiceKind, STOP_FIRST } from './rules';

/** How a service runs whose old tasks are gone before new ones start. */
export interface StopFirstServiceOptions {
  /**
   * How many tasks. 0 stops the application, for example for a migration. More than 1 is an error where files have one
   * writer.
   *
   * @default 1
   */
  readonly desiredCount?: number;

  /**
   * Percent of the desired count that must stay up during a deployment. Only 0 is accepted: the old task must be gone
   * before the new one starts. Any other value is an error.
   *
   * @default 0
   */
  readonly minHealthyPercent?: number;

  /**
   * Percent of the desired count that may run during a deployment. Only 100 is accepted. Any other value is an error.
   *
   * @default 100
   */
  readonly maxHealthyPercent?: number;

  /**
   * Whether ECS moves tasks between zones. Only DISABLED is accepted. Any other value is an error.
   *
   * @default ecs.AvailabilityZoneRebalancing.DISABLED
   */
  readonly availabilityZoneRebalancing?: ecs.AvailabilityZoneRebalancing;

  /**
   * What happens when a deployment does not come up. A rollback is an error: it would start an older image on a
   * database the newer one has migrated.
   *
   * @default - enabled, without rollback
   */
  readonly circuitBreaker?: ecs.DeploymentCircuitBreaker;

  /**
   * The subnets of the task. They need a way to the image registry.
   *
   * @default - subnets with a NAT gateway if the VPC has them, else public subnets with a public IPv4 address (about $3.65 a month) and no inbound rule
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * ECS Service Connect, as a client or as a server. The proxy runs in the task and needs about 64 MiB of its memory.
   *
   * @default - none
   */
  readonly serviceConnectConfiguration?: ecs.ServiceConnectProps;
}

/** What such a service is made of. */
export interface StopFirstServiceProps extends StopFirstServiceOptions {
  /** The cluster. Its VPC must reach the mount targets. */
  readonly cluster: ecs.ICluster;
  /** A task definition whose container was made by a workload of the data layer. */
  readonly taskDefinition: ecs.FargateTaskDefinition;
  /**
   * What must exist before the first task starts.
   *
   * @default - nothing
   */
  readonly dependsOn?: IDependable;
}

/**
 * A Fargate service of which two versions never run at once: every old task is stopped before a new one starts, no
 * rebalancing, no rollback onto a database that a newer version has migrated. Overrides that would undo this fail the
 * synth.
 */
export class StopFirstService extends Construct implements ec2.IConnectable {
  /** The service. */
  public readonly service: ecs.FargateService;
  /** Who may connect. Nobody, until a rule is added. */
  public readonly connections: ec2.Connections;

  constructor(scope: Construct, id: string, props: StopFirstServiceProps) {
    super(scope, id);
    const kind = this._kind();
    const circuitBreaker = props.circuitBreaker ?? { enable: true, rollback: false };
    const deploymentConfiguration = {
      minimumHealthyPercent: props.minHealthyPercent ?? 0,
      maximumPercent: props.maxHealthyPercent ?? 100,
      deploymentCircuitBreaker: { enable: circuitBreaker.enable ?? true, rollback: circuitBreaker.rollback ?? false },
    };
    const desiredCount = props.desiredCount ?? 1;
    const broken = brokenRules(
      {
        DesiredCount: desiredCount,
        AvailabilityZoneRebalancing: props.availabilityZoneRebalancing ?? 'DISABLED',
        DeploymentConfiguration: {
          MinimumHealthyPercent: deploymentConfiguration.minimumHealthyPercent,
          MaximumPercent: deploymentConfiguration.maximumPercent,
          DeploymentCircuitBreaker: { Rollback: deploymentConfiguration.deploymentCircuitBreaker.rollback },
        },
      },
      kind.rules,
    );
    if (broken.length > 0) {
      throw inputError(this, `${kind.label}: ${broken.join(' ')}`, `${kind.why} Leave the setting out.`);
    }

    const placement = placeTasks(this, props.cluster.vpc, props.vpcSubnets);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: props.cluster,
      taskDefinition: props.taskDefinition,
      desiredCount,
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      circuitBreaker,
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.DISABLED,
      vpcSubnets: placement.vpcSubnets,
      assignPublicIp: placement.assignPublicIp,
      platformVersion: ecs.FargatePlatformVersion.VERSION1_4,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
      enableECSManagedTags: true,
      serviceConnectConfiguration: props.serviceConnectConfiguration,
    });
    const resource = this.service.node.defaultChild as ecs.CfnService;
    // Set whole on the L1: what the L2 adds here (alarms, an explicit controller) changes with feature flags.
    resource.deploymentConfiguration = deploymentConfiguration;
    resource.deploymentController = undefined;
    resource.enableExecuteCommand = true;
    const loadBalancers = resource.loadBalancers;
    resource.loadBalancers = Lazy.uncachedAny({
      produce: (context) => {
        const attached = context.resolve(loadBalancers) as unknown[] | undefined;
        return attached?.length ? attached : undefined;
      },
    });
    allowExec(props.taskDefinition);
    enforceKind(this, resource, kind);

    if (props.dependsOn) {
      this.service.node.addDependency(props.dependsOn);
    }
    this.connections = this.service.connections;
  }

  /**
   * Running tasks: each reports its processor once a minute, free of charge. Nothing while no task runs.
   *
   * @param props period and the rest
   */
  public metricRunningTasks(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.service.metricCpuUtilization({ statistic: 'SampleCount', period: Duration.minutes(1), ...props });
  }

  /**
   * Processor in use, in percent of what the tasks have.
   *
   * @param props statistic, period and the rest
   */
  public metricCpuUtilization(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.service.metricCpuUtilization(props);
  }

  /**
   * What the settings are held to.
   *
   * @internal
   */
  protected _kind(): ServiceKind {
    return STOP_FIRST;
  }

  /**
   * Adds a stack output with the command that brings a port of the task to a workstation, through ECS Exec: no load
   * balancer and no inbound rule. It needs the AWS CLI with the Session Manager plugin.
   *
   * @param containerName the container that listens
   * @param port its port, and the port on the workstation
   */
  public addPortForwardOutput(containerName: string, port: number): CfnOutput {
    const { region } = Stack.of(this);
    const at = `--region ${region} --cluster ${this.service.cluster.clusterName}`;
    return new CfnOutput(this, 'PortForward', {
      description: `Brings ${containerName} to http://localhost:${port} on a workstation (AWS CLI and Session Manager plugin)`,
      value: [
        `TASK=$(aws ecs list-tasks ${at} --service-name ${this.service.serviceName} --desired-status RUNNING --query 'taskArns[0]' --output text)`,
        `RUNTIME=$(aws ecs describe-tasks ${at} --tasks "$TASK" --query "tasks[0].containers[?name=='${containerName}'].runtimeId | [0]" --output text)`,
        `aws ssm start-session --region ${region} --target "ecs:${this.service.cluster.clusterName}_\${TASK##*/}_$RUNTIME" --document-name AWS-StartPortForwardingSession --parameters portNumber=${port},localPortNumber=${port}`,
      ].join(' && '),
    });
  }
}

/** The four actions of ECS Exec. The L2 would add log permissions on "*" as well, depending on a feature flag. */
function allowExec(taskDefinition: ecs.FargateTaskDefinition): void {
  taskDefinition.addToTaskRolePolicy(
    new iam.PolicyStatement({
      actions: [
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ],
      resources: ['*'],
    }),
  );
  Validations.of(taskDefinition.taskRole).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'The four ssmmessages actions of ECS Exec know no resource type (Service Authorization Reference, Amazon Message Gateway Service); who may open a session is decided by ecs:ExecuteCommand on the caller.',
  });
}
