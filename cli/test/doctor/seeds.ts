import { Promised } from './promises';

/** A promised property, and what the doctor must call it when the live one is different. */
export interface Row {
  /** `*` is one name, `**` at the end is everything below; a name with dots stands in brackets. */
  readonly path: string;
  /** The finding; or `not`, and why the doctor does not judge it. */
  readonly finding?: string;
  readonly not?: string;
  /** The wrong value. Without it one is made up: the opposite, one more, another text. `null` takes the setting away. */
  readonly to?: unknown;
}

const NAME_ONLY = 'A name by which nothing is found and nothing is decided.';
const IDENTITY = 'Part of what the resource is: one with another value is another resource, and this one is missing.';

const CONTAINER = 'ContainerDefinitions.*';

/** What an instance of RDS and a cluster of Aurora have in common. */
const DATABASE: Row[] = [
  { path: 'StorageEncrypted', finding: 'database-not-encrypted' },
  { path: 'BackupRetentionPeriod', finding: 'database-backup', to: 0 },
  { path: 'DeletionProtection', finding: 'database-deletion-protection' },
  { path: 'EngineVersion', finding: 'database-version', to: '17.5' },
  { path: 'Port', finding: 'database-network' },
  { path: 'PreferredBackupWindow', finding: 'database-drift', to: '02:00-03:00' },
  { path: 'PreferredMaintenanceWindow', finding: 'database-drift', to: 'tue:02:00-tue:03:00' },
  { path: 'EnableIAMDatabaseAuthentication', finding: 'database-drift' },
  { path: 'CopyTagsToSnapshot', finding: 'database-drift' },
  { path: 'Engine', not: IDENTITY },
  { path: 'MasterUsername', not: IDENTITY },
  { path: 'MasterUserPassword', not: 'Nobody may ask for a password; that the application gets in is what counts.' },
  { path: 'Tags.*', finding: 'tags' },
];

const PARAMETER_GROUP: Row[] = [
  { path: 'Parameters.[rds.force_ssl]', finding: 'database-plaintext', to: '0' },
  { path: 'Parameters.*', finding: 'database-drift' },
  { path: 'Family', not: IDENTITY },
  { path: 'Description', not: NAME_ONLY },
  { path: 'Tags.*', not: 'A parameter group costs nothing.' },
];

/** By type, the first row that fits counts. A property without a row fails the test. */
export const ROWS: Record<string, Row[]> = {
  'AWS::EFS::FileSystem': [
    { path: 'Encrypted', finding: 'not-encrypted' },
    { path: 'PerformanceMode', finding: 'performance-mode', to: 'maxIO' },
    { path: 'ThroughputMode', finding: 'throughput-mode', to: 'elastic' },
    { path: 'LifecyclePolicies.*.TransitionToIA', finding: 'lifecycle', to: 'AFTER_1_DAY' },
    { path: 'LifecyclePolicies.*.TransitionToPrimaryStorageClass', finding: 'lifecycle', to: null },
    { path: 'BackupPolicy.Status', finding: 'automatic-backup', to: 'ENABLED' },
    { path: 'FileSystemPolicy.Statement.*.Effect', finding: 'plaintext-mount', to: 'Allow' },
    {
      path: 'FileSystemPolicy.Statement.*.Action',
      finding: 'plaintext-mount',
      to: 'elasticfilesystem:ClientRootAccess',
    },
    {
      path: 'FileSystemPolicy.Statement.*.Principal.AWS',
      finding: 'plaintext-mount',
      to: 'arn:aws:iam::123456789012:role/one',
    },
    {
      path: 'FileSystemPolicy.Statement.*.Condition.Bool.aws:SecureTransport',
      finding: 'workload-locked-out',
      to: 'true',
    },
    { path: 'FileSystemPolicy.Version', not: 'Both versions of the policy language mean the same without variables.' },
    { path: 'FileSystemTags.*', finding: 'tags' },
  ],
  'AWS::EFS::MountTarget': [
    { path: 'SubnetId', finding: 'mount-target-missing' },
    { path: 'FileSystemId', not: IDENTITY },
    { path: 'SecurityGroups', finding: 'nfs-blocked' },
  ],
  'AWS::EFS::AccessPoint': [
    { path: 'PosixUser.Uid', finding: 'access-point-identity' },
    { path: 'PosixUser.Gid', finding: 'access-point-identity' },
    { path: 'RootDirectory.Path', finding: 'access-point-directory', to: '/elsewhere' },
    { path: 'RootDirectory.CreationInfo.*', finding: 'access-point-owner', to: '777' },
    { path: 'FileSystemId', finding: 'access-point-missing', to: 'fs-00000000000000000' },
    { path: 'AccessPointTags.*', finding: 'tags' },
  ],
  'AWS::ECS::Service': [
    { path: 'AvailabilityZoneRebalancing', finding: 'zone-rebalancing', to: 'ENABLED' },
    { path: 'DeploymentConfiguration.MaximumPercent', finding: 'deployment-overlap', to: 200 },
    { path: 'DeploymentConfiguration.MinimumHealthyPercent', finding: 'deployment-overlap', to: 100 },
    { path: 'DeploymentConfiguration.DeploymentCircuitBreaker.Enable', finding: 'circuit-breaker' },
    { path: 'DeploymentConfiguration.DeploymentCircuitBreaker.Rollback', finding: 'deployment-rollback' },
    { path: 'DesiredCount', finding: 'several-tasks-wanted', to: 2 },
    { path: 'NetworkConfiguration.AwsvpcConfiguration.*', finding: 'service-network' },
    { path: 'ServiceConnectConfiguration.**', finding: 'service-connect' },
    { path: 'EnableECSManagedTags', finding: 'service-drift' },
    { path: 'EnableExecuteCommand', finding: 'service-drift' },
    { path: 'LaunchType', finding: 'service-drift', to: 'EC2' },
    { path: 'PlatformVersion', finding: 'service-drift', to: '1.3.0' },
    { path: 'PropagateTags', finding: 'service-drift', to: 'NONE' },
    { path: 'Tags.*', finding: 'tags' },
    { path: 'TaskDefinition', not: 'Every property of the task definition has a row of its own.' },
    { path: 'Cluster', not: IDENTITY },
    { path: 'HealthCheckGracePeriodSeconds', finding: 'service-drift' },
    { path: 'LoadBalancers.**', finding: 'service-drift' },
  ],
  'AWS::ECS::TaskDefinition': [
    { path: `${CONTAINER}.Image`, finding: 'image-drift' },
    { path: 'ContainerDefinitions.evidence.EntryPoint', finding: 'command-drift', to: ['sh', '-c'] },
    { path: `${CONTAINER}.EntryPoint`, finding: 'keeper-removed', to: ['sh', '-c'] },
    { path: `${CONTAINER}.Command`, finding: 'command-drift', to: ['sleep', 'infinity'] },
    { path: `${CONTAINER}.Environment.DATABASE_URL`, finding: 'sqlite-url', to: 'sqlite:///data/webui.db' },
    { path: `${CONTAINER}.Environment.DATABASE_ENABLE_SQLITE_WAL`, finding: 'sqlite-settings', to: 'false' },
    { path: `${CONTAINER}.Environment.DATABASE_SQLITE_PRAGMA_SYNCHRONOUS`, finding: 'sqlite-settings', to: 'NORMAL' },
    { path: `${CONTAINER}.Environment.DATABASE_SQLITE_PRAGMA_MMAP_SIZE`, finding: 'sqlite-settings', to: '268435456' },
    { path: `${CONTAINER}.Environment.DATABASE_SQLITE_PRAGMA_BUSY_TIMEOUT`, finding: 'sqlite-settings', to: '5000' },
    { path: `${CONTAINER}.Environment.DATABASE_POOL_SIZE`, finding: 'sqlite-settings', to: '512' },
    { path: `${CONTAINER}.Environment.UVICORN_WORKERS`, finding: 'sqlite-settings', to: '4' },
    { path: `${CONTAINER}.Environment.KEEPER_DIR`, finding: 'keeper-settings', to: '/tmp' },
    { path: `${CONTAINER}.Environment.KEEPER_STORES`, finding: 'keeper-settings', to: 'other.db' },
    { path: `${CONTAINER}.Environment.KEEPER_LOCAL_DIR`, finding: 'keeper-settings' },
    { path: `${CONTAINER}.Environment.KEEPER_MIGRATIONS`, finding: 'keeper-settings' },
    { path: `${CONTAINER}.Environment.KEEPER_IMAGE`, finding: 'keeper-settings' },
    { path: `${CONTAINER}.Environment.KEEPER_METRICS`, finding: 'keeper-settings' },
    { path: `${CONTAINER}.Environment.*`, finding: 'environment-drift' },
    { path: `${CONTAINER}.Secrets.*.ValueFrom`, finding: 'task-definition-drift' },
    { path: `${CONTAINER}.HealthCheck.*`, finding: 'health-check' },
    { path: `${CONTAINER}.StopTimeout`, finding: 'stop-timeout', to: 30 },
    { path: `${CONTAINER}.MountPoints.*.*`, finding: 'mount-point' },
    { path: `${CONTAINER}.LogConfiguration.**`, finding: 'task-definition-drift' },
    { path: `${CONTAINER}.LinuxParameters.Capabilities`, not: 'An empty list: ECS does not return it.' },
    { path: `${CONTAINER}.LinuxParameters.InitProcessEnabled`, finding: 'task-definition-drift' },
    { path: `${CONTAINER}.PortMappings.**`, finding: 'task-definition-drift' },
    { path: `${CONTAINER}.DependsOn.**`, finding: 'task-definition-drift', to: 'COMPLETE' },
    { path: `${CONTAINER}.Essential`, finding: 'task-definition-drift' },
    { path: 'Cpu', finding: 'task-definition-drift', to: '2048' },
    { path: 'Memory', finding: 'task-definition-drift', to: '8192' },
    { path: 'PidMode', finding: 'task-definition-drift', to: null },
    { path: 'NetworkMode', not: 'Fargate takes no other, and a service with a network configuration neither.' },
    {
      path: 'RequiresCompatibilities',
      not: 'What the task definition is checked for when it is registered; the launch type decides.',
    },
    { path: 'RuntimePlatform.CpuArchitecture', finding: 'task-definition-drift', to: 'X86_64' },
    { path: 'RuntimePlatform.OperatingSystemFamily', finding: 'task-definition-drift', to: 'WINDOWS_SERVER_2022_CORE' },
    { path: 'ExecutionRoleArn', finding: 'task-definition-drift', to: 'arn:aws:iam::123456789012:role/other' },
    { path: 'TaskRoleArn', finding: 'task-definition-drift', to: 'arn:aws:iam::123456789012:role/other' },
    { path: 'Family', not: IDENTITY },
    { path: 'Tags.*', not: 'Tasks carry the tags of their service.' },
    { path: 'Volumes.*.EFSVolumeConfiguration.TransitEncryption', finding: 'volume-without-tls', to: 'DISABLED' },
    { path: 'Volumes.*.EFSVolumeConfiguration.AuthorizationConfig.IAM', finding: 'volume-without-iam', to: 'DISABLED' },
    {
      path: 'Volumes.*.EFSVolumeConfiguration.AuthorizationConfig.AccessPointId',
      finding: 'volume-other-access-point',
      to: 'fsap-00000000000000000',
    },
    {
      path: 'Volumes.*.EFSVolumeConfiguration.FilesystemId',
      finding: 'volume-other-file-system',
      to: 'fs-00000000000000000',
    },
    { path: 'Volumes.*.Host', not: 'An empty object: a scratch volume.' },
    { path: 'Volumes.*', not: 'A scratch volume has a name only.' },
  ],
  'AWS::Logs::LogGroup': [
    { path: 'RetentionInDays', finding: 'log-retention', to: 3653 },
    { path: 'Tags.*', not: 'The bill of a log group is attributed by its stack.' },
  ],
  'AWS::Backup::BackupVault': [
    { path: 'BackupVaultName', not: IDENTITY },
    {
      path: 'AccessPolicy.**',
      not: 'It denies deletion beforehand; a recovery point that is missing is what the doctor looks for.',
    },
    { path: 'BackupVaultTags.*', not: 'Recovery points carry the tags of the file system.' },
  ],
  'AWS::Backup::BackupPlan': [
    { path: 'BackupPlan.BackupPlanName', not: NAME_ONLY },
    { path: 'BackupPlan.BackupPlanRule.*.ScheduleExpression', finding: 'backup-plan', to: 'cron(0 16 1 * ? *)' },
    { path: 'BackupPlan.BackupPlanRule.*.TargetBackupVault', finding: 'backup-plan', to: 'Default' },
    { path: 'BackupPlan.BackupPlanRule.*.Lifecycle.*', finding: 'backup-plan' },
    { path: 'BackupPlan.BackupPlanRule.*.*', finding: 'backup-plan' },
    { path: 'BackupPlanTags.*', not: 'A plan costs nothing.' },
  ],
  'AWS::Backup::BackupSelection': [
    {
      path: 'BackupSelection.Resources',
      finding: 'backup-selection',
      to: ['arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0'],
    },
    { path: 'BackupSelection.IamRoleArn', finding: 'backup-selection', to: 'arn:aws:iam::123456789012:role/gone' },
    { path: 'BackupSelection.SelectionName', not: NAME_ONLY },
    { path: 'BackupPlanId', not: IDENTITY },
  ],
  'AWS::IAM::Policy': [
    { path: 'PolicyDocument.Version', not: 'Both versions of the policy language mean the same without variables.' },
    { path: 'PolicyDocument.Statement.*.Effect', finding: 'role-policy', to: 'Deny' },
    { path: 'PolicyDocument.Statement.*.Action', finding: 'role-policy', to: 'dynamodb:GetItem' },
    { path: 'PolicyDocument.Statement.*.Resource', finding: 'role-policy', to: 'arn:aws:s3:::other' },
    { path: 'PolicyDocument.Statement.*.Condition.**', finding: 'role-policy' },
    { path: 'PolicyName', not: IDENTITY },
    { path: 'Roles', not: IDENTITY },
  ],
  'AWS::IAM::Role': [
    {
      path: 'AssumeRolePolicyDocument.Version',
      not: 'Both versions of the policy language mean the same without variables.',
    },
    { path: 'AssumeRolePolicyDocument.Statement.*.Effect', finding: 'role-trust', to: 'Deny' },
    { path: 'AssumeRolePolicyDocument.Statement.*.Action', finding: 'role-trust', to: 'sts:AssumeRoleWithSAML' },
    {
      path: 'AssumeRolePolicyDocument.Statement.*.Principal.Service',
      finding: 'role-trust',
      to: 'lambda.amazonaws.com',
    },
    { path: 'AssumeRolePolicyDocument.Statement.*.Condition.**', finding: 'role-trust' },
    { path: 'ManagedPolicyArns', finding: 'role-policy', to: [] },
    {
      path: 'Policies.*.PolicyDocument.Version',
      not: 'Both versions of the policy language mean the same without variables.',
    },
    { path: 'Policies.*.PolicyDocument.Statement.*.Effect', finding: 'role-policy', to: 'Deny' },
    { path: 'Policies.*.PolicyDocument.Statement.*.Action', finding: 'role-policy', to: 'dynamodb:GetItem' },
    { path: 'Policies.*.PolicyDocument.Statement.*.Resource', finding: 'role-policy', to: 'arn:aws:s3:::other' },
    { path: 'Policies.*.PolicyDocument.Statement.*.Condition.**', finding: 'role-policy' },
    { path: 'Policies.*.PolicyName', not: IDENTITY },
    { path: 'Description', not: NAME_ONLY },
    { path: 'Tags.*', not: 'A role costs nothing.' },
  ],
  'AWS::EC2::SecurityGroupIngress': [
    { path: 'Description', not: NAME_ONLY },
    { path: '*', finding: 'port-blocked' },
  ],
  'AWS::EC2::SecurityGroup': [
    { path: 'SecurityGroupEgress.0.Description', not: NAME_ONLY },
    { path: 'SecurityGroupEgress.0.FromPort', not: 'A rule for no address at all: "nothing may go out".' },
    { path: 'SecurityGroupEgress.0.ToPort', not: 'A rule for no address at all: "nothing may go out".' },
    { path: 'SecurityGroupEgress.0.*', finding: 'egress' },
    { path: 'SecurityGroupIngress.*.Description', not: NAME_ONLY },
    { path: 'SecurityGroupIngress.*.*', finding: 'port-blocked' },
    { path: 'GroupDescription', not: IDENTITY },
    { path: 'VpcId', not: IDENTITY },
    { path: 'Tags.*', not: 'A security group costs nothing.' },
  ],
  'AWS::EC2::SecurityGroupEgress': [
    { path: 'Description', not: NAME_ONLY },
    { path: '*', finding: 'egress' },
  ],
  'AWS::RDS::DBInstance': [
    ...DATABASE,
    { path: 'DBSubnetGroupName', finding: 'database-network', to: 'elsewhere' },
    { path: 'PubliclyAccessible', finding: 'database-public' },
    { path: 'AutoMinorVersionUpgrade', finding: 'database-upgrades' },
    { path: 'DBParameterGroupName', finding: 'database-parameter-group', to: 'default.postgres18' },
    { path: 'VPCSecurityGroups', finding: 'database-network' },
    { path: 'DBInstanceClass', finding: 'database-capacity', to: 'db.r8g.4xlarge' },
    { path: 'MaxAllocatedStorage', finding: 'database-capacity', to: 16384 },
    { path: 'MultiAZ', finding: 'database-capacity' },
    { path: 'StorageType', finding: 'database-capacity', to: 'io2' },
    { path: 'AllocatedStorage', not: 'It grows by itself up to MaxAllocatedStorage, and RDS makes it no smaller.' },
    { path: 'AllowMajorVersionUpgrade', not: 'An argument of the next change of version: RDS does not keep it.' },
    { path: 'DeleteAutomatedBackups', not: 'An argument of its deletion: RDS does not keep it.' },
    { path: 'DBClusterIdentifier', not: IDENTITY },
    { path: 'DBName', not: IDENTITY },
  ],
  'AWS::RDS::DBCluster': [
    ...DATABASE,
    { path: 'DBClusterParameterGroupName', finding: 'database-parameter-group', to: 'default.aurora-postgresql18' },
    { path: 'VpcSecurityGroupIds', finding: 'database-network' },
    { path: 'ServerlessV2ScalingConfiguration.MaxCapacity', finding: 'database-capacity', to: 64 },
    { path: 'ServerlessV2ScalingConfiguration.*', finding: 'database-capacity' },
    { path: 'DBSubnetGroupName', not: IDENTITY },
    { path: 'DatabaseName', not: IDENTITY },
  ],
  'AWS::RDS::DBParameterGroup': PARAMETER_GROUP,
  'AWS::RDS::DBClusterParameterGroup': PARAMETER_GROUP,
  'AWS::RDS::DBSubnetGroup': [
    { path: 'SubnetIds', finding: 'database-network' },
    { path: 'DBSubnetGroupDescription', not: NAME_ONLY },
    { path: 'Tags.*', not: 'A subnet group costs nothing.' },
  ],
  'AWS::SecretsManager::Secret': [
    { path: 'GenerateSecretString.*', not: 'How its value was made, once: what it is now nobody may ask.' },
    { path: 'Description', not: NAME_ONLY },
    { path: 'Tags.*', finding: 'tags' },
  ],
  'AWS::ElastiCache::ServerlessCache': [
    { path: 'CacheUsageLimits.**', finding: 'cache-limits' },
    { path: 'SecurityGroupIds', finding: 'cache-network' },
    { path: 'SnapshotRetentionLimit', finding: 'cache-drift' },
    { path: 'MajorEngineVersion', finding: 'cache-drift' },
    { path: 'Engine', finding: 'cache-drift', to: 'redis' },
    { path: 'Description', not: NAME_ONLY },
    { path: 'ServerlessCacheName', not: IDENTITY },
    { path: 'SubnetIds', not: IDENTITY },
    { path: 'Tags.*', finding: 'tags' },
  ],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': [
    { path: 'LoadBalancerAttributes.[idle_timeout.timeout_seconds]', finding: 'load-balancer-idle-timeout', to: '60' },
    {
      path: 'LoadBalancerAttributes.[routing.http.drop_invalid_header_fields.enabled]',
      finding: 'load-balancer-headers',
      to: 'false',
    },
    {
      path: 'LoadBalancerAttributes.[routing.http.desync_mitigation_mode]',
      finding: 'load-balancer-headers',
      to: 'monitor',
    },
    { path: 'LoadBalancerAttributes.*', finding: 'load-balancer-drift', to: 'true' },
    { path: 'SecurityGroups', finding: 'load-balancer-network' },
    { path: 'Subnets', finding: 'load-balancer-network' },
    { path: 'IpAddressType', finding: 'load-balancer-drift', to: 'dualstack' },
    { path: 'Scheme', not: IDENTITY },
    { path: 'Type', not: IDENTITY },
    { path: 'Tags.*', finding: 'tags' },
  ],
  'AWS::ElasticLoadBalancingV2::Listener': [
    { path: 'Protocol', finding: 'load-balancer-plaintext', to: 'HTTP' },
    { path: 'SslPolicy', finding: 'load-balancer-tls', to: 'ELBSecurityPolicy-2016-08' },
    {
      path: 'Certificates.*.CertificateArn',
      finding: 'load-balancer-tls',
      to: 'arn:aws:acm:us-east-1:123456789012:certificate/other',
    },
    {
      path: 'DefaultActions.*.TargetGroupArn',
      finding: 'load-balancer-target',
      to: 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/other/0',
    },
    { path: 'DefaultActions.*.Type', finding: 'load-balancer-target', to: 'fixed-response' },
    { path: 'Port', finding: 'load-balancer-target', to: 8443 },
    { path: 'LoadBalancerArn', not: IDENTITY },
    { path: 'Tags.*', not: 'A listener costs nothing.' },
  ],
  'AWS::ElasticLoadBalancingV2::TargetGroup': [
    { path: 'HealthCheckPath', finding: 'load-balancer-health-check', to: '/' },
    { path: 'Matcher.HttpCode', finding: 'load-balancer-health-check', to: '200-499' },
    { path: 'HealthCheckIntervalSeconds', finding: 'load-balancer-health-check' },
    { path: 'HealthCheckTimeoutSeconds', finding: 'load-balancer-health-check' },
    { path: 'HealthyThresholdCount', finding: 'load-balancer-health-check' },
    { path: 'UnhealthyThresholdCount', finding: 'load-balancer-health-check' },
    {
      path: 'TargetGroupAttributes.[deregistration_delay.timeout_seconds]',
      finding: 'load-balancer-drift',
      to: '300',
    },
    { path: 'TargetGroupAttributes.[stickiness.enabled]', finding: 'load-balancer-stickiness', to: 'false' },
    { path: 'TargetGroupAttributes.[stickiness.type]', finding: 'load-balancer-stickiness', to: 'app_cookie' },
    { path: 'TargetGroupAttributes.*', finding: 'load-balancer-stickiness' },
    { path: 'Port', not: IDENTITY },
    { path: 'Protocol', not: IDENTITY },
    { path: 'TargetType', not: IDENTITY },
    { path: 'VpcId', not: IDENTITY },
    { path: 'Tags.*', not: 'A target group costs nothing.' },
  ],
  'AWS::Scheduler::Schedule': [
    { path: 'State', finding: 'schedule-off', to: 'DISABLED' },
    { path: 'Description', not: NAME_ONLY },
    { path: 'FlexibleTimeWindow.Mode', not: 'When within the hour a daily run starts decides nothing.' },
    { path: 'Target.RetryPolicy.*', finding: 'schedule-drift' },
    {
      path: 'Target.EcsParameters.TaskDefinitionArn',
      not: 'Every property of the task definition has a row of its own.',
    },
    { path: 'Target.EcsParameters.LaunchType', finding: 'schedule-drift', to: 'EC2' },
    {
      path: 'Target.EcsParameters.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp',
      finding: 'schedule-drift',
      to: 'DISABLED',
    },
    { path: 'Target.EcsParameters.**', finding: 'schedule-drift' },
    { path: 'Target.Arn', finding: 'schedule-drift', to: 'arn:aws:ecs:us-east-1:123456789012:cluster/other' },
    { path: 'Target.RoleArn', finding: 'schedule-drift', to: 'arn:aws:iam::123456789012:role/other' },
    { path: 'ScheduleExpression', finding: 'schedule-drift', to: 'cron(0 6 1 * ? *)' },
    { path: 'ScheduleExpressionTimezone', finding: 'schedule-drift', to: 'Asia/Tokyo' },
  ],
};

/** Types of which the doctor compares nothing, each with the reason. */
export const TYPES_NOT_JUDGED: Record<string, string> = {
  'AWS::EC2::VPC':
    'The network a data layer stands in may be anybody’s; what it needs of it is judged by mount targets and rules.',
  'AWS::EC2::Subnet': 'As the VPC.',
  'AWS::EC2::RouteTable': 'As the VPC.',
  'AWS::EC2::SubnetRouteTableAssociation': 'As the VPC.',
  'AWS::EC2::Route': 'As the VPC; without a way out a task does not start, which is found.',
  'AWS::EC2::InternetGateway': 'As the VPC.',
  'AWS::EC2::VPCGatewayAttachment': 'As the VPC.',
  'AWS::EC2::VPCEndpoint': 'As the VPC.',
  'AWS::ECS::Cluster': 'Nothing of it decides over data.',
  'AWS::S3Vectors::VectorBucket':
    'A name and its encryption, which cannot be changed; who may use it is judged by the policy of the role.',
  'AWS::ServiceDiscovery::HttpNamespace': 'A name; that services use it is judged by service-connect.',
};

export function rowOf(promised: Promised): Row | undefined {
  return ROWS[promised.type]?.find((row) => fits(namesOf(row.path), promised.path));
}

function namesOf(path: string): string[] {
  return path.match(/\[[^\]]+\]|[^.[\]]+/g)!.map((name) => name.replace(/^\[|\]$/g, ''));
}

function fits(pattern: string[], path: string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) {
    return path.length === 0;
  }
  if (head === '**') {
    return path.length > 0;
  }
  return path.length > 0 && (head === '*' || head === path[0]) && fits(rest, path.slice(1));
}

/** A value that is not the promised one. */
export function wrongValue(row: Row, promised: Promised): unknown {
  if (row.to !== undefined) {
    return row.to === promised.value ? `${row.to}0` : row.to;
  }
  const { value } = promised;
  if (typeof value === 'boolean') {
    return !value;
  }
  if (typeof value === 'number') {
    return value + 1;
  }
  if (typeof value === 'string' && /^\d+$/.test(value)) {
    return `${Number(value) + 1}`;
  }
  if (Array.isArray(value)) {
    return value.every((one) => typeof one === 'string') ? [...value.slice(1), 'other'] : ['other'];
  }
  return typeof value === 'string' ? `${value}-other` : 'other';
}
