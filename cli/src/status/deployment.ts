import { GetTemplateCommand, ListStackResourcesCommand, StackResourceSummary } from '@aws-sdk/client-cloudformation';
import { ContainerDefinition, DescribeTaskDefinitionCommand, TaskDefinition } from '@aws-sdk/client-ecs';
import {
  AccessPointDescription,
  DescribeAccessPointsCommand,
  DescribeFileSystemsCommand,
  FileSystemDescription,
} from '@aws-sdk/client-efs';
import { hasKeeper } from '../aws/workload';
import { usageError } from '../errors';
import { pages } from '../aws/pages';
import { ReadClients } from './account';
import { Part, part } from './part';

/** A directory on the volume, and where the task that has it logs to. */
export interface StatusWorkload {
  /** Its directory without the slash: open-webui. */
  readonly name: string;
  readonly logGroup?: string;
  /** Whether a keeper guards it: then its lines say size, snapshots and owner. */
  readonly kept: boolean;
  /** Where its users are once they have left the volume: PostgreSQL. */
  readonly usersIn?: string;
  /** Where its vectors are once they have left the volume: pgvector, s3vector, qdrant. */
  readonly vectorsIn?: string;
}

/** A service of the stack. */
export interface StatusService {
  readonly cluster: string;
  readonly name: string;
}

/** What is deployed, as far as it may be read. */
export interface Deployment {
  readonly fileSystemId: string;
  readonly fileSystem: Part<FileSystemDescription>;
  readonly workloads: Part<StatusWorkload[]>;
  readonly services: StatusService[];
  /** Whether a collection of OpenSearch Serverless is part of the stack. */
  readonly search: boolean;
  readonly template: Part<string>;
}

/** Reads a stack. Without the list of its resources there is nothing to say: that alone ends the command. */
export async function readDeployment(aws: ReadClients, stack: string): Promise<Deployment> {
  const resources = await pages<StackResourceSummary>(async (NextToken) => {
    const page = await aws.cloudFormation.send(new ListStackResourcesCommand({ StackName: stack, NextToken }));
    return { items: page.StackResourceSummaries, token: page.NextToken };
  });
  const idsOf = (type: string) =>
    resources
      .filter(({ ResourceType, ResourceStatus }) => ResourceType === type && ResourceStatus !== 'DELETE_COMPLETE')
      .map(({ PhysicalResourceId }) => PhysicalResourceId!);
  const [fileSystemId] = idsOf('AWS::EFS::FileSystem');
  const points = idsOf('AWS::EFS::AccessPoint');
  if (!fileSystemId && points.length === 0) {
    throw usageError(
      `--stack ${stack}`,
      'It has no file system and no access point.',
      'Pass the stack of the data layer.',
    );
  }
  const accessPoints = part('access points', async () => {
    // An adopted file system is in no stack: its id is known from an access point.
    const FileSystemId = fileSystemId ?? (await accessPointsOf(aws, { AccessPointId: points[0] }))[0].FileSystemId!;
    return accessPointsOf(aws, { FileSystemId });
  });
  const id = fileSystemId ?? (await accessPoints).value?.[0]?.FileSystemId ?? 'unknown';
  const [fileSystem, workloads, template] = await Promise.all([
    part('file system', async () => {
      const { FileSystems } = await aws.efs.send(new DescribeFileSystemsCommand({ FileSystemId: id }));
      return FileSystems![0];
    }),
    part('task definitions', async () => {
      const found = await accessPoints;
      if (found.problem !== undefined) {
        throw new Error(found.problem);
      }
      return workloadsOf(aws, found.value, idsOf('AWS::ECS::TaskDefinition'));
    }),
    part('template', async () => {
      const { TemplateBody } = await aws.cloudFormation.send(new GetTemplateCommand({ StackName: stack }));
      return TemplateBody!;
    }),
  ]);
  const services = idsOf('AWS::ECS::Service').map((arn) => {
    const [, cluster, name] = arn.split('/');
    return { cluster, name };
  });
  const search = idsOf('AWS::OpenSearchServerless::Collection').length > 0;
  return { fileSystemId: id, fileSystem, workloads, services, search, template };
}

async function accessPointsOf(
  aws: ReadClients,
  which: { FileSystemId?: string; AccessPointId?: string },
): Promise<AccessPointDescription[]> {
  return pages(async (NextToken) => {
    const page = await aws.efs.send(new DescribeAccessPointsCommand({ ...which, NextToken }));
    return { items: page.AccessPoints, token: page.NextToken };
  });
}

async function workloadsOf(
  aws: ReadClients,
  points: AccessPointDescription[],
  taskDefinitions: string[],
): Promise<StatusWorkload[]> {
  const tasks = await Promise.all(
    taskDefinitions.map(async (taskDefinition) => {
      const answer = await aws.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
      return answer.taskDefinition!;
    }),
  );
  return points
    .map((point) => {
      const task = tasks.find(({ volumes }) => volumes?.some((volume) => mounts(volume, point)));
      const containers = task?.containerDefinitions ?? [];
      const holder = containers.find(hasKeeper) ?? containers[0];
      return {
        name: point.RootDirectory!.Path!.replace(/^\/+/, ''),
        logGroup: holder?.logConfiguration?.options?.['awslogs-group'],
        kept: holder !== undefined && hasKeeper(holder),
        ...movedTo(containers),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What the settings of Open WebUI say of stores that are not on the volume; of any other application they say nothing. */
function movedTo(containers: ContainerDefinition[]): Pick<StatusWorkload, 'usersIn' | 'vectorsIn'> {
  const environment = new Map(
    containers.flatMap((one) => one.environment ?? []).map(({ name, value }) => [name, value]),
  );
  const vectors = environment.get('VECTOR_DB');
  return {
    usersIn: environment.get('DATABASE_TYPE') === 'postgresql' ? 'PostgreSQL' : undefined,
    vectorsIn: vectors === 'chroma' ? undefined : vectors,
  };
}

function mounts(volume: NonNullable<TaskDefinition['volumes']>[number], point: AccessPointDescription): boolean {
  return volume.efsVolumeConfiguration?.authorizationConfig?.accessPointId === point.AccessPointId;
}
