import { Names } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import { Construct } from 'constructs';
import { requireWholeNumber } from '../../errors';
import { allowInto } from '../../storage/internal';
import { serviceSubnets, StoreContext } from '../context';
import { Wiring } from '../wiring';
import { CacheChoice } from './cache-choice';

/** Writes on 6379, reads that may be late on 6380 (Amazon ElastiCache User Guide, serverless, read 2026-11). */
const PORT = 6379;

/** ElastiCache Serverless for Valkey. */
export interface ValkeyServerlessProps {
  /**
   * The most data it may hold, in GB, 1 to 5000. Above it Valkey evicts. What is stored costs $0.084 per GB-hour,
   * 0.1 GB at least (us-east-1, ElastiCache price list 2026).
   *
   * @default 1
   */
  readonly maxDataGb?: number;

  /**
   * The most it may be asked for, in ElastiCache processing units per second, 1000 to 15000000. Above it requests are
   * slowed down. A million units cost $0.0023 (us-east-1, ElastiCache price list 2026).
   *
   * @default 1000
   */
  readonly maxEcpuPerSecond?: number;
}

export function valkeyServerless(props: ValkeyServerlessProps): CacheChoice {
  return {
    name: 'valkey-serverless',
    create: (scope, context) => new ValkeyServerless(scope, 'ValkeyServerless', context, props).wiring,
  };
}

class ValkeyServerless extends Construct {
  public readonly wiring: Wiring;

  constructor(scope: Construct, id: string, context: StoreContext, props: ValkeyServerlessProps) {
    super(scope, id);
    const maxData = requireWholeNumber(this, 'maxDataGb', props.maxDataGb ?? 1, 1, 5000);
    const maxEcpu = requireWholeNumber(this, 'maxEcpuPerSecond', props.maxEcpuPerSecond ?? 1000, 1000, 15000000);
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: context.vpc,
      description: 'Valkey, from the services of the data layer only',
      allowAllOutbound: false,
    });
    // A minimum would be billed as if it were used: only maximums are set. Nothing in it outlives a task, so that it
    // has no snapshot and goes with its stack.
    const cache = new elasticache.CfnServerlessCache(this, 'Cache', {
      engine: 'valkey',
      majorEngineVersion: '8',
      serverlessCacheName: `edl-${Names.uniqueResourceName(this, { maxLength: 34, separator: '-', allowedSpecialCharacters: '-' }).toLowerCase()}`,
      description: `Sessions and tasks of the replicas of ${this.node.path}`,
      cacheUsageLimits: {
        dataStorage: { maximum: maxData, unit: 'GB' },
        ecpuPerSecond: { maximum: maxEcpu },
      },
      subnetIds: serviceSubnets(this, context.vpc, 'ElastiCache'),
      securityGroupIds: [securityGroup.securityGroupId],
      snapshotRetentionLimit: 0,
    });
    const url = `rediss://${cache.attrEndpointAddress}:${PORT}`;
    this.wiring = {
      environment: redisEnvironment(url),
      secrets: {},
      allowFrom: (peer) => allowInto(peer, securityGroup, PORT, 'Valkey of the data layer'),
    };
  }
}

/**
 * The names Open WebUI reads (open_webui/env.py, 0.12.4). Serverless speaks the cluster protocol with TLS only. The
 * socket layer publishes and subscribes through a client without the protocol, which a cluster takes on any node: tried
 * with two processes and a cluster by npm run test:replicas.
 */
export function redisEnvironment(url: string): { [name: string]: string } {
  return {
    REDIS_URL: url,
    REDIS_CLUSTER: 'true',
    WEBSOCKET_MANAGER: 'redis',
    WEBSOCKET_REDIS_URL: url,
    WEBSOCKET_REDIS_CLUSTER: 'true',
    // The load balancer and ElastiCache cut connections that are silent; a dead one must be noticed, not waited for.
    REDIS_SOCKET_CONNECT_TIMEOUT: '5',
    REDIS_HEALTH_CHECK_INTERVAL: '60',
  };
}
