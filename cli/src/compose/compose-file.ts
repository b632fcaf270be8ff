import { asRecord, asRecords, Json } from '../../../lib/checks/internal';
import { usageError } from '../errors';
import { SynthesizedTask, VolumeDirectory } from './tasks';
import { Plain } from './yaml';

/** What the file is made with. */
export interface ComposeOptions {
  /** Where the directories lie, as the file names it: ./data. */
  readonly data: string;
  /** uid:gid of the processes. By default those that the access points write with. */
  readonly user?: string;
}

/** A compose file as data, and the variables that its .env file has to set. */
export interface ComposeFile {
  readonly document: {
    services: { [name: string]: ComposeService };
    volumes: { [name: string]: ComposeService } | undefined;
  };
  /** Name of the variable, and what it is for. */
  readonly variables: Map<string, string>;
  readonly directories: VolumeDirectory[];
}

/** Plain data, as the compose specification has it. */
export type ComposeService = { [key: string]: Plain };

const CONDITIONS: { readonly [ecs: string]: string } = {
  START: 'service_started',
  HEALTHY: 'service_healthy',
  SUCCESS: 'service_completed_successfully',
  COMPLETE: 'service_completed_successfully',
};

/** In a compose file a dollar begins a variable; two are one. */
const literal = (value: string) => value.replace(/\$/g, '$$$$');

/** One service for each container. */
export function composeFile(tasks: SynthesizedTask[], options: ComposeOptions): ComposeFile {
  const variables = new Map<string, string>();
  const services: { [name: string]: ComposeService } = {};
  const scratch = new Map<string, ComposeService>();
  const directories = new Map<string, VolumeDirectory>();
  for (const task of tasks) {
    const volume = [...task.volumes.values()].find((directory) => directory !== undefined)!;
    const user = options.user ?? `${volume.uid}:${volume.gid}`;
    directories.set(volume.directory, volume);
    for (const container of task.containers) {
      services[String(container.Name)] = serviceOf(task, container, user, options.data, variables);
    }
    for (const [name, directory] of task.volumes) {
      if (!directory) {
        // Empty at every start, as the scratch space of a task is: what an earlier keeper left in it opens no gate.
        const [uid, gid = uid] = user.split(':');
        scratch.set(name, {
          driver: 'local',
          driver_opts: { type: 'tmpfs', device: 'tmpfs', o: `uid=${uid},gid=${gid},mode=0750` },
        });
      }
    }
  }
  const document = { services, volumes: scratch.size > 0 ? Object.fromEntries(scratch) : undefined };
  return { document, variables, directories: [...directories.values()] };
}

function serviceOf(
  task: SynthesizedTask,
  container: Json,
  user: string,
  data: string,
  variables: Map<string, string>,
): ComposeService {
  const name = String(container.Name);
  const mounts = asRecords(container.MountPoints);
  const needs = asRecords(container.DependsOn);
  const endsByItself = asRecords(container.PortMappings).length === 0 && !isKept(task);
  const ports = asRecords(container.PortMappings).map(({ ContainerPort }) => Number(ContainerPort));
  return {
    image: imageOf(container, task),
    // It ends by itself: docker compose run, as the schedule does.
    profiles: endsByItself ? [name] : undefined,
    user,
    init: asRecord(container.LinuxParameters).InitProcessEnabled === true ? true : undefined,
    pid: task.pidIsShared && needs.length > 0 ? `service:${String(needs[0].ContainerName)}` : undefined,
    entrypoint: words(container.EntryPoint),
    command: words(container.Command),
    environment: environmentOf(container, !endsByItself, variables),
    ports: ports.length > 0 ? ports.map((port) => `127.0.0.1:${port}:${port}`) : undefined,
    networks: ports.length > 0 && task.aliases.length > 0 ? { default: { aliases: task.aliases } } : undefined,
    depends_on:
      needs.length > 0
        ? Object.fromEntries(
            needs.map(({ ContainerName, Condition }) => [
              String(ContainerName),
              { condition: CONDITIONS[String(Condition)] },
            ]),
          )
        : undefined,
    healthcheck: healthOf(asRecord(container.HealthCheck)),
    stop_grace_period: container.StopTimeout === undefined ? undefined : `${String(container.StopTimeout)}s`,
    volumes: mounts.map(({ SourceVolume, ContainerPath, ReadOnly }) => {
      const directory = task.volumes.get(String(SourceVolume));
      return {
        type: directory ? 'bind' : 'volume',
        source: directory ? `${data}/${directory.directory}` : String(SourceVolume),
        target: String(ContainerPath),
        read_only: ReadOnly === true ? true : undefined,
      };
    }),
  };
}

/** A keeper guards it, in one of its containers. */
function isKept({ containers }: SynthesizedTask): boolean {
  return containers.some(({ Environment }) => asRecords(Environment).some(({ Name }) => Name === 'KEEPER_DIR'));
}

function healthOf({ Command, Interval, Timeout, Retries, StartPeriod }: Json): ComposeService | undefined {
  const seconds = (value: unknown) => (value === undefined ? undefined : `${String(value)}s`);
  return Command === undefined
    ? undefined
    : {
        test: words(Command),
        interval: seconds(Interval),
        timeout: seconds(Timeout),
        retries: Retries === undefined ? undefined : Number(Retries),
        start_period: seconds(StartPeriod),
      };
}

/** Plain values as they are; secrets, and what only AWS knows, by a variable of the .env file. */
function environmentOf(container: Json, required: boolean, variables: Map<string, string>): { [name: string]: string } {
  const environment: { [name: string]: string } = {};
  const later = (variable: string, why: string) => {
    variables.set(variable, `${why} of ${String(container.Name)}`);
    // Compose checks the variables of every service at every command: what is seldom started must not stop the rest.
    environment[variable] = required ? `\${${variable}:?set it in .env}` : `\${${variable}:-}`;
  };
  for (const { Name, Value } of asRecords(container.Environment)) {
    if (typeof Value === 'string') {
      environment[String(Name)] = literal(Value);
    } else {
      later(String(Name), 'known only in AWS: setting');
    }
  }
  for (const { Name } of asRecords(container.Secrets)) {
    later(String(Name), 'secret');
  }
  return environment;
}

function words(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map((word) => literal(String(word))) : undefined;
}

function imageOf({ Image, Name }: Json, task: SynthesizedTask): string {
  if (typeof Image !== 'string') {
    throw usageError(
      `compose, ${task.address}`,
      `The image of ${String(Name)} is known only at deployment: it is built from a directory, or lies in a repository of the stack.`,
      'Push it to a registry and name it with ecs.ContainerImage.fromRegistry().',
    );
  }
  return Image;
}
