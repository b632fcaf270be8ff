import { asRecord, asRecords, Json } from './json';
import { AppTemplate, Resource } from './template';

/** An EFS volume of a task definition. */
export interface EfsVolume {
  readonly name: unknown;
  readonly fileSystem: unknown;
  readonly accessPoint: unknown;
  readonly rootDirectory: unknown;
  readonly transitEncryption: unknown;
  readonly iam: unknown;
}

/** An EFS volume in a container. */
export interface EfsMount {
  readonly container: Json;
  readonly volume: EfsVolume;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Something that starts tasks: a service, a schedule, a rule, a pipe or a state machine. */
export interface Runner {
  readonly resource: Resource;
  readonly taskDefinition: Resource;
  /** How many tasks one run starts; for a service its settings decide. */
  readonly taskCount: unknown;
}

/** Every task definition of the app. */
export function taskDefinitions(app: AppTemplate): Resource[] {
  return app.ofType('AWS::ECS::TaskDefinition');
}

/** The EFS volumes of a task definition. */
export function efsVolumes(taskDefinition: Resource): EfsVolume[] {
  return asRecords(taskDefinition.properties.Volumes)
    .filter((volume) => volume.EFSVolumeConfiguration !== undefined)
    .map((volume) => {
      const efs = asRecord(volume.EFSVolumeConfiguration);
      const authorization = asRecord(efs.AuthorizationConfig);
      return {
        name: volume.Name,
        fileSystem: efs.FilesystemId,
        accessPoint: authorization.AccessPointId,
        rootDirectory: efs.RootDirectory,
        transitEncryption: efs.TransitEncryption,
        iam: authorization.IAM,
      };
    });
}

/** Where the containers of a task definition see EFS volumes. */
export function efsMounts(taskDefinition: Resource): EfsMount[] {
  const volumes = efsVolumes(taskDefinition);
  return asRecords(taskDefinition.properties.ContainerDefinitions).flatMap((container) =>
    asRecords(container.MountPoints).flatMap((mount) =>
      volumes
        .filter((volume) => volume.name === mount.SourceVolume)
        .map((volume) => ({
          container,
          volume,
          path: String(mount.ContainerPath),
          readOnly: mount.ReadOnly === true || mount.ReadOnly === 'true',
        })),
    ),
  );
}

/** Finds everything that starts tasks of a task definition in this app. */
export function runners(app: AppTemplate): Runner[] {
  return app.resources.flatMap((resource) =>
    startedBy(resource).flatMap(({ taskDefinition, taskCount }) =>
      named(app, taskDefinition).map((target) => ({ resource, taskDefinition: target, taskCount })),
    ),
  );
}

function startedBy({ type, properties }: Resource): { taskDefinition: unknown; taskCount?: unknown }[] {
  const parameters = (value: unknown) => {
    const { TaskDefinitionArn, TaskCount } = asRecord(value);
    return { taskDefinition: TaskDefinitionArn, taskCount: TaskCount };
  };
  switch (type) {
    case 'AWS::ECS::Service':
    case 'AWS::ECS::TaskSet':
      return [{ taskDefinition: properties.TaskDefinition }];
    case 'AWS::Scheduler::Schedule':
      return [parameters(asRecord(properties.Target).EcsParameters)];
    case 'AWS::Events::Rule':
      return asRecords(properties.Targets).map((target) => parameters(target.EcsParameters));
    case 'AWS::Pipes::Pipe':
      return [parameters(asRecord(properties.TargetParameters).EcsTaskParameters)];
    case 'AWS::StepFunctions::StateMachine':
      return [{ taskDefinition: [properties.DefinitionString, properties.Definition] }];
    default:
      return [];
  }
}

/** A task definition is named by a reference, by an ARN that holds one, or by its family. */
function named(app: AppTemplate, value: unknown): Resource[] {
  const referenced = new Set(app.references(value).map(({ key }) => key));
  const family = typeof value === 'string' ? /(?:^|task-definition\/)([^:/]+)(?::\d+)?$/.exec(value)?.[1] : undefined;
  return taskDefinitions(app).filter(
    ({ key, properties }) => referenced.has(key) || (family !== undefined && properties.Family === family),
  );
}
