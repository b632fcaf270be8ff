import { ListStackResourcesCommand, StackResourceSummary } from '@aws-sdk/client-cloudformation';
import {
  ContainerDefinition,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  Service,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { AccessPointDescription, DescribeAccessPointsCommand } from '@aws-sdk/client-efs';
import { ask, usageError } from '../errors';
import { Session } from './clients';

/** What the user names. */
export interface WorkloadQuery {
  readonly stack: string;
  readonly workload: string;
  /** Of a service that another stack runs. Both or neither. */
  readonly cluster?: string;
  readonly service?: string;
}

/** A workload and the service that runs it, as they are in the account. */
export interface DeployedWorkload {
  /** Its directory without the slash: open-webui. */
  readonly name: string;
  readonly query: WorkloadQuery;
  readonly fileSystemId: string;
  readonly accessPoint: AccessPointDescription;
  readonly cluster: string;
  readonly service: Service;
  readonly taskDefinition: TaskDefinition;
  /** The container that has the directory, and where. The keeper's own container when there is one. */
  readonly container: ContainerDefinition;
  readonly mountPath: string;
  readonly volumeName: string;
}

/** Finds a workload by its directory, and the service by the access point it mounts: names play no part. */
export async function findWorkload(session: Session, query: WorkloadQuery): Promise<DeployedWorkload> {
  const { accessPoint, services } = await candidates(session, query);
  const found: DeployedWorkload[] = [];
  for (const service of services) {
    const workload = await mounting(session, query, accessPoint, service);
    if (workload) {
      found.push(workload);
    }
  }
  if (found.length !== 1) {
    throw usageError(
      query.service ? `--service ${query.service}` : `--stack ${query.stack}`,
      found.length === 0
        ? `None of its ${services.length} service(s) mounts ${accessPoint.RootDirectory!.Path}.`
        : `${found.length} services mount ${accessPoint.RootDirectory!.Path}: ${found.map((one) => one.service.serviceName).join(', ')}.`,
      'Pass --cluster and --service of the one that runs the workload (deploy it first, with -c data-layer:services=true, if nothing does: the one-off task takes network, roles and image from it).',
    );
  }
  return found[0];
}

/**
 * Finds a workload that no service runs, such as evidence: by the task definition of the stack that mounts it. Where its
 * task can run is told by a service that mounts the same file system, whose cluster and network it borrows.
 */
export async function findTaskWorkload(session: Session, query: WorkloadQuery): Promise<DeployedWorkload> {
  const { resources, accessPoint, services } = await candidates(session, query);
  let host: Service | undefined;
  for (const service of services) {
    const definition = await definitionOf(session, service.taskDefinition!);
    const volumes = definition.volumes?.map((one) => one.efsVolumeConfiguration?.fileSystemId) ?? [];
    host = host ?? (volumes.includes(accessPoint.FileSystemId) ? service : undefined);
  }
  if (!host) {
    throw usageError(
      query.service ? `--service ${query.service}` : `--stack ${query.stack}`,
      `None of its ${services.length} service(s) mounts the file system ${accessPoint.FileSystemId}.`,
      'Pass --cluster and --service of one that does (deploy it first, with -c data-layer:services=true, if nothing does: the one-off task takes cluster and network from it).',
    );
  }
  for (const arn of idsOf(resources, 'AWS::ECS::TaskDefinition')) {
    const workload = mountedBy(query, accessPoint, host, await definitionOf(session, arn));
    if (workload) {
      return workload;
    }
  }
  throw usageError(
    `--workload ${query.workload}`,
    `No task definition of the stack ${query.stack} mounts ${accessPoint.RootDirectory!.Path} to write.`,
    'Pass the stack whose task definition does.',
  );
}

/** The workload's access point, and the services that may run it: all of the stack, or the one that was named. */
async function candidates(session: Session, query: WorkloadQuery) {
  if ((query.cluster === undefined) !== (query.service === undefined)) {
    throw usageError('--cluster, --service', 'One of them is missing.', 'Pass both or neither.');
  }
  const resources = await stackResources(session, query.stack);
  const accessPoint = await findAccessPoint(session, query, resources);
  const services = query.service
    ? await describeServices(session, query.cluster!, [query.service])
    : await servicesOf(session, resources);
  return { resources, accessPoint, services };
}

async function definitionOf(session: Session, arn: string): Promise<TaskDefinition> {
  const { taskDefinition } = await ask(`task definition ${arn}`, () =>
    session.aws.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn })),
  );
  return taskDefinition!;
}

/** What a stack has. */
export async function stackResources(session: Session, stack: string): Promise<StackResourceSummary[]> {
  const resources: StackResourceSummary[] = [];
  let NextToken: string | undefined;
  do {
    const page = await ask(`--stack ${stack}`, () =>
      session.aws.cloudFormation.send(new ListStackResourcesCommand({ StackName: stack, NextToken })),
    );
    resources.push(...(page.StackResourceSummaries ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  return resources.filter((resource) => resource.ResourceStatus !== 'DELETE_COMPLETE');
}

/** The physical ids of what is of a type. */
export function idsOf(resources: StackResourceSummary[], type: string): string[] {
  return resources.filter((one) => one.ResourceType === type).map((one) => one.PhysicalResourceId!);
}

async function findAccessPoint(
  session: Session,
  query: WorkloadQuery,
  resources: StackResourceSummary[],
): Promise<AccessPointDescription> {
  const path = `/${query.workload.replace(/^\//, '')}`;
  const points: AccessPointDescription[] = [];
  for (const AccessPointId of idsOf(resources, 'AWS::EFS::AccessPoint')) {
    const answer = await ask(`access point ${AccessPointId}`, () =>
      session.aws.efs.send(new DescribeAccessPointsCommand({ AccessPointId })),
    );
    points.push(...(answer.AccessPoints ?? []));
  }
  const point = points.find((one) => one.RootDirectory?.Path === path);
  if (!point) {
    const names = points.map((one) => one.RootDirectory!.Path!.slice(1)).sort();
    throw usageError(
      `--workload ${query.workload}`,
      `The stack ${query.stack} has no such workload.`,
      names.length > 0
        ? `It has ${names.join(', ')}.`
        : 'It has no access point at all: pass the stack that holds the data layer.',
    );
  }
  return point;
}

async function servicesOf(session: Session, resources: StackResourceSummary[]): Promise<Service[]> {
  const byCluster = new Map<string, string[]>();
  for (const arn of idsOf(resources, 'AWS::ECS::Service')) {
    // arn:…:service/<cluster>/<service>
    const cluster = arn.split('/').length === 3 ? arn.split('/')[1] : 'default';
    byCluster.set(cluster, [...(byCluster.get(cluster) ?? []), arn]);
  }
  const services: Service[] = [];
  for (const [cluster, arns] of byCluster) {
    services.push(...(await describeServices(session, cluster, arns)));
  }
  return services;
}

/** DescribeServices takes ten at a time. */
async function describeServices(session: Session, cluster: string, services: string[]): Promise<Service[]> {
  const found: Service[] = [];
  for (let start = 0; start < services.length; start += 10) {
    const answer = await ask(`cluster ${cluster}`, () =>
      session.aws.ecs.send(new DescribeServicesCommand({ cluster, services: services.slice(start, start + 10) })),
    );
    const missing = answer.failures?.find((failure) => failure.reason === 'MISSING');
    if (missing) {
      throw usageError(`--service ${missing.arn}`, `It is not in the cluster ${cluster}.`, 'Check the name.');
    }
    found.push(...(answer.services ?? []).filter((service) => service.status === 'ACTIVE'));
  }
  return found;
}

async function mounting(
  session: Session,
  query: WorkloadQuery,
  accessPoint: AccessPointDescription,
  service: Service,
): Promise<DeployedWorkload | undefined> {
  return mountedBy(query, accessPoint, service, await definitionOf(session, service.taskDefinition!));
}

function mountedBy(
  query: WorkloadQuery,
  accessPoint: AccessPointDescription,
  service: Service,
  taskDefinition: TaskDefinition,
): DeployedWorkload | undefined {
  const volume = taskDefinition.volumes?.find(
    (one) => one.efsVolumeConfiguration?.authorizationConfig?.accessPointId === accessPoint.AccessPointId,
  );
  const mountOf = (container: ContainerDefinition) =>
    container.mountPoints?.find((mount) => mount.sourceVolume === volume?.name && !mount.readOnly);
  const holders = (taskDefinition.containerDefinitions ?? []).filter(mountOf);
  const container = holders.find(hasKeeper) ?? holders[0];
  if (!volume || !container) {
    return undefined;
  }
  return {
    name: accessPoint.RootDirectory!.Path!.slice(1),
    query,
    fileSystemId: accessPoint.FileSystemId!,
    accessPoint,
    cluster: service.clusterArn!,
    service,
    taskDefinition,
    container,
    mountPath: mountOf(container)!.containerPath!,
    volumeName: volume.name!,
  };
}

/** The keeper's own settings say that a container runs it, and so that its image has Python. */
export function hasKeeper(container: ContainerDefinition): boolean {
  return container.environment?.some((variable) => variable.name === 'KEEPER_DIR') ?? false;
}
