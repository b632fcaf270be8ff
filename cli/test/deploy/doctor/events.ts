import {
  RegisterScalableTargetCommand,
  DeregisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  AuthorizeSecurityGroupIngressCommand,
  DescribeSecurityGroupsCommand,
  IpPermission,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  CreateAccessPointCommand,
  CreateFileSystemCommand,
  DeleteAccessPointCommand,
  DeleteFileSystemCommand,
  DeleteMountTargetCommand,
  CreateMountTargetCommand,
  DescribeFileSystemPolicyCommand,
  DescribeMountTargetsCommand,
  PutFileSystemPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-efs';
import { DeleteRolePolicyCommand, GetRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { Account, Undo } from './account';

/** Something that went wrong in an account, which no single property of the template says. */
export interface Event {
  readonly what: string;
  readonly finding: string;
  readonly happen: (account: Account) => Promise<Undo>;
}

const CHAT = 'OpenWebUi';

// -- who may mount --

async function withStatements(account: Account, more: object[], keep = true): Promise<Undo> {
  const { efs } = account.clients;
  const FileSystemId = account.fileSystemId;
  const { Policy } = await efs.send(new DescribeFileSystemPolicyCommand({ FileSystemId }));
  const was = JSON.parse(Policy!) as { Statement: object[] };
  const changed = { ...was, Statement: [...(keep ? was.Statement : []), ...more] };
  await efs.send(new PutFileSystemPolicyCommand({ FileSystemId, Policy: JSON.stringify(changed) }));
  return () => efs.send(new PutFileSystemPolicyCommand({ FileSystemId, Policy }));
}

const allow = (Principal: unknown, Action: string | string[], Condition?: object) => ({
  ...{ Effect: 'Allow', Principal, Action, Resource: '*' },
  ...(Condition && { Condition }),
});
const MOUNT = 'elasticfilesystem:ClientMount';
const ROOT = 'elasticfilesystem:ClientRootAccess';

const POLICY: Event[] = [
  {
    what: 'The file-system policy was deleted',
    finding: 'policy-missing',
    happen: (account) => account.set('efs', ['file_systems_by_id', account.fileSystemId, 'file_system_policy'], null),
  },
  {
    what: 'The policy lets anybody mount over the network (the console’s default)',
    finding: 'anonymous-mount',
    happen: (account) =>
      withStatements(account, [
        allow({ AWS: '*' }, [MOUNT, 'elasticfilesystem:ClientWrite'], {
          Bool: { 'elasticfilesystem:AccessedViaMountTarget': 'true' },
        }),
      ]),
  },
  {
    what: 'The policy lets everybody mount, as a bare star',
    finding: 'anonymous-mount',
    happen: (account) => withStatements(account, [allow('*', '*')]),
  },
  {
    what: 'The policy lets every principal but one mount',
    finding: 'anonymous-mount',
    happen: (account) =>
      withStatements(account, [
        {
          Effect: 'Allow',
          NotPrincipal: { AWS: 'arn:aws:iam::123456789012:role/one' },
          NotAction: ROOT,
          Resource: '*',
        },
      ]),
  },
  {
    what: 'The policy gives a role of the account root access',
    finding: 'root-access',
    happen: (account) =>
      withStatements(account, [allow({ AWS: 'arn:aws:iam::123456789012:role/admin' }, [MOUNT, ROOT])]),
  },
  {
    what: 'The policy gives a workload’s role everything, through no access point',
    finding: 'root-access',
    happen: (account) =>
      withStatements(account, [
        allow(
          { AWS: `arn:aws:iam::123456789012:role/${account.id('AWS::IAM::Role', 'OpenWebUiTaskTaskRole')}` },
          'elasticfilesystem:*',
        ),
      ]),
  },
  {
    what: 'The policy lets another account mount',
    finding: 'other-account-mount',
    happen: (account) => withStatements(account, [allow({ AWS: 'arn:aws:iam::999999999999:root' }, MOUNT)]),
  },
  {
    what: 'The policy lets a role mount without an access point',
    finding: 'mount-without-access-point',
    happen: (account) => withStatements(account, [allow({ AWS: 'arn:aws:iam::123456789012:role/reader' }, MOUNT)]),
  },
  {
    what: 'A second statement denies every mount through a mount target',
    finding: 'workload-locked-out',
    happen: (account) =>
      withStatements(account, [
        {
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'elasticfilesystem:Client*',
          Resource: '*',
          Condition: { Bool: { 'elasticfilesystem:AccessedViaMountTarget': 'true' } },
        },
      ]),
  },
  {
    what: 'A second statement denies writing to whoever is not one role',
    finding: 'workload-locked-out',
    happen: (account) =>
      withStatements(account, [
        {
          ...{ Effect: 'Deny', Principal: '*', Action: 'elasticfilesystem:ClientWrite', Resource: '*' },
          Condition: { ArnNotEquals: { 'aws:PrincipalArn': 'arn:aws:iam::123456789012:role/one' } },
        },
      ]),
  },
  {
    what: 'TLS is only asked of those who say that they use none (IfExists, wrong operator)',
    finding: 'plaintext-mount',
    happen: (account) =>
      withStatements(
        account,
        [
          {
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Action: '*',
            Resource: '*',
            Condition: { StringLike: { 'aws:SecureTransport': 'no*' } },
          },
        ],
        false,
      ),
  },
  {
    what: 'The workload’s role lost its right to mount',
    finding: 'workload-locked-out',
    happen: (account) => withoutRolePolicy(account, 'OpenWebUiTaskTaskRole'),
  },
  {
    what: 'A role was deleted',
    finding: 'role-missing',
    happen: (account) => account.loseRole(account.id('AWS::IAM::Role', 'EvidenceScheduleRole')),
  },
  {
    what: 'A workload’s role may mount every access point',
    finding: 'role-mounts-others',
    happen: (account) =>
      extraPolicy(account, 'OpenWebUiTaskTaskRole', [MOUNT, 'elasticfilesystem:ClientWrite'], account.fileSystemArn),
  },
  {
    what: 'A workload’s role has root access',
    finding: 'role-root-access',
    happen: (account) => extraPolicy(account, 'KnowledgeTaskTaskRole', 'elasticfilesystem:*', '*'),
  },
];

async function withoutRolePolicy(account: Account, text: string): Promise<Undo> {
  const { iam } = account.clients;
  const RoleName = account.id('AWS::IAM::Role', text);
  const PolicyName = account.template.Resources[account.logicalId('AWS::IAM::Policy', text)].Properties!
    .PolicyName as string;
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  return () =>
    iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: decodeURIComponent(PolicyDocument!) }));
}

async function extraPolicy(account: Account, text: string, Action: unknown, Resource: string): Promise<Undo> {
  const { iam } = account.clients;
  const named = { RoleName: account.id('AWS::IAM::Role', text), PolicyName: 'by-hand' };
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] });
  await iam.send(new PutRolePolicyCommand({ ...named, PolicyDocument }));
  return () => iam.send(new DeleteRolePolicyCommand(named));
}

// -- file system, mount targets, access points --

async function deleteMountTarget(account: Account): Promise<Undo> {
  const { efs } = account.clients;
  const MountTargetId = account.id('AWS::EFS::MountTarget', 'MountTarget2');
  const { MountTargets } = await efs.send(new DescribeMountTargetsCommand({ MountTargetId }));
  const SecurityGroups = [account.idOfGroup('VolumeSecurityGroup')];
  await efs.send(new DeleteMountTargetCommand({ MountTargetId }));
  return async () => {
    const { FileSystemId, SubnetId, IpAddress } = MountTargets![0];
    const made = await efs.send(new CreateMountTargetCommand({ FileSystemId, SubnetId, IpAddress, SecurityGroups }));
    account.ids[account.logicalId('AWS::EFS::MountTarget', 'MountTarget2')] = made.MountTargetId!;
  };
}

async function extraAccessPoint(account: Account, Path: string, Uid: number): Promise<Undo> {
  const { efs } = account.clients;
  const { AccessPointId } = await efs.send(
    new CreateAccessPointCommand({
      ClientToken: `by-hand-${Uid}-${Date.now()}`,
      FileSystemId: account.fileSystemId,
      PosixUser: { Uid, Gid: Uid },
      RootDirectory: { Path },
    }),
  );
  return () => efs.send(new DeleteAccessPointCommand({ AccessPointId }));
}

const VOLUME: Event[] = [
  { what: 'A mount target was deleted', finding: 'mount-target-missing', happen: deleteMountTarget },
  ...['error', 'creating', 'deleting'].map((state) => ({
    what: `A mount target is in state ${state}`,
    finding: 'mount-target-unhealthy',
    happen: (account: Account) =>
      account.set(
        'efs',
        ['mount_targets_by_id', account.id('AWS::EFS::MountTarget', 'MountTarget1'), 'life_cycle_state'],
        state,
      ),
  })),
  ...['updating', 'error'].map((state) => ({
    what: `The file system is in state ${state}`,
    finding: 'file-system-unavailable',
    happen: (account: Account) =>
      account.set('efs', ['file_systems_by_id', account.fileSystemId, 'life_cycle_state'], state),
  })),
  {
    what: 'Throughput is provisioned',
    finding: 'throughput-mode',
    happen: (account) =>
      account.setAll('efs', ['file_systems_by_id', account.fileSystemId], {
        throughput_mode: 'provisioned',
        provisioned_throughput_in_mibps: 100,
      }),
  },
  {
    what: 'Files move to Archive after 90 days',
    finding: 'lifecycle',
    happen: (account) =>
      account.set(
        'efs',
        ['file_systems_by_id', account.fileSystemId, 'lifecycle_policies'],
        [
          { TransitionToIA: 'AFTER_30_DAYS' },
          { TransitionToArchive: 'AFTER_90_DAYS' },
          { TransitionToPrimaryStorageClass: 'AFTER_1_ACCESS' },
        ],
      ),
  },
  {
    what: 'An access point enters at the root of the file system',
    finding: 'access-point-overlap',
    happen: (account) => extraAccessPoint(account, '/', 1000),
  },
  {
    what: 'An access point is in state error',
    finding: 'access-point-unavailable',
    happen: (account) =>
      account.set('efs', ['access_points', account.id('AWS::EFS::AccessPoint', CHAT), 'life_cycle_state'], 'error'),
  },
  {
    what: 'An access point of root',
    finding: 'access-point-as-root',
    happen: (account) => extraAccessPoint(account, '/admin', 0),
  },
  {
    what: 'A second access point leads into a single writer’s directory',
    finding: 'access-point-overlap',
    happen: (account) => extraAccessPoint(account, '/open-webui/uploads', 1000),
  },
  {
    what: 'The tag that marks a single writer was taken away',
    finding: 'tags',
    happen: async (account) => {
      const { efs } = account.clients;
      const ResourceId = account.id('AWS::EFS::AccessPoint', CHAT);
      await efs.send(new UntagResourceCommand({ ResourceId, TagKeys: ['data-layer:writers'] }));
      return () =>
        efs.send(new TagResourceCommand({ ResourceId, Tags: [{ Key: 'data-layer:writers', Value: 'one' }] }));
    },
  },
  {
    what: 'A file system that a deleted stack left behind',
    finding: 'file-system-left-behind',
    happen: async (account) => {
      const { efs } = account.clients;
      const { FileSystemId } = await efs.send(
        new CreateFileSystemCommand({
          CreationToken: `left-behind-${Date.now()}`,
          Tags: [
            { Key: 'ManagedBy', Value: 'efs-data-layer' },
            {
              Key: 'aws:cloudformation:stack-id',
              Value: `arn:aws:cloudformation:${account.aws.region}:123456789012:stack/EfsDataLayer-dev/gone`,
            },
          ],
        }),
      );
      return () => efs.send(new DeleteFileSystemCommand({ FileSystemId }));
    },
  },
];

// -- network --

/** One more rule of a security group of the stack. */
export async function letIn(account: Account, group: string, rule: IpPermission): Promise<Undo> {
  const { ec2 } = account.clients;
  const named = { GroupId: account.idOfGroup(group), IpPermissions: [rule] };
  await ec2.send(new AuthorizeSecurityGroupIngressCommand(named));
  return () => ec2.send(new RevokeSecurityGroupIngressCommand(named));
}

const nfs = { IpProtocol: 'tcp', FromPort: 2049, ToPort: 2049 };

const NETWORK: Event[] = [
  {
    what: 'NFS is open to the world',
    finding: 'port-open',
    happen: (account) => letIn(account, 'VolumeSecurityGroup', { ...nfs, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }),
  },
  {
    what: 'NFS is open to the VPC, IPv6, in a wider range of ports',
    finding: 'port-open',
    happen: (account) =>
      letIn(account, 'VolumeSecurityGroup', {
        IpProtocol: 'tcp',
        FromPort: 2000,
        ToPort: 3000,
        Ipv6Ranges: [{ CidrIpv6: '::/0' }],
      }),
  },
  {
    what: 'NFS is open to another security group, with every protocol',
    finding: 'port-open',
    happen: async (account) => {
      const { SecurityGroups } = await account.clients.ec2.send(new DescribeSecurityGroupsCommand({}));
      const stranger = SecurityGroups!.find(({ GroupName }) => GroupName === 'default')!;
      return letIn(account, 'VolumeSecurityGroup', {
        IpProtocol: '-1',
        UserIdGroupPairs: [{ GroupId: stranger.GroupId }],
      });
    },
  },
  {
    what: 'Chroma, which has no password, is open to the world',
    finding: 'port-open',
    happen: (account) =>
      letIn(account, 'KnowledgeServiceSecurityGroup', {
        IpProtocol: 'tcp',
        FromPort: 8000,
        ToPort: 8000,
        IpRanges: [{ CidrIp: '0.0.0.0/0' }],
      }),
  },
  {
    what: 'Open WebUI’s port is open to the world',
    finding: 'port-open',
    happen: (account) =>
      letIn(account, 'OpenWebUiServiceSecurityGroup', {
        IpProtocol: 'tcp',
        FromPort: 8080,
        ToPort: 8080,
        IpRanges: [{ CidrIp: '0.0.0.0/0' }],
      }),
  },
];

// -- services and tasks --

async function onService(account: Account, text: string, keys: (string | number)[], value: unknown): Promise<Undo> {
  return account.set('ecs', [...account.at(await account.service(text)), ...keys], value);
}

const hoursAgo = (hours: number) => ({ $time: Date.now() / 1000 - hours * 3600 });

const SERVICES: Event[] = [
  {
    what: 'The service was stopped by hand (0 tasks wanted)',
    finding: 'service-stopped',
    happen: async (account) => {
      const { serviceName } = await account.service(CHAT);
      const want = (desiredCount: number) =>
        account.clients.ecs.send(
          new UpdateServiceCommand({ cluster: account.cluster, service: serviceName, desiredCount }),
        );
      await want(0);
      return () => want(1);
    },
  },
  {
    what: 'No task runs, and the deployment is old',
    finding: 'no-task-running',
    happen: async (account) => {
      const undo = [
        await onService(account, CHAT, ['running_count'], 0),
        await onService(account, CHAT, ['deployments', 0, 'createdAt'], hoursAgo(3)),
        await account.set('ecs', ['tasks', account.cluster, account.taskOf(CHAT), 'desired_status'], 'STOPPED'),
      ];
      return () => Promise.all(undo.map((one) => one()));
    },
  },
  {
    what: 'Two tasks of a single writer run',
    finding: 'two-writers',
    happen: async (account) => {
      const service = await account.service(CHAT);
      const arn = await account.startTask(service, `service:${service.serviceName}`);
      return () => account.stopTask(arn);
    },
  },
  {
    what: 'A task that was started by hand mounts a single writer’s directory',
    finding: 'two-writers',
    happen: async (account) => {
      const arn = await account.startTask(await account.service('Knowledge'));
      return () => account.stopTask(arn);
    },
  },
  {
    what: 'The task is unhealthy',
    finding: 'task-unhealthy',
    happen: (account) =>
      account.set('ecs', ['tasks', account.cluster, account.taskOf(CHAT), 'health_status'], 'UNHEALTHY'),
  },
  {
    what: 'The task runs an older task definition than its service has',
    finding: 'task-outdated',
    happen: async (account) => {
      const old = await account.copyDefinition((await account.service(CHAT)).taskDefinition!, () => {});
      return account.set('ecs', ['tasks', account.cluster, account.taskOf(CHAT), 'task_definition_arn'], old);
    },
  },
  {
    what: 'The last deployment failed',
    finding: 'deployment-failed',
    happen: (account) => onService(account, CHAT, ['deployments', 0, 'rolloutState'], 'FAILED'),
  },
  {
    what: 'The service was deleted',
    finding: 'service-missing',
    happen: (account) => onService(account, 'Knowledge', ['status'], 'INACTIVE'),
  },
  {
    what: 'Auto scaling was attached to a single writer',
    finding: 'auto-scaling',
    happen: async (account) => {
      const { serviceName } = await account.service(CHAT);
      const target = {
        ServiceNamespace: 'ecs' as const,
        ResourceId: `service/${account.cluster}/${serviceName}`,
        ScalableDimension: 'ecs:service:DesiredCount' as const,
      };
      const { autoScaling } = account.clients;
      await autoScaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 4 }));
      return () => autoScaling.send(new DeregisterScalableTargetCommand(target));
    },
  },
  {
    what: 'Deployments are made by CodeDeploy, which runs two versions side by side',
    finding: 'deployment-overlap',
    happen: (account) => onService(account, CHAT, ['deployment_controller'], { type: 'CODE_DEPLOY' }),
  },
  {
    what: 'Deployments are blue/green',
    finding: 'deployment-overlap',
    happen: (account) => onService(account, CHAT, ['deployment_configuration', 'strategy'], 'BLUE_GREEN'),
  },
  {
    what: 'A deployment alarm rolls back',
    finding: 'deployment-rollback',
    happen: (account) =>
      onService(account, CHAT, ['deployment_configuration', 'alarms'], {
        alarmNames: ['a'],
        enable: true,
        rollback: true,
      }),
  },
];

// -- task definitions --

const environment =
  (name: string, value: string, text = CHAT) =>
  (account: Account) =>
    account.redefine(text, (definition) => {
      const variables = definition.containerDefinitions![0].environment!;
      const known = variables.find((one) => one.name === name);
      if (known) {
        known.value = value;
      } else {
        variables.push({ name, value });
      }
    });

const DEFINITIONS: Event[] = [
  {
    what: 'An absolute path with three slashes: SQLite beside the volume',
    finding: 'sqlite-url',
    happen: environment('DATABASE_URL', 'sqlite:///mnt/open-webui/webui.db'),
  },
  {
    what: 'The database is opened without unix-excl',
    finding: 'sqlite-url',
    happen: environment('DATABASE_URL', 'sqlite:////mnt/open-webui/webui.db'),
  },
  {
    what: 'The database lies outside the mount',
    finding: 'sqlite-url',
    happen: environment('DATABASE_URL', 'sqlite:///file:/app/backend/data/webui.db?vfs=unix-excl&uri=true'),
  },
  {
    what: 'DATA_DIR is not on the volume',
    finding: 'environment-drift',
    happen: environment('DATA_DIR', '/app/backend/data'),
  },
  {
    what: 'A variable was added',
    finding: 'environment-drift',
    happen: environment('OPENAI_API_BASE_URL', 'https://example.org'),
  },
  {
    what: 'A secret stands in the environment',
    finding: 'secret-in-environment',
    happen: environment('OPENAI_API_KEY', 'sk-0000000000'),
  },
  {
    what: 'SQLite files may be opened by anybody',
    finding: 'keeper-settings',
    happen: environment('KEEPER_EXCLUSIVE', '0'),
  },
  {
    what: 'The image is called latest',
    finding: 'image-not-pinned',
    happen: (account) =>
      account.redefine(
        CHAT,
        (definition) => (definition.containerDefinitions![0].image = 'ghcr.io/open-webui/open-webui:latest'),
      ),
  },
  {
    what: 'The image has no tag',
    finding: 'image-not-pinned',
    happen: (account) =>
      account.redefine(
        'Knowledge',
        (definition) => (definition.containerDefinitions![0].image = 'ghcr.io/chroma-core/chroma'),
      ),
  },
  {
    what: 'The keeper beside the server was removed',
    finding: 'keeper-removed',
    happen: (account) => account.redefine('Knowledge', (definition) => definition.containerDefinitions!.pop()),
  },
  {
    what: 'The health check was removed',
    finding: 'health-check',
    happen: (account) => account.redefine(CHAT, (definition) => delete definition.containerDefinitions![0].healthCheck),
  },
  {
    what: 'The stop timeout was removed: 30 s',
    finding: 'stop-timeout',
    happen: (account) => account.redefine(CHAT, (definition) => delete definition.containerDefinitions![0].stopTimeout),
  },
  {
    what: 'The volume was removed',
    finding: 'mount-point',
    happen: (account) =>
      account.redefine(CHAT, (definition) => {
        definition.volumes = [];
        definition.containerDefinitions![0].mountPoints = [];
      }),
  },
  {
    what: 'The volume is mounted with a root directory instead of an access point',
    finding: 'volume-other-access-point',
    happen: (account) =>
      account.redefine(CHAT, (definition) => {
        const volume = definition.volumes![0].efsVolumeConfiguration!;
        delete volume.authorizationConfig;
        volume.rootDirectory = '/open-webui';
      }),
  },
  {
    what: 'A secret that the task reads does not exist',
    finding: 'secret-missing',
    happen: (account) =>
      account.redefine(CHAT, (definition) => {
        definition.containerDefinitions![0].secrets = [
          {
            name: 'OPENAI_API_KEY',
            valueFrom: `arn:aws:secretsmanager:${account.aws.region}:123456789012:secret:openai-AbCdEf`,
          },
        ];
      }),
  },
];

// -- backup, restores, logs --

const BACKUP: Event[] = [
  {
    what: 'There is no recovery point, and the file system is old',
    finding: 'recovery-point-missing',
    happen: async (account) => {
      const undo = [
        await account.set('emulator', ['recoveryPoints'], []),
        await account.set(
          'efs',
          ['file_systems_by_id', account.fileSystemId, 'creation_time'],
          Date.now() / 1000 - 90 * 3600,
        ),
      ];
      return () => Promise.all(undo.map((one) => one()));
    },
  },
  {
    what: 'The newest recovery point is three days old',
    finding: 'recovery-point-old',
    happen: (account) => account.makeRecoveryPoint(72),
  },
  {
    what: 'The last backups did not complete',
    finding: 'recovery-point-missing',
    happen: async (account) => {
      const undo = [
        await account.makeRecoveryPoint(6, { Status: 'PARTIAL' }),
        await account.set(
          'efs',
          ['file_systems_by_id', account.fileSystemId, 'creation_time'],
          Date.now() / 1000 - 90 * 3600,
        ),
      ];
      return () => Promise.all(undo.map((one) => one()));
    },
  },
  {
    what: 'The backup selection was deleted',
    finding: 'backup-selection',
    happen: async (account) => {
      const recorded = await account.aws.recorded();
      const index = recorded.findIndex(({ type }) => type === 'AWS::Backup::BackupSelection');
      return account.set('emulator', ['recorded', index, 'type'], 'deleted');
    },
  },
  {
    what: 'The backup plan was deleted',
    finding: 'backup-plan',
    happen: (account) =>
      account.set('backup', ['plans', account.id('AWS::Backup::BackupPlan'), 'deletion_date'], Date.now() / 1000),
  },
  {
    what: 'A restore left its directory on the volume',
    finding: 'restored-directory',
    happen: (account) =>
      account.set(
        'emulator',
        ['restoreJobs'],
        [
          {
            ...{
              RestoreJobId: 'job-1',
              Status: 'COMPLETED',
              ResourceType: 'EFS',
              CreatedResourceArn: account.fileSystemArn,
            },
            ...{
              CreationDate: Date.now() / 1000 - 7200,
              CompletionDate: Date.now() / 1000 - 3600,
              RecoveryPointArn: 'arn:aws:backup:x',
            },
          },
        ],
      ),
  },
  {
    what: 'Logs are kept for ever',
    finding: 'log-retention',
    happen: async (account) => {
      const logGroupName = account.id('AWS::Logs::LogGroup', CHAT);
      await account.clients.logs.send(new DeleteRetentionPolicyCommand({ logGroupName }));
      return () => account.clients.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 }));
    },
  },
  {
    what: 'The log group was deleted',
    finding: 'log-group-missing',
    happen: async (account) => {
      // The evidence collector's: of the others the lines would be lost with it.
      const logGroupName = account.id('AWS::Logs::LogGroup', 'Evidence');
      await account.clients.logs.send(new DeleteLogGroupCommand({ logGroupName }));
      return () => account.makeLogGroup(logGroupName);
    },
  },
  {
    what: 'The stack’s last update failed and could not be rolled back',
    finding: 'stack-failed',
    happen: (account) => account.setStack('UPDATE_ROLLBACK_FAILED'),
  },
];

// -- what the keeper says --

const says = (what: string, finding: string, line: object, text = CHAT): Event => ({
  what: `The keeper says: ${what}`,
  finding,
  happen: async (account) => account.say(text, account.taskOf(text), [line]),
});

const beats = (what: string, finding: string, changed: object): Event => ({
  what: `The keeper reports: ${what}`,
  finding,
  happen: async (account) => account.say(CHAT, account.taskOf(CHAT), [account.heartbeat(CHAT, changed)]),
});

const KEEPER: Event[] = [
  beats('the rollback journal', 'journal-mode', { journal: { 'webui.db': 'rollback' } }),
  beats('a shared-memory file: not unix-excl', 'shared-memory', { shared_memory: ['webui.db'] }),
  beats('the directory is on a local disk', 'not-nfs', { filesystem: 'overlay' }),
  beats('a heartbeat took 20 s', 'slow-volume', { heartbeat_s: 20 }),
  beats('the newest snapshot is three days old', 'snapshot-old', { snapshot_age_s: 3 * 86400 }),
  beats('the WAL grew to 2 GiB', 'wal-large', { wal_bytes: 2 * 1024 ** 3 }),
  says('a store failed its check', 'store-damaged', {
    keeper: 'damaged',
    message: 'webui.db failed its check',
    store: 'webui.db',
  }),
  says('an older image was refused', 'keeper-refused', { keeper: 'refused', message: 'webui.db is at schema x' }),
  says('another task holds the lease', 'lease-contended', {
    keeper: 'busy',
    message: 'Another owner holds it',
    holder: 'task/2',
  }),
  says('it waits for the lease', 'lease-contended', { keeper: 'waiting', waited_s: 45, holder: 'task/2' }),
  says('the lease was lost', 'lease-lost', { keeper: 'lost', message: 'Lease lost', epoch: 1 }),
  says('a snapshot failed its check', 'snapshot-failed', {
    keeper: 'snapshot-failed',
    store: 'webui.db',
    message: 'The copy failed its check',
  }),
  says('the volume has no room for a snapshot', 'snapshot-failed', {
    keeper: 'snapshot-skipped',
    store: 'webui.db',
    message: 'no room',
  }),
  says('a check ended early', 'check-partial', { keeper: 'check-partial', file: 'webui.db', message: 'ended early' }),
  says('the schema is not guarded', 'schema-unguarded', {
    keeper: 'schema-unguarded',
    message: 'KEEPER_MIGRATIONS is wrong',
  }),
  says(
    'vectors are not protected',
    'vectors-unprotected',
    { keeper: 'vectors-unprotected', store: 'chroma/', message: 'x' },
    'Knowledge',
  ),
  says(
    'it may not signal the application',
    'keeper-powerless',
    { keeper: 'powerless', message: 'The keeper may not signal' },
    'Knowledge',
  ),
  says('the volume failed', 'volume-failed', { keeper: 'failed', message: 'The volume failed: EIO' }),
  {
    what: 'The keeper has been silent for an hour',
    finding: 'keeper-silent',
    happen: (account) => account.silence(CHAT),
  },
];

export const EVENTS: Event[] = [...POLICY, ...VOLUME, ...NETWORK, ...SERVICES, ...DEFINITIONS, ...BACKUP, ...KEEPER];
