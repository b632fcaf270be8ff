import { AddTagsCommand, SetSubnetsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  AddTagsToResourceCommand,
  CreateDBSubnetGroupCommand,
  DescribeDBSubnetGroupsCommand,
  ModifyDBInstanceCommand,
  ModifyDBSubnetGroupCommand,
} from '@aws-sdk/client-rds';
import { TagResourceCommand } from '@aws-sdk/client-secrets-manager';
import { Promised } from '../../doctor/promises';
import { Account, Undo } from './account';

/** Makes one live setting another than the promised one, and returns what puts it back. */
export type Breaker = (account: Account, promised: Promised, value: unknown, id: string) => Promise<Undo>;

/** Where moto keeps a property of RDS, when it is not the name in small letters. */
const KEPT: Record<string, string> = {
  MultiAZ: 'multi_az',
  DBInstanceClass: 'db_instance_class',
  DBParameterGroupName: 'db_parameter_group_name',
  DBClusterParameterGroupName: 'parameter_group',
  VPCSecurityGroups: 'vpc_security_group_ids',
};

const snake = (key: string) => KEPT[key] ?? key.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase();

/** Sets tags, and sets them again. */
async function retag(put: (text: string) => Promise<unknown>, was: unknown, value: unknown): Promise<Undo> {
  await put(String(value));
  return () => put(String(was));
}

function tagDatabase(account: Account, { path, value: was }: Promised, value: unknown, arn: string): Promise<Undo> {
  const put = (Value: string) =>
    account.clients.rds.send(
      new AddTagsToResourceCommand({ ResourceName: arn, Tags: [{ Key: path.slice(1).join('.'), Value }] }),
    );
  return retag(put, was, value);
}

const arnOf = (account: Account, kind: string, id: string) =>
  `arn:aws:rds:${account.aws.region}:123456789012:${kind}:${id}`;

/** A second group with the same subnets; there is one that the database is in again. */
async function otherSubnetGroup(account: Account, id: string): Promise<Undo> {
  const { rds } = account.clients;
  const { DBSubnetGroups } = await rds.send(new DescribeDBSubnetGroupsCommand({}));
  const own = DBSubnetGroups!.find((one) => Object.values(account.ids).includes(one.DBSubnetGroupName!))!;
  const SubnetIds = own.Subnets!.map((one) => one.SubnetIdentifier!);
  const DBSubnetGroupName = 'elsewhere';
  await rds.send(new CreateDBSubnetGroupCommand({ DBSubnetGroupName, DBSubnetGroupDescription: 'another', SubnetIds }));
  const move = (name?: string) =>
    rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: id, DBSubnetGroupName: name }));
  await move(DBSubnetGroupName);
  return () => move(own.DBSubnetGroupName);
}

const instance: Breaker = (account, promised, value, id) => {
  const [property] = promised.path;
  if (property === 'Tags') {
    return tagDatabase(account, promised, value, arnOf(account, 'db', id));
  }
  if (property === 'DBSubnetGroupName') {
    return otherSubnetGroup(account, id);
  }
  const key = property === 'EnableIAMDatabaseAuthentication' ? 'enable_iam_database_authentication' : snake(property);
  return account.set('rds', ['databases', id, key], property === 'Port' ? Number(value) : value);
};

const cluster: Breaker = (account, promised, value, id) => {
  const [property, name] = promised.path;
  if (property === 'Tags') {
    return tagDatabase(account, promised, value, arnOf(account, 'cluster', id));
  }
  if (property === 'ServerlessV2ScalingConfiguration') {
    return account.set('rds', ['clusters', id, 'serverless_v2_scaling_configuration', name], value);
  }
  const key = property === 'EnableIAMDatabaseAuthentication' ? 'iam_auth' : snake(property);
  return account.set('rds', ['clusters', id, key], value);
};

const parameterGroup =
  (groups: string): Breaker =>
  (account, { path }, value, id) =>
    account.set('rds', [groups, id, 'parameters', path[1], 'ParameterValue'], value);

const subnetGroup: Breaker = async (account, _promised, _value, DBSubnetGroupName) => {
  const { rds } = account.clients;
  const { DBSubnetGroups } = await rds.send(new DescribeDBSubnetGroupsCommand({ DBSubnetGroupName }));
  const was = DBSubnetGroups![0].Subnets!.map((one) => one.SubnetIdentifier!);
  const put = (SubnetIds: string[]) => rds.send(new ModifyDBSubnetGroupCommand({ DBSubnetGroupName, SubnetIds }));
  await put(account.publicSubnets);
  return () => put(was);
};

const secret: Breaker = (account, { path, value: was }, value, SecretId) => {
  const put = (Value: string) =>
    account.clients.secrets.send(new TagResourceCommand({ SecretId, Tags: [{ Key: path.slice(1).join('.'), Value }] }));
  return retag(put, was, value);
};

/** Where the emulator keeps what it only remembers. */
export async function recordedAt(account: Account, type: string): Promise<(string | number)[]> {
  const recorded = await account.aws.recorded();
  return ['recorded', recorded.findIndex((one) => one.type === type)];
}

const cache: Breaker = async (account, { path, logicalId }, value) => {
  const at = [...(await recordedAt(account, 'AWS::ElastiCache::ServerlessCache')), 'properties'];
  if (path[0] !== 'Tags') {
    return account.set('emulator', [...at, ...path], value);
  }
  const tags = account.template.Resources[logicalId].Properties!.Tags as { Key: string }[];
  const index = tags.findIndex(({ Key }) => Key === path[1]);
  return account.set('emulator', [...at, 'Tags', index, 'Value'], value);
};

const balancer: Breaker = async (account, { path, value: was }, value, id) => {
  const [property, name] = path;
  const { elb } = account.clients;
  const at = ['load_balancers', id];
  switch (property) {
    case 'Tags': {
      const put = (Value: string) =>
        elb.send(new AddTagsCommand({ ResourceArns: [id], Tags: [{ Key: path.slice(1).join('.'), Value }] }));
      return retag(put, was, value);
    }
    case 'LoadBalancerAttributes':
      return account.set('elbv2', [...at, 'attrs', name], value);
    case 'SecurityGroups':
      return account.set('elbv2', [...at, 'security_groups'], value);
    case 'Subnets': {
      const put = (Subnets: string[]) => elb.send(new SetSubnetsCommand({ LoadBalancerArn: id, Subnets }));
      await put(account.dataSubnets);
      return () => put(account.publicSubnets);
    }
    default:
      return account.set('elbv2', [...at, 'ip_address_type'], value);
  }
};

const listener: Breaker = (account, { path, logicalId }, value, id) => {
  const { LoadBalancerArn } = account.template.Resources[logicalId].Properties as { LoadBalancerArn: { Ref: string } };
  const at = ['load_balancers', account.ids[LoadBalancerArn.Ref], 'listeners', id];
  switch (path[0]) {
    case 'Certificates':
      return account.set('elbv2', [...at, 'certificates', 0], value);
    case 'DefaultActions':
      return account.set('elbv2', [...at, 'default_actions', 0, ...path.slice(2)], value);
    default:
      return account.set('elbv2', [...at, snake(path[0])], value);
  }
};

const TARGET_KEYS: Record<string, string[]> = {
  HealthCheckPath: ['health_check_path'],
  HealthCheckIntervalSeconds: ['health_check_interval_seconds'],
  HealthCheckTimeoutSeconds: ['health_check_timeout_seconds'],
  HealthyThresholdCount: ['healthy_threshold_count'],
  UnhealthyThresholdCount: ['unhealthy_threshold_count'],
  Matcher: ['matcher', 'HttpCode'],
};

const targetGroup: Breaker = (account, { path }, value, id) =>
  account.set(
    'elbv2',
    ['target_groups', id, ...(path[0] === 'TargetGroupAttributes' ? ['attributes', path[1]] : TARGET_KEYS[path[0]])],
    value,
  );

export const STORE_BREAKERS: Record<string, Breaker> = {
  'AWS::RDS::DBInstance': instance,
  'AWS::RDS::DBCluster': cluster,
  'AWS::RDS::DBParameterGroup': parameterGroup('db_parameter_groups'),
  'AWS::RDS::DBClusterParameterGroup': parameterGroup('db_cluster_parameter_groups'),
  'AWS::RDS::DBSubnetGroup': subnetGroup,
  'AWS::SecretsManager::Secret': secret,
  'AWS::ElastiCache::ServerlessCache': cache,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': balancer,
  'AWS::ElasticLoadBalancingV2::Listener': listener,
  'AWS::ElasticLoadBalancingV2::TargetGroup': targetGroup,
};
