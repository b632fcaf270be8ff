import { ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTaskDefinitionCommand, TaskDefinition } from '@aws-sdk/client-ecs';
import { DescribeAccessPointsCommand } from '@aws-sdk/client-efs';
import { ACCESS_POINT, CLUSTER, FakeAccount, SERVICE, TASK_DEFINITION } from './fake-account';

export const ARN = 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/evidence:3';
const POINT = { ...ACCESS_POINT, AccessPointId: 'fsap-0000000000000001e', RootDirectory: { Path: '/evidence' } };
const [CHAT_CONTAINER] = TASK_DEFINITION.containerDefinitions!;
export const EVIDENCE: TaskDefinition = {
  ...TASK_DEFINITION,
  taskDefinitionArn: ARN,
  family: 'evidence',
  cpu: '256',
  memory: '512',
  volumes: [
    {
      name: 'efs-evidence',
      efsVolumeConfiguration: {
        fileSystemId: POINT.FileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: POINT.AccessPointId, iam: 'ENABLED' },
      },
    },
  ],
  containerDefinitions: [
    {
      ...CHAT_CONTAINER,
      name: 'evidence',
      environment: [],
      mountPoints: [{ sourceVolume: 'efs-evidence', containerPath: '/mnt/evidence', readOnly: false }],
    },
  ],
};

/** An account whose stack has the evidence workload too: a task definition that no service runs. */
export function fakeEvidenceAccount(lines: string[], exitCode = 0, more: [string, string][] = []): FakeAccount {
  const account = new FakeAccount({ tasks: [{ lines, exitCode }] });
  account.cloudFormation.on(ListStackResourcesCommand).resolves(resources(more));
  account.efs.on(DescribeAccessPointsCommand).callsFake(({ AccessPointId }) => ({
    AccessPoints: [ACCESS_POINT, POINT].filter((point) => point.AccessPointId === AccessPointId),
  }));
  account.ecs
    .on(DescribeTaskDefinitionCommand)
    .callsFake(({ taskDefinition }) => ({ taskDefinition: taskDefinition === ARN ? EVIDENCE : TASK_DEFINITION }));
  return account;
}

function resources(more: [string, string][]) {
  const found: [string, string][] = [
    ['AWS::EFS::AccessPoint', ACCESS_POINT.AccessPointId],
    ['AWS::EFS::AccessPoint', POINT.AccessPointId],
    ['AWS::ECS::Service', `${CLUSTER.replace(':cluster/', ':service/')}/${SERVICE}`],
    ['AWS::ECS::TaskDefinition', TASK_DEFINITION.taskDefinitionArn!],
    ['AWS::ECS::TaskDefinition', ARN],
    ...more,
  ];
  return {
    StackResourceSummaries: found.map(([ResourceType, PhysicalResourceId]) => ({
      ResourceType,
      PhysicalResourceId,
      LogicalResourceId: PhysicalResourceId,
      LastUpdatedTimestamp: new Date(0),
      ResourceStatus: 'CREATE_COMPLETE' as const,
    })),
  };
}
