import { Duration, Names } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as servicediscovery from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import { inputError } from '../errors';
import { SingleWriterService, StopFirstServiceOptions } from '../single-writer';
import { DataVolume } from '../storage';
import { allowInto } from '../storage/internal';
import { CHROMA_IMAGE } from './images';
import { mergeEnvironment } from './open-webui';
import { createTask, TaskSettings } from './task';
import { PosixIdentity, Workload } from './workload';
import { Writers } from './writers';

/** CrewAI Knowledge on the volume. */
export interface KnowledgeProps {
  /**
   * Your CrewAI application. It gets CREWAI_STORAGE_DIR on the volume, where CrewAI keeps its Chroma.
   *
   * @default - the official Chroma server, pinned: ghcr.io/chroma-core/chroma:1.5.9
   */
  readonly image?: ecs.ContainerImage;

  /**
   * The command of your image. Required together with image.
   *
   * @default - the Chroma server's own
   */
  readonly command?: string[];

  /**
   * vCPU units.
   *
   * @default 512
   */
  readonly cpu?: number;

  /**
   * Memory in MiB. Chroma asks for at least 2 GB (docs.trychroma.com, performance, 2026-09).
   *
   * @default 2048
   */
  readonly memoryLimitMiB?: number;

  /**
   * Where the container sees the volume.
   *
   * @default /mnt/knowledge
   */
  readonly mountPath?: string;

  /**
   * More environment variables. No secrets.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Environment variables from Secrets Manager or Parameter Store, for example ANTHROPIC_API_KEY.
   *
   * @default - none
   */
  readonly secrets?: { [name: string]: ecs.Secret };
}

/** The port of the Chroma server. */
export const CHROMA_PORT = 8000;

/** The name services find the Chroma server by: http://chroma:8000. */
export const CHROMA_DNS_NAME = 'chroma';

const CONTAINER = 'knowledge';

/** The command of the official image, without its dumb-init: signals come from the gate (rust/Dockerfile, 1.5.9). */
const CHROMA_COMMAND = ['chroma', 'run', '/config.yaml'];

/** The image of the server has bash but neither curl nor Python: the request is written by hand. */
const CHROMA_HEALTH = [
  `exec 3<>/dev/tcp/127.0.0.1/${CHROMA_PORT}`,
  `printf 'GET /api/v2/heartbeat HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3`,
  `read -r -t 4 status <&3`,
  `[[ "$status" == *' 200 '* ]]`,
].join(' && ');

/**
 * CrewAI Knowledge: the Chroma server, or an application that embeds Chroma, in one directory with one writer.
 * The store is in a sub-directory of the mount, because the root of an access point cannot be renamed.
 */
export class KnowledgeWorkload extends Workload {
  /** A complete task definition. */
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  /** The container in it. */
  public readonly container: ecs.ContainerDefinition;
  /** Where its containers, and the keeper, log to. */
  public readonly logGroup: logs.ILogGroup;
  /** True for the Chroma server, false for an application of your own. */
  public readonly isChromaServer: boolean;
  private runningService?: SingleWriterService;
  private serviceConnectNamespace?: servicediscovery.IHttpNamespace;

  constructor(
    scope: Construct,
    id: string,
    volume: DataVolume,
    identity: PosixIdentity,
    settings: TaskSettings,
    props: KnowledgeProps = {},
  ) {
    super(scope, id, {
      volume,
      directory: '/knowledge',
      mountPath: props.mountPath,
      writers: Writers.ONE,
      ...identity,
    });
    this.isChromaServer = props.image === undefined;
    if (this.isChromaServer !== (props.command === undefined)) {
      throw inputError(
        this,
        this.isChromaServer ? 'knowledge.command is set without knowledge.image.' : 'knowledge.image has no command.',
        "Pass both or neither: the entry point belongs to the data layer, and an entry point drops the image's own command.",
      );
    }
    const task = createTask(this, CONTAINER, settings, {
      cpu: props.cpu ?? 512,
      memoryLimitMiB: props.memoryLimitMiB ?? 2048,
      // The keeper of an image without Python stands beside it and must see its process.
      pidMode: this.isChromaServer ? ecs.PidMode.TASK : undefined,
    });
    this.taskDefinition = task.taskDefinition;
    this.logGroup = task.logGroup;
    const own: { [name: string]: string } = this.isChromaServer
      ? { CHROMA_PERSIST_PATH: `${this.mountPath}/chroma`, CHROMA_PORT: `${CHROMA_PORT}` }
      : { CREWAI_STORAGE_DIR: `${this.mountPath}/crewai` };
    const container = {
      image: props.image ?? ecs.ContainerImage.fromRegistry(CHROMA_IMAGE),
      command: props.command ?? CHROMA_COMMAND,
      environment: mergeEnvironment(this, 'knowledge', own, props.environment),
      secrets: props.secrets,
      logging: task.logging,
      ...(this.isChromaServer && {
        portMappings: [{ name: CHROMA_DNS_NAME, containerPort: CHROMA_PORT, appProtocol: ecs.AppProtocol.http }],
        healthCheck: {
          command: ['CMD', 'bash', '-c', CHROMA_HEALTH],
          interval: Duration.seconds(30),
          timeout: Duration.seconds(5),
          retries: 5,
          startPeriod: Duration.seconds(120),
        },
      }),
    };
    this.container = this._keptContainer(this.taskDefinition, CONTAINER, container, {
      stores: this.isChromaServer ? 'chroma/' : 'crewai/',
      imageHasPython: !this.isChromaServer,
    });
  }

  /**
   * Runs it as a service that cannot run two writers, made in the cluster's scope. The Chroma server is published by
   * ECS Service Connect as http://chroma:8000; nobody reaches it before allowClient was called.
   *
   * @param cluster the cluster
   * @param options how it runs
   */
  public runOn(cluster: ecs.ICluster, options: StopFirstServiceOptions = {}): SingleWriterService {
    const id = `${this.node.scope!.node.id}${this.node.id}`;
    this.volume._requireSameVpc(this, cluster);
    this._claimOwner(`${cluster.node.path}/${id}`);
    if (this.isChromaServer) {
      if (options.serviceConnectConfiguration) {
        throw inputError(
          this,
          'serviceConnectConfiguration is set for the Chroma server, which is published by a configuration of its own.',
          'Leave it out; clients use serviceConnectClient().',
        );
      }
      this.serviceConnectNamespace = new servicediscovery.HttpNamespace(cluster, `${id}Namespace`, {
        name: Names.uniqueResourceName(this, { maxLength: 64, separator: '-' }),
        description: 'ECS Service Connect names of the data layer',
      });
    }
    const service = new SingleWriterService(cluster, id, {
      ...options,
      cluster,
      taskDefinition: this.taskDefinition,
      ...(this.serviceConnectNamespace && {
        serviceConnectConfiguration: {
          namespace: this.serviceConnectNamespace.namespaceArn,
          services: [{ portMappingName: CHROMA_DNS_NAME, dnsName: CHROMA_DNS_NAME, port: CHROMA_PORT }],
        },
      }),
    });
    this.allowFrom(service.service);
    this.runningService = service;
    this._announce(service);
    return service;
  }

  /**
   * What a service needs to find the Chroma server: pass it as its serviceConnectConfiguration. The proxy takes
   * about 64 MiB of the task's memory; Service Connect itself has no charge (aws.amazon.com/ecs/pricing, read 2026-11).
   *
   * @throws when the Chroma server is not running in this app
   */
  public serviceConnectClient(): ecs.ServiceConnectProps {
    if (!this.serviceConnectNamespace) {
      throw inputError(this, 'The Chroma server has no service.', 'Call knowledge.runOn(cluster) first.');
    }
    return { namespace: this.serviceConnectNamespace.namespaceArn };
  }

  /**
   * Opens the port of the Chroma server to a service. It has no authentication of its own: who may connect may read
   * and delete every collection.
   *
   * @param peer the service
   * @throws when the Chroma server is not running in this app
   */
  public allowClient(peer: ec2.IConnectable): void {
    if (!this.runningService || !this.isChromaServer) {
      throw inputError(this, 'The Chroma server has no service.', 'Call knowledge.runOn(cluster) first.');
    }
    for (const securityGroup of this.runningService.connections.securityGroups) {
      allowInto(peer, securityGroup, CHROMA_PORT, 'Chroma');
    }
  }
}
