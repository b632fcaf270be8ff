import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  DescribeSecurityGroupRulesCommand,
  IpPermission,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import { TagResourceCommand as TagEcs } from '@aws-sdk/client-ecs';
import {
  DescribeFileSystemPolicyCommand,
  DescribeLifecycleConfigurationCommand,
  DescribeMountTargetSecurityGroupsCommand,
  ModifyMountTargetSecurityGroupsCommand,
  PutFileSystemPolicyCommand,
  PutLifecycleConfigurationCommand,
  TagResourceCommand as TagEfs,
} from '@aws-sdk/client-efs';
import { GetRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { Promised } from '../../doctor/promises';
import { Account, Undo } from './account';
import { Breaker, STORE_BREAKERS } from './break-stores';

type Tree = Record<string, unknown>;

const lowerFirst = (key: string) =>
  ({ EFSVolumeConfiguration: 'efsVolumeConfiguration', FilesystemId: 'fileSystemId', IAM: 'iam' })[key] ??
  (/^[A-Z]/.test(key) ? key[0].toLowerCase() + key.slice(1) : key);

const snake = (key: string) =>
  key
    .replace(/ECS/, 'Ecs')
    .replace(/(?!^)[A-Z]/g, '_$&')
    .toLowerCase();

/** Changes the value at a path in which lists may be keyed by a name in their elements. `null` takes it away. */
export function put(tree: unknown, path: string[], value: unknown): void {
  const [key, ...rest] = path;
  const target = tree as Tree & Tree[];
  let place: string | number = key;
  if (Array.isArray(target) && !/^\d+$/.test(key)) {
    place = (target as Tree[]).findIndex((one) => Object.values(one).includes(key));
    if (place < 0) {
      throw new Error(`Nothing is called ${key} in ${JSON.stringify(target).slice(0, 200)}`);
    }
  }
  if (rest.length > 0) {
    return put(target[place as number], rest, value);
  }
  const element = target[place as number] as unknown;
  if (Array.isArray(target) && typeof element === 'object' && 'value' in (element as Tree)) {
    (element as Tree).value = value;
  } else if (value === null) {
    delete (target as Tree)[place];
  } else {
    (target as Tree)[place] = value;
  }
}

async function breakPolicy(account: Account, path: string[], value: unknown): Promise<Undo> {
  const FileSystemId = account.fileSystemId;
  const { efs } = account.clients;
  const { Policy } = await efs.send(new DescribeFileSystemPolicyCommand({ FileSystemId }));
  const changed = JSON.parse(Policy!) as Tree;
  put(changed, path, value);
  await efs.send(new PutFileSystemPolicyCommand({ FileSystemId, Policy: JSON.stringify(changed) }));
  return () => efs.send(new PutFileSystemPolicyCommand({ FileSystemId, Policy }));
}

async function breakLifecycle(account: Account, path: string[], value: unknown): Promise<Undo> {
  const FileSystemId = account.fileSystemId;
  const { efs } = account.clients;
  const { LifecyclePolicies } = await efs.send(new DescribeLifecycleConfigurationCommand({ FileSystemId }));
  const changed = JSON.parse(JSON.stringify(LifecyclePolicies)) as Tree[];
  put(changed, path, value);
  const kept = changed.filter((one) => Object.keys(one).length > 0);
  await efs.send(new PutLifecycleConfigurationCommand({ FileSystemId, LifecyclePolicies: kept }));
  return () => efs.send(new PutLifecycleConfigurationCommand({ FileSystemId, LifecyclePolicies }));
}

async function breakEfsTag(
  account: Account,
  { path, value: old }: Promised,
  value: unknown,
  id: string,
): Promise<Undo> {
  const tag = (text: unknown) =>
    account.clients.efs.send(
      new TagEfs({ ResourceId: id, Tags: [{ Key: path.slice(1).join('.'), Value: `${text as string}` }] }),
    );
  await tag(value);
  return () => tag(old);
}

const fileSystem: Breaker = async (account, promised, value, id) => {
  const [first, ...rest] = promised.path;
  switch (first) {
    case 'FileSystemPolicy':
      return breakPolicy(account, rest, value);
    case 'LifecyclePolicies':
      return breakLifecycle(account, rest, value);
    case 'FileSystemTags':
      return breakEfsTag(account, promised, value, id);
    case 'BackupPolicy':
      return account.set('efs', ['file_systems_by_id', id, '_backup'], value === 'ENABLED');
    default:
      return account.set('efs', ['file_systems_by_id', id, snake(first)], value);
  }
};

const mountTarget: Breaker = async (account, { path }, _value, id) => {
  const { efs } = account.clients;
  if (path[0] === 'SubnetId') {
    // Where it was, nothing is any more: as if it had been deleted and made elsewhere.
    const undoId = await account.set('efs', ['mount_targets_by_id', id, 'subnet_id'], 'subnet-00000000000000000');
    const undoZone = await account.set('efs', ['mount_targets_by_id', id, 'availability_zone_name'], 'elsewhere');
    return async () => {
      await undoId();
      await undoZone();
    };
  }
  const was = await efs.send(new DescribeMountTargetSecurityGroupsCommand({ MountTargetId: id }));
  const other = account.clients.ec2;
  const rules = await other.send(new DescribeSecurityGroupRulesCommand({}));
  const stranger = rules.SecurityGroupRules!.find((rule) => !Object.values(account.ids).includes(rule.GroupId!))!;
  await efs.send(
    new ModifyMountTargetSecurityGroupsCommand({ MountTargetId: id, SecurityGroups: [stranger.GroupId!] }),
  );
  return () =>
    efs.send(new ModifyMountTargetSecurityGroupsCommand({ MountTargetId: id, SecurityGroups: was.SecurityGroups }));
};

const accessPoint: Breaker = async (account, promised, value, id) => {
  const [first, ...rest] = promised.path;
  const at = ['access_points', id];
  switch (first) {
    case 'AccessPointTags':
      return breakEfsTag(account, promised, value, id);
    case 'PosixUser':
      return account.set('efs', [...at, 'posix_user', ...rest], Number(value));
    case 'RootDirectory':
      return account.set('efs', [...at, 'root_directory', ...rest], value);
    default:
      return account.set('efs', [...at, 'file_system_id'], value);
  }
};

const service: Breaker = async (account, { path, value: old }, value, id) => {
  const one = (await account.services()).find(({ serviceArn }) => serviceArn === id)!;
  const [first, ...rest] = path;
  if (first === 'Tags') {
    const tag = (text: unknown) =>
      account.clients.ecs.send(
        new TagEcs({ resourceArn: id, tags: [{ key: rest.join('.'), value: `${text as string}` }] }),
      );
    await tag(value);
    return () => tag(old);
  }
  const keys = rest.map(lowerFirst);
  const at =
    first === 'ServiceConnectConfiguration'
      ? ['deployments', 0, 'serviceConnectConfiguration', ...keys]
      : [first === 'EnableECSManagedTags' ? 'enable_ecs_managed_tags' : snake(first), ...keys];
  return account.set('ecs', [...account.at(one), ...at], value);
};

const taskDefinition: Breaker = async (account, { path, logicalId }, value) => {
  const arn = account.ids[logicalId];
  const user = (await account.services()).find((one) => one.taskDefinition === arn);
  const keys = path.map((key, index) =>
    /^(Environment|Options)$/.test(path[index - 1] ?? '') ? key : lowerFirst(key),
  );
  if (user) {
    return account.redefine(user.serviceName!, (definition) => put(definition, keys, value));
  }
  return breakScheduled(account, arn, keys, value);
};

/** A task definition that a schedule starts: the schedule is pointed at a changed copy. */
async function breakScheduled(account: Account, arn: string, keys: string[], value: unknown): Promise<Undo> {
  const made = await account.copyDefinition(arn, (definition) => put(definition, keys, value));
  return account.updateSchedule((schedule) => {
    schedule.Target!.EcsParameters!.TaskDefinitionArn = made;
  });
}

const schedule: Breaker = (account, { path }, value) =>
  account.updateSchedule((one) =>
    put(
      one,
      path.map((key) => (key === 'AwsvpcConfiguration' ? 'awsvpcConfiguration' : key)),
      value,
    ),
  );

const logGroup: Breaker = async (account, { value: old }, value, id) => {
  const keep = (days: unknown) =>
    account.clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: id, retentionInDays: days as number }));
  await keep(value);
  return () => keep(old);
};

const backupPlan: Breaker = (account, { path }, value, id) => {
  const [, , , ...rest] = path;
  const keys = rest.map((key) => (key === 'TargetBackupVault' ? 'TargetBackupVaultName' : key));
  return account.set('backup', ['plans', id, 'backup_plan', 'Rules', 0, ...keys], value);
};

const backupSelection: Breaker = async (account, { path }, value) => {
  const recorded = await account.aws.recorded();
  const index = recorded.findIndex(({ type }) => type === 'AWS::Backup::BackupSelection');
  return account.set('emulator', ['recorded', index, 'properties', ...path], value);
};

const rolePolicy: Breaker = async (account, { path, logicalId }, value) => {
  const { Properties } = account.template.Resources[logicalId];
  const [role] = Properties!.Roles as { Ref: string }[];
  return breakInline(account, account.ids[role.Ref], Properties!.PolicyName as string, path.slice(1), value);
};

async function breakInline(
  account: Account,
  RoleName: string,
  PolicyName: string,
  path: string[],
  value: unknown,
): Promise<Undo> {
  const { iam } = account.clients;
  const policy = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  const was = decodeURIComponent(policy.PolicyDocument!);
  const changed = JSON.parse(was) as Tree;
  put(changed, path, value);
  const write = (text: string) => iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: text }));
  await write(JSON.stringify(changed));
  return () => write(was);
}

const role: Breaker = async (account, { path }, value, id) => {
  const [first, name, , ...rest] = path;
  if (first === 'Policies') {
    return breakInline(account, id, name, rest, value);
  }
  if (first === 'ManagedPolicyArns') {
    return account.detachAll(id);
  }
  return account.changeTrust(id, (document) => put(document, path.slice(1), value));
};

/** Any other rule lets in somebody else: as if this one had been removed. */
const ingress: Breaker = async (account, { logicalId }) => {
  const { ec2 } = account.clients;
  const properties = account.template.Resources[logicalId].Properties as Record<string, { 'Fn::GetAtt': [string] }>;
  const GroupId = account.ids[properties.GroupId['Fn::GetAtt'][0]];
  const source = account.ids[properties.SourceSecurityGroupId['Fn::GetAtt'][0]];
  const rule: IpPermission = {
    IpProtocol: 'tcp',
    FromPort: properties.FromPort as unknown as number,
    ToPort: properties.ToPort as unknown as number,
    UserIdGroupPairs: [{ GroupId: source, Description: properties.Description as unknown as string }],
  };
  await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
  return () => ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
};

const everything: IpPermission = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };

const egress: Breaker = async (account, _promised, _value, GroupId) => {
  const { ec2 } = account.clients;
  const closed =
    (
      account.template.Resources[Object.keys(account.ids).find((id) => account.ids[id] === GroupId)!].Properties!
        .SecurityGroupEgress as Tree[]
    )[0].IpProtocol === 'icmp';
  const rule = { GroupId, IpPermissions: [everything] };
  const open = () => ec2.send(new AuthorizeSecurityGroupEgressCommand(rule));
  const shut = () => ec2.send(new RevokeSecurityGroupEgressCommand(rule));
  await (closed ? open() : shut());
  return closed ? shut : open;
};

/** A rule within a load balancer's own group. */
const groupRule: Breaker = async (account, promised, value, GroupId) => {
  const [list, index] = promised.path;
  if (list === 'SecurityGroupEgress') {
    return egress(account, promised, value, GroupId);
  }
  const { ec2 } = account.clients;
  const rules = account.template.Resources[promised.logicalId].Properties![list] as Record<string, string | number>[];
  const { CidrIp, FromPort, ToPort, Description } = rules[Number(index)];
  const rule: IpPermission = {
    ...{ IpProtocol: 'tcp', FromPort: Number(FromPort), ToPort: Number(ToPort) },
    IpRanges: [{ CidrIp: String(CidrIp), Description: String(Description) }],
  };
  await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
  return () => ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
};

const egressRule: Breaker = async (account, { logicalId }) => {
  const { ec2 } = account.clients;
  const properties = account.template.Resources[logicalId].Properties as Record<string, { 'Fn::GetAtt': [string] }>;
  const GroupId = account.ids[properties.GroupId['Fn::GetAtt'][0]];
  const rule: IpPermission = {
    IpProtocol: 'tcp',
    FromPort: properties.FromPort as unknown as number,
    ToPort: properties.ToPort as unknown as number,
    UserIdGroupPairs: [
      {
        GroupId: account.ids[properties.DestinationSecurityGroupId['Fn::GetAtt'][0]],
        Description: properties.Description as unknown as string,
      },
    ],
  };
  await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [rule] }));
  return () => ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: [rule] }));
};

const BREAKERS: Record<string, Breaker> = {
  ...STORE_BREAKERS,
  'AWS::EFS::FileSystem': fileSystem,
  'AWS::EFS::MountTarget': mountTarget,
  'AWS::EFS::AccessPoint': accessPoint,
  'AWS::ECS::Service': service,
  'AWS::ECS::TaskDefinition': taskDefinition,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::Backup::BackupPlan': backupPlan,
  'AWS::Backup::BackupSelection': backupSelection,
  'AWS::IAM::Policy': rolePolicy,
  'AWS::IAM::Role': role,
  'AWS::EC2::SecurityGroupIngress': ingress,
  'AWS::EC2::SecurityGroupEgress': egressRule,
  'AWS::EC2::SecurityGroup': groupRule,
  'AWS::Scheduler::Schedule': schedule,
};

/** Makes one live setting another than the promised one. */
export function breakPromise(account: Account, promised: Promised, value: unknown): Promise<Undo> {
  return BREAKERS[promised.type](account, promised, value, account.ids[promised.logicalId]);
}
