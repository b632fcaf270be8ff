import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  Service,
  StopTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  AttachRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  ListAttachedRolePoliciesCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GetScheduleCommand, UpdateScheduleCommand, UpdateScheduleCommandInput } from '@aws-sdk/client-scheduler';
import { EmulatedAws } from '../../../../scripts/emulated-aws';
import { Clients, makeClients } from '../../../src/aws/clients';
import { Template } from '../../doctor/promises';

export const STACK = 'EfsDataLayer';

/** Puts back what was changed. */
export type Undo = () => Promise<unknown>;

/** A deployed data layer whose tasks run, their keepers report and their backups are made: all as it should be. */
export class Account {
  public readonly clients: Clients;
  public template!: Template;
  /** Physical ids by logical id. */
  public ids: Record<string, string> = {};
  private readonly out = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-test-'));

  private constructor(public readonly aws: EmulatedAws) {
    // As a user's shell would have it: the clients take all of it from the environment.
    Object.assign(process.env, Object.fromEntries(Object.entries(aws.env).filter(([name]) => name.startsWith('AWS_'))));
    this.clients = makeClients({ region: aws.region });
  }

  public static async start(region = 'us-east-1'): Promise<Account> {
    const account = new Account(await EmulatedAws.start(region));
    try {
      await account.aws.bootstrap();
    } catch (error) {
      await account.stop();
      throw error;
    }
    // Of itself the emulator lets a task end after it was looked at a few times.
    await fetch(`${account.aws.endpoint}/moto-api/state-manager/set-transition`, {
      method: 'POST',
      body: JSON.stringify({ model_name: 'ecs::task', transition: { progression: 'manual', times: 1_000_000 } }),
    });
    return account;
  }

  public async stop(): Promise<void> {
    await this.aws.stop();
    fs.rmSync(this.out, { recursive: true, force: true });
  }

  /** Deploys with the real CDK, then lets the tasks run. */
  public async deploy(...flags: string[]): Promise<void> {
    // They run an older definition, and their cluster may go.
    for (const task of Object.keys(this.tasks)) {
      await this.stopTask(task);
    }
    const out = path.join(this.out, 'cdk.out');
    const { code, output } = await this.aws.cdk(
      ...['deploy', '--method=direct', '--require-approval', 'never', '--output', out, ...flags],
    );
    if (code !== 0) {
      throw new Error(output);
    }
    this.template = JSON.parse(fs.readFileSync(path.join(out, `${STACK}.template.json`), 'utf8')) as Template;
    const { StackResourceSummaries } = await this.clients.cloudFormation.send(
      new ListStackResourcesCommand({ StackName: STACK }),
    );
    this.ids = Object.fromEntries(
      StackResourceSummaries!.map((one) => [one.LogicalResourceId!, one.PhysicalResourceId!]),
    );
    for (const service of await this.services()) {
      await this.runTasks(service);
    }
    await this.makeRecoveryPoint(6);
  }

  /** Changes an object of the emulator in place. */
  public async set(service: string, keys: (string | number)[], value: unknown): Promise<Undo> {
    const change = (body: object) =>
      fetch(`${this.aws.endpoint}/emulator/set`, {
        method: 'POST',
        body: JSON.stringify({ service, region: service === 'iam' ? 'aws' : this.aws.region, path: keys, ...body }),
      });
    const answer = await change(value === undefined ? {} : { value });
    if (!answer.ok) {
      throw new Error(`${service} ${keys.join('.')}: ${await answer.text()}`);
    }
    const { was } = (await answer.json()) as { was?: unknown };
    return () => change(was === undefined ? {} : { value: was });
  }

  /** Logical ids of a type whose name contains the text. */
  public logicalId(type: string, text = ''): string {
    const found = Object.keys(this.template.Resources).find(
      (id) => this.template.Resources[id].Type === type && id.includes(text),
    );
    if (!found) {
      throw new Error(`The stack has no ${type} ${text}.`);
    }
    return found;
  }

  public id(type: string, text = ''): string {
    return this.ids[this.logicalId(type, text)];
  }

  public get fileSystemId(): string {
    return this.id('AWS::EFS::FileSystem');
  }

  public get fileSystemArn(): string {
    return `arn:aws:elasticfilesystem:${this.aws.region}:123456789012:file-system/${this.fileSystemId}`;
  }

  public get cluster(): string {
    return this.id('AWS::ECS::Cluster');
  }

  // -- services and their tasks --

  public async services(): Promise<Service[]> {
    const services = Object.keys(this.ids)
      .filter((id) => this.template.Resources[id]?.Type === 'AWS::ECS::Service')
      .map((id) => this.ids[id]);
    if (services.length === 0) {
      return [];
    }
    return (await this.clients.ecs.send(new DescribeServicesCommand({ cluster: this.cluster, services }))).services!;
  }

  public async service(text: string): Promise<Service> {
    return (await this.services()).find((one) => one.serviceName!.includes(text))!;
  }

  /** Where the emulator keeps a service. */
  public at(service: Service): string[] {
    return ['services', `${this.cluster}:${service.serviceName}`];
  }

  private async runTasks(service: Service): Promise<void> {
    const count = service.desiredCount!;
    await this.set('ecs', [...this.at(service), 'running_count'], count);
    await this.set('ecs', [...this.at(service), 'pending_count'], 0);
    for (const [key, value] of Object.entries({ rolloutState: 'COMPLETED', runningCount: count, pendingCount: 0 })) {
      await this.set('ecs', [...this.at(service), 'deployments', 0, key], value);
    }
    for (let number = 0; number < count; number++) {
      const taskArn = await this.startTask(service, `service:${service.serviceName}`);
      await this.say(service.serviceName!, taskArn, [
        { keeper: 'leased', waited_s: 0, previous: 'none', epoch: 1 },
        { keeper: 'running', pid: 12, epoch: 1 },
        this.heartbeat(service.serviceName!),
      ]);
    }
  }

  /** What a keeper reports every five minutes. */
  public heartbeat(service: string, changed: object = {}): object {
    const journal = service.includes('OpenWebUi') ? { 'webui.db': 'wal' } : {};
    return {
      ...{ keeper: 'heartbeat', heartbeat_s: 0.004, database_bytes: 524288, wal_bytes: 0, filesystem: 'nfs4' },
      ...{ journal, shared_memory: [], snapshot_age_s: 3600, ...changed },
    };
  }

  public async startTask(service: Service, group?: string): Promise<string> {
    const { tasks } = await this.clients.ecs.send(
      new RunTaskCommand({
        cluster: this.cluster,
        taskDefinition: service.taskDefinition,
        launchType: 'FARGATE',
        networkConfiguration: service.networkConfiguration,
        group,
      }),
    );
    const { taskArn } = tasks![0];
    await this.set('ecs', ['tasks', this.cluster, taskArn!, 'health_status'], 'HEALTHY');
    await this.set('ecs', ['tasks', this.cluster, taskArn!, 'started_at'], Date.now() / 1000 - 3600);
    this.tasks[taskArn!] = service.serviceName!;
    return taskArn!;
  }

  /** Services by the tasks that were started for them. */
  public readonly tasks: Record<string, string> = {};

  public async stopTask(task: string): Promise<void> {
    await this.clients.ecs.send(new StopTaskCommand({ cluster: this.cluster, task }));
    delete this.tasks[task];
  }

  public taskOf(service: string): string {
    return Object.keys(this.tasks).find((arn) => this.tasks[arn].includes(service))!;
  }

  /** Undefined when nothing is kept there. */
  private async streamOf(
    service: string,
    taskArn: string,
  ): Promise<{ logGroupName: string; logStreamName: string } | undefined> {
    const one = await this.service(service);
    const { taskDefinition } = await this.clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: one.taskDefinition }),
    );
    const container = taskDefinition!.containerDefinitions!.find((each) =>
      each.environment?.some(({ name }) => name === 'KEEPER_DIR'),
    );
    if (!container) {
      return undefined;
    }
    const options = container.logConfiguration!.options!;
    const id = taskArn.split('/').pop();
    return {
      logGroupName: options['awslogs-group'],
      logStreamName: `${options['awslogs-stream-prefix']}/${container.name}/${id}`,
    };
  }

  /** Writes lines to the log stream of a task, and returns what takes them away. */
  public async say(service: string, taskArn: string, lines: object[]): Promise<Undo> {
    const stream = await this.streamOf(service, taskArn);
    if (!stream) {
      return async () => {};
    }
    const { logGroupName, logStreamName } = stream;
    await this.clients.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName })).catch(() => {});
    const events = ['groups', logGroupName, 'streams', logStreamName, 'events'];
    await this.clients.logs.send(
      new PutLogEventsCommand({
        logGroupName,
        logStreamName,
        logEvents: lines.map((line) => ({
          message: JSON.stringify({ at: new Date().toISOString(), ...line }),
          timestamp: Date.now(),
        })),
      }),
    );
    return async () => {
      // The lines that were added are the last ones.
      await this.set('logs', [...events, -1], undefined);
    };
  }

  // -- what nothing but the hook can do --

  public makeRecoveryPoint(hoursAgo: number, changed: object = {}): Promise<Undo> {
    return this.set(
      'emulator',
      ['recoveryPoints'],
      [
        {
          RecoveryPointArn: `arn:aws:backup:${this.aws.region}:123456789012:recovery-point:1`,
          ResourceArn: this.fileSystemArn,
          CreationDate: Date.now() / 1000 - hoursAgo * 3600,
          Status: 'COMPLETED',
          BackupVaultName: this.id('AWS::Backup::BackupVault'),
          BackupSizeBytes: 1048576,
          ...changed,
        },
      ],
    );
  }

  /** Runs a service on a changed copy of its task definition. */
  public async redefine(text: string, change: (definition: RegisterTaskDefinitionCommandInput) => void): Promise<Undo> {
    const service = await this.service(text);
    const made = await this.copyDefinition(service.taskDefinition!, change);
    const point = async (arn: string) => {
      await this.clients.ecs.send(
        new UpdateServiceCommand({ cluster: this.cluster, service: service.serviceName, taskDefinition: arn }),
      );
      for (const task of Object.keys(this.tasks).filter((one) => this.tasks[one].includes(text))) {
        await this.set('ecs', ['tasks', this.cluster, task, 'task_definition_arn'], arn);
      }
      for (const [key, value] of Object.entries({ taskDefinition: arn, rolloutState: 'COMPLETED' })) {
        await this.set('ecs', [...this.at(service), 'deployments', 0, key], value);
      }
    };
    await point(made);
    return () => point(service.taskDefinition!);
  }

  /** A changed copy of a task definition, registered. */
  public async copyDefinition(
    arn: string,
    change: (definition: RegisterTaskDefinitionCommandInput) => void,
  ): Promise<string> {
    const { taskDefinition } = await this.clients.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
    const copy = JSON.parse(JSON.stringify(taskDefinition)) as RegisterTaskDefinitionCommandInput;
    change(copy);
    return (await this.clients.ecs.send(new RegisterTaskDefinitionCommand(copy))).taskDefinition!.taskDefinitionArn!;
  }

  public async updateSchedule(change: (schedule: UpdateScheduleCommandInput) => void): Promise<Undo> {
    const Name = this.id('AWS::Scheduler::Schedule');
    const { scheduler } = this.clients;
    const write = (schedule: UpdateScheduleCommandInput) => scheduler.send(new UpdateScheduleCommand(schedule));
    const read = async () => {
      const answer = await scheduler.send(new GetScheduleCommand({ Name }));
      // What is only ever read.
      const read = ['$metadata', 'Arn', 'CreationDate', 'LastModificationDate'];
      const schedule = Object.fromEntries(Object.entries(answer).filter(([key]) => !read.includes(key)));
      return schedule as unknown as UpdateScheduleCommandInput;
    };
    const was = await read();
    const changed = await read();
    change(changed);
    await write(changed);
    return () => write(was);
  }

  public async changeTrust(RoleName: string, change: (document: object) => void): Promise<Undo> {
    const { iam } = this.clients;
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    const was = decodeURIComponent(Role!.AssumeRolePolicyDocument!);
    const changed = JSON.parse(was) as object;
    change(changed);
    const write = (text: string) => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: text }));
    await write(JSON.stringify(changed));
    return () => write(was);
  }

  public async detachAll(RoleName: string): Promise<Undo> {
    const { iam } = this.clients;
    const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    for (const { PolicyArn } of AttachedPolicies!) {
      await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    }
    return async () => {
      for (const { PolicyArn } of AttachedPolicies!) {
        await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
      }
    };
  }

  private subnets(kind: string): string[] {
    return Object.keys(this.ids)
      .filter((id) => this.template.Resources[id]?.Type === 'AWS::EC2::Subnet' && id.includes(kind))
      .map((id) => this.ids[id]);
  }

  /** Those of the load balancer and the tasks. */
  public get publicSubnets(): string[] {
    return this.subnets('PublicSubnet');
  }

  /** Those of the databases and the cache. */
  public get dataSubnets(): string[] {
    return this.subnets('DataSubnet');
  }

  /** The id of a security group of the stack. */
  public idOfGroup(text: string): string {
    return this.id('AWS::EC2::SecurityGroup', text);
  }

  public async setAll(service: string, keys: (string | number)[], values: object): Promise<Undo> {
    const undo: Undo[] = [];
    for (const [key, value] of Object.entries(values)) {
      undo.push(await this.set(service, [...keys, key], value));
    }
    return () => Promise.all(undo.map((one) => one()));
  }

  public async setStack(status: string): Promise<Undo> {
    const { Stacks } = await this.clients.cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }));
    return this.set('cloudformation', ['stacks', Stacks![0].StackId!, 'status'], status);
  }

  public makeLogGroup(logGroupName: string): Promise<unknown> {
    const { logs } = this.clients;
    return logs
      .send(new CreateLogGroupCommand({ logGroupName }))
      .then(() => logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 })));
  }

  /** The last heartbeat becomes an old one. */
  public async silence(text: string): Promise<Undo> {
    const { logGroupName, logStreamName } = (await this.streamOf(text, this.taskOf(text)))!;
    return this.set(
      'logs',
      ['groups', logGroupName, 'streams', logStreamName, 'events', -1, 'timestamp'],
      Date.now() - 3600_000,
    );
  }

  /** As if the role had been deleted. */
  public async loseRole(RoleName: string): Promise<Undo> {
    const { Role } = await this.clients.iam.send(new GetRoleCommand({ RoleName }));
    return this.set('iam', ['roles', Role!.RoleId!, 'name'], 'gone');
  }
}
