import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';

/**
 * What somebody writes who knows CDK and wants the same resources: no checks, no flags, no outputs, no tags. The
 * yardstick of synth.ts, which stops when the resources differ from those of the data layer.
 */
export function handWrittenStack(app: App, id: string): void {
  const stack = new Stack(app, id);

  const vpc = new ec2.Vpc(stack, 'Vpc', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [
      { name: 'Public', subnetType: ec2.SubnetType.PUBLIC },
      { name: 'Data', subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    ],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    restrictDefaultSecurityGroup: false,
  });
  const fileSystem = new efs.FileSystem(stack, 'FileSystem', {
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    lifecyclePolicy: efs.LifecyclePolicy.AFTER_30_DAYS,
    outOfInfrequentAccessPolicy: efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS,
  });

  const vault = new backup.BackupVault(stack, 'Vault', { removalPolicy: RemovalPolicy.RETAIN });
  const plan = backup.BackupPlan.daily35DayRetention(stack, 'Plan', vault);
  plan.addSelection('Selection', { resources: [backup.BackupResource.fromEfsFileSystem(fileSystem)] });

  for (const [id, image, cpu, memoryLimitMiB] of [
    ['open-webui', 'ghcr.io/open-webui/open-webui:v0.12.4', 1024, 4096],
    ['knowledge', 'ghcr.io/chroma-core/chroma:1.5.9', 512, 2048],
    ['evidence', 'public.ecr.aws/aws-cli/aws-cli:2.36.7', 256, 512],
  ] as const) {
    const accessPoint = fileSystem.addAccessPoint(id, {
      path: `/${id}`,
      posixUser: { uid: '1000', gid: '1000' },
      createAcl: { ownerUid: '1000', ownerGid: '1000', permissions: '750' },
    });
    const task = new ecs.FargateTaskDefinition(stack, `${id}Task`, { cpu, memoryLimitMiB });
    task.addVolume({
      name: 'data',
      efsVolumeConfiguration: {
        fileSystemId: fileSystem.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: accessPoint.accessPointId, iam: 'ENABLED' },
      },
    });
    task.addToTaskRolePolicy(
      new iam.PolicyStatement({
        actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
        resources: [fileSystem.fileSystemArn],
        conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': accessPoint.accessPointArn } },
      }),
    );
    const container = task.addContainer(id, {
      image: ecs.ContainerImage.fromRegistry(image),
      environment: { DATA_DIR: '/mnt/data' },
      logging: ecs.LogDrivers.awsLogs({
        streamPrefix: id,
        logGroup: new logs.LogGroup(stack, `${id}Logs`, { retention: logs.RetentionDays.ONE_MONTH }),
      }),
    });
    container.addMountPoints({ sourceVolume: 'data', containerPath: '/mnt/data', readOnly: false });
  }
}
