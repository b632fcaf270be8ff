import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { BackupClient } from '@aws-sdk/client-backup';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { EFSClient } from '@aws-sdk/client-efs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { IAMClient } from '@aws-sdk/client-iam';
import { RDSClient } from '@aws-sdk/client-rds';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Clock, Io } from '../io';
import { Undo } from '../undo';

/** The clients of one account and region. */
export interface Clients {
  readonly cloudFormation: CloudFormationClient;
  readonly ecs: ECSClient;
  readonly efs: EFSClient;
  readonly iam: IAMClient;
  readonly logs: CloudWatchLogsClient;
  readonly backup: BackupClient;
  readonly cloudWatch: CloudWatchClient;
  readonly ec2: EC2Client;
  readonly autoScaling: ApplicationAutoScalingClient;
  readonly scheduler: SchedulerClient;
  readonly secrets: SecretsManagerClient;
  readonly rds: RDSClient;
  readonly elastiCache: ElastiCacheClient;
  readonly elb: ElasticLoadBalancingV2Client;
}

/** Where the credentials and the region come from: the SDK's usual chain, which --profile and --region go before. */
export function makeClients(options: { region?: string; profile?: string }): Clients {
  const config = {
    // The SDK reads AWS_REGION only; the AWS CLI's other name for it is as common.
    region: options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION,
    profile: options.profile,
    // Without these a call that nobody answers waits for ever.
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  };
  return {
    cloudFormation: new CloudFormationClient(config),
    ecs: new ECSClient(config),
    efs: new EFSClient(config),
    iam: new IAMClient(config),
    logs: new CloudWatchLogsClient(config),
    backup: new BackupClient(config),
    cloudWatch: new CloudWatchClient(config),
    ec2: new EC2Client(config),
    autoScaling: new ApplicationAutoScalingClient(config),
    scheduler: new SchedulerClient(config),
    secrets: new SecretsManagerClient(config),
    rds: new RDSClient(config),
    elastiCache: new ElastiCacheClient(config),
    elb: new ElasticLoadBalancingV2Client(config),
  };
}

/** What every step of work in an account needs. */
export interface Session {
  readonly aws: Clients;
  readonly io: Io;
  readonly clock: Clock;
  readonly undo: Undo;
  readonly signal: AbortSignal;
}
