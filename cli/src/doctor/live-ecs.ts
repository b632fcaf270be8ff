import {
  ContainerDefinition,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  Service,
  Task,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { Clients } from '../aws/clients';
import { hasKeeper } from '../aws/workload';
import { Calls } from './calls';
import { Memory, StackFacts } from './facts';
import { pages } from '../aws/pages';
import { asApi } from './compare';
import { Promised } from './promise';

/** A service of the stack: what is promised, and what there is. Live is undefined when it is gone. */
export interface LiveService {
  readonly promised: Promised;
  readonly name: string;
  readonly cluster: string;
  readonly live?: Service;
}

/** Something that is run: by a service or by a schedule. */
export interface Unit {
  /** For people: the service’s or the schedule’s name. */
  readonly name: string;
  readonly service?: LiveService;
  readonly definition: TaskDefinition;
  /** What the template promises the definition to be, as the API spells it. */
  readonly promised?: Record<string, unknown>;
  readonly promisedArn?: string;
}

/** Names of what a task definition promises, by the type of the stack’s resources. */
const TASK_DEFINITION = 'AWS::ECS::TaskDefinition';

/** Containers of a definition that are guarded: those with a keeper, or with one beside them. */
export function keptContainers(definition: { containerDefinitions?: ContainerDefinition[] }): ContainerDefinition[] {
  const containers = definition.containerDefinitions ?? [];
  return containers.some(hasKeeper) ? containers : [];
}

/** The services, their definitions and their tasks as ECS has them. */
export class LiveEcs {
  constructor(
    private readonly aws: Clients,
    private readonly calls: Calls,
    private readonly stack: StackFacts,
    private readonly memory: Memory,
  ) {}

  public services(): Promise<LiveService[]> {
    return this.memory.once('services', async () => {
      const promised = this.stack.promised('AWS::ECS::Service');
      const found: LiveService[] = [];
      const clusterOf = (id: string) => (id.split('/').length === 3 ? id.split('/')[1] : 'default');
      for (const cluster of new Set(promised.map((one) => clusterOf(one.id)))) {
        const here = promised.filter((one) => clusterOf(one.id) === cluster);
        // DescribeServices takes ten at a time.
        for (let start = 0; start < here.length; start += 10) {
          const some = here.slice(start, start + 10);
          const live = await this.describeServices(cluster, some);
          found.push(
            ...some.map((one) => ({
              promised: one,
              name: one.id.split('/').pop()!,
              cluster,
              live: live.find((service) => service.serviceArn === one.id && service.status === 'ACTIVE'),
            })),
          );
        }
      }
      return found;
    });
  }

  private async describeServices(cluster: string, wanted: Promised[]): Promise<Service[]> {
    const answer = await this.calls.find('ecs:DescribeServices', /^ClusterNotFoundException$/, wanted[0].madeAt, () =>
      this.aws.ecs.send(
        new DescribeServicesCommand({ cluster, services: wanted.map((one) => one.id), include: ['TAGS'] }),
      ),
    );
    return answer?.services ?? [];
  }

  public taskDefinition(arn: string): Promise<TaskDefinition> {
    return this.memory.once(`definition ${arn}`, async () => {
      const answer = await this.calls.ask('ecs:DescribeTaskDefinition', () =>
        this.aws.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn })),
      );
      return answer.taskDefinition!;
    });
  }

  /** The tasks that run in the clusters of the stack’s services, by whomever they were started. */
  public tasks(): Promise<Task[]> {
    return this.memory.once('tasks', async () => {
      const clusters = [...new Set((await this.services()).map((one) => one.cluster))];
      const all = await Promise.all(clusters.map((cluster) => this.tasksOf(cluster)));
      return all.flat();
    });
  }

  private async tasksOf(cluster: string): Promise<Task[]> {
    const arns = await pages(async (nextToken) => {
      const answer = await this.calls.ask('ecs:ListTasks', () =>
        this.aws.ecs.send(new ListTasksCommand({ cluster, desiredStatus: 'RUNNING', nextToken })),
      );
      return { items: answer.taskArns, token: answer.nextToken };
    });
    const tasks: Task[] = [];
    for (let start = 0; start < arns.length; start += 100) {
      const answer = await this.calls.ask('ecs:DescribeTasks', () =>
        this.aws.ecs.send(new DescribeTasksCommand({ cluster, tasks: arns.slice(start, start + 100) })),
      );
      tasks.push(...(answer.tasks ?? []));
    }
    return tasks.filter((task) => task.lastStatus !== 'STOPPED' && task.desiredStatus !== 'STOPPED');
  }

  /** What the template promises of the definition that a service or a schedule should run. */
  public promisedDefinition(arn: unknown): Record<string, unknown> | undefined {
    const promised = this.stack.promised(TASK_DEFINITION).find((one) => one.id === arn);
    return promised && (asApi(promised.properties) as Record<string, unknown>);
  }

  /** A unit for each service that lives. */
  public units(): Promise<Unit[]> {
    return this.memory.once('units', async () => {
      const services = (await this.services()).filter((one) => one.live);
      return Promise.all(
        services.map(async (service) => ({
          name: service.name,
          service,
          definition: await this.taskDefinition(service.live!.taskDefinition!),
          promised: this.promisedDefinition(service.promised.properties.TaskDefinition),
          promisedArn: service.promised.properties.TaskDefinition as string,
        })),
      );
    });
  }
}
