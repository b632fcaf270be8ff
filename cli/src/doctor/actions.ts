/** Every call the doctor makes, by the name it has in an IAM policy. All of them only read. */
export const ACTIONS = [
  'application-autoscaling:DescribeScalableTargets',
  'backup:GetBackupPlan',
  'backup:GetBackupSelection',
  'backup:ListBackupSelections',
  'backup:ListRecoveryPointsByResource',
  'backup:ListRestoreJobs',
  'cloudformation:DescribeStacks',
  'cloudformation:GetTemplate',
  'cloudformation:ListStackResources',
  'ec2:DescribeSecurityGroupRules',
  'ecs:DescribeServices',
  'ecs:DescribeTaskDefinition',
  'ecs:DescribeTasks',
  'ecs:ListTasks',
  'elasticache:DescribeServerlessCaches',
  'elasticache:ListTagsForResource',
  'elasticfilesystem:DescribeAccessPoints',
  'elasticfilesystem:DescribeBackupPolicy',
  'elasticfilesystem:DescribeFileSystemPolicy',
  'elasticfilesystem:DescribeFileSystems',
  'elasticfilesystem:DescribeLifecycleConfiguration',
  'elasticfilesystem:DescribeMountTargetSecurityGroups',
  'elasticfilesystem:DescribeMountTargets',
  'elasticloadbalancing:DescribeListeners',
  'elasticloadbalancing:DescribeLoadBalancerAttributes',
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeTags',
  'elasticloadbalancing:DescribeTargetGroupAttributes',
  'elasticloadbalancing:DescribeTargetGroups',
  'iam:GetPolicy',
  'iam:GetPolicyVersion',
  'iam:GetRole',
  'iam:GetRolePolicy',
  'iam:ListAttachedRolePolicies',
  'iam:ListRolePolicies',
  'logs:DescribeLogGroups',
  'logs:FilterLogEvents',
  'rds:DescribeDBClusterParameters',
  'rds:DescribeDBClusters',
  'rds:DescribeDBInstances',
  'rds:DescribeDBParameters',
  'rds:DescribeDBSubnetGroups',
  'scheduler:GetSchedule',
  'secretsmanager:DescribeSecret',
] as const;

export type Action = (typeof ACTIONS)[number];

/** The smallest policy with which every check can be made. */
export function doctorPolicy(): object {
  return {
    Version: '2012-10-17',
    Statement: [{ Sid: 'EfsDataLayerDoctor', Effect: 'Allow', Action: [...ACTIONS], Resource: '*' }],
  };
}
