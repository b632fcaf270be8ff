import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { CloudFormationClient, DescribeStacksCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import { EmulatedAws } from '../../scripts/emulated-aws';

export const STACK = 'EfsDataLayer';

/** A bootstrapped emulated account, and the real `cdk` command with an output folder of its own. */
export class Deployment {
  private constructor(
    public readonly aws: EmulatedAws,
    public readonly out: string,
  ) {}

  public static async start(): Promise<Deployment> {
    const aws = await EmulatedAws.start();
    const deployment = new Deployment(aws, fs.mkdtempSync(path.join(os.tmpdir(), 'deploy-test-')));
    await aws.bootstrap();
    return deployment;
  }

  public async stop(): Promise<void> {
    await this.aws.stop();
    fs.rmSync(this.out, { recursive: true, force: true });
  }

  public async cdk(command: string, ...args: string[]): Promise<{ code: number; output: string }> {
    return this.aws.cdk(command, '--output', path.join(this.out, 'cdk.out'), ...args);
  }

  /** Deploys, and throws with the output when that fails. */
  public async deploy(...flags: string[]): Promise<string> {
    const { code, output } = await this.cdk(
      'deploy',
      '--method=direct',
      '--require-approval',
      'never',
      '--progress',
      'events',
      ...flags,
    );
    if (code !== 0) {
      throw new Error(output);
    }
    return output;
  }

  /** Physical ids of the resources whose type matches, by logical id. */
  public async resources(types: RegExp, stack = STACK): Promise<Record<string, string>> {
    const client = new CloudFormationClient(this.aws.client);
    const { StackResourceSummaries } = await client.send(new ListStackResourcesCommand({ StackName: stack }));
    return Object.fromEntries(
      StackResourceSummaries!
        .filter(({ ResourceType }) => types.test(ResourceType!))
        .map(({ LogicalResourceId, PhysicalResourceId }) => [LogicalResourceId!, PhysicalResourceId!]),
    );
  }

  /** The value of the output whose name ends so. */
  public async output(name: string, stack = STACK): Promise<string | undefined> {
    const { Stacks } = await new CloudFormationClient(this.aws.client).send(
      new DescribeStacksCommand({ StackName: stack }),
    );
    return Stacks![0].Outputs!.find(({ OutputKey }) => OutputKey!.replace(/[0-9A-F]{8}$/, '').endsWith(name))
      ?.OutputValue;
  }

  /** The task definition that the stack's output names, as ECS has it. */
  public async taskDefinition(workload: string) {
    const taskDefinition = await this.output(`${workload}TaskDefinitionArn`);
    return (await new ECSClient(this.aws.client).send(new DescribeTaskDefinitionCommand({ taskDefinition })))
      .taskDefinition!;
  }
}
