import {
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  Stack,
  StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { Clients } from '../aws/clients';
import { usageError } from '../errors';
import { Calls, NoAnswer } from './calls';
import { Promised, resolve } from './promise';

/** Remembers an answer, and an error as well: what was refused once is not asked again. */
export class Memory {
  private readonly answers = new Map<string, Promise<unknown>>();

  public once<T>(key: string, request: () => Promise<T>): Promise<T> {
    if (!this.answers.has(key)) {
      this.answers.set(key, request());
    }
    return this.answers.get(key) as Promise<T>;
  }
}

/** The stack: what it consists of, and what its template promises. */
export class StackFacts {
  private constructor(
    public readonly stack: Stack,
    private readonly summaries: StackResourceSummary[],
    private readonly template: { resources: Record<string, { Type: string; Properties?: object }> } | NoAnswer,
  ) {}

  public static async read(aws: Clients, calls: Calls, name: string): Promise<StackFacts> {
    const stack = await readStack(aws, calls, name);
    const summaries: StackResourceSummary[] = [];
    let NextToken: string | undefined;
    do {
      const page = await required(name, () =>
        calls.ask('cloudformation:ListStackResources', () =>
          aws.cloudFormation.send(new ListStackResourcesCommand({ StackName: name, NextToken })),
        ),
      );
      summaries.push(...(page.StackResourceSummaries ?? []));
      NextToken = page.NextToken;
    } while (NextToken);
    return new StackFacts(
      stack,
      summaries.filter((one) => one.ResourceStatus !== 'DELETE_COMPLETE'),
      await readTemplate(aws, calls, name),
    );
  }

  public get region(): string {
    return this.stack.StackId!.split(':')[3];
  }

  public get account(): string {
    return this.stack.StackId!.split(':')[4];
  }

  public get partition(): string {
    return this.stack.StackId!.split(':')[1];
  }

  /** Physical ids of a type, which need no template. */
  public ids(type: string): string[] {
    return this.summaries.filter((one) => one.ResourceType === type).map((one) => one.PhysicalResourceId!);
  }

  public madeAt(id: string): Date | undefined {
    return this.summaries.find((one) => one.PhysicalResourceId === id)?.LastUpdatedTimestamp;
  }

  /** Resources of a type with what is promised about them. Throws NoAnswer when the template could not be read. */
  public promised(type: string): Promised[] {
    if (this.template instanceof NoAnswer) {
      throw this.template;
    }
    const { resources } = this.template;
    const names = {
      stackName: this.stack.StackName!,
      stackId: this.stack.StackId!,
      parameters: Object.fromEntries(
        (this.stack.Parameters ?? []).map((one) => [one.ParameterKey!, one.ParameterValue!]),
      ),
      resources: Object.fromEntries(
        this.summaries.map((one) => [one.LogicalResourceId!, { type: one.ResourceType!, id: one.PhysicalResourceId! }]),
      ),
    };
    return this.summaries
      .filter((one) => one.ResourceType === type && resources[one.LogicalResourceId!])
      .map((one) => ({
        logicalId: one.LogicalResourceId!,
        type,
        id: one.PhysicalResourceId!,
        madeAt: one.LastUpdatedTimestamp,
        properties: resolve(resources[one.LogicalResourceId!].Properties ?? {}, names) as Record<string, unknown>,
      }));
  }
}

/** Without these two nothing can be looked at. */
async function required<T>(name: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof NoAnswer)) {
      throw error;
    }
    throw usageError(
      name,
      `Nothing can be examined: ${error.message}.`,
      'Attach the policy that `efs-data-layer doctor --print-policy` prints to the identity you use.',
    );
  }
}

async function readStack(aws: Clients, calls: Calls, name: string): Promise<Stack> {
  const answer = await required(name, () =>
    calls.find('cloudformation:DescribeStacks', /^ValidationError$/, undefined, () =>
      aws.cloudFormation.send(new DescribeStacksCommand({ StackName: name })),
    ),
  );
  const stack = answer?.Stacks?.[0];
  if (!stack) {
    throw usageError(
      name,
      'There is no such stack in this account and region.',
      'Pass the name of the stack that holds the data layer, and --region and --profile if it is elsewhere.',
    );
  }
  return stack;
}

async function readTemplate(
  aws: Clients,
  calls: Calls,
  name: string,
): Promise<{ resources: Record<string, { Type: string; Properties?: object }> } | NoAnswer> {
  try {
    const { TemplateBody } = await calls.ask('cloudformation:GetTemplate', () =>
      aws.cloudFormation.send(new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' })),
    );
    const { Resources } = JSON.parse(TemplateBody!) as { Resources: Record<string, { Type: string }> };
    return { resources: Resources };
  } catch (error) {
    if (error instanceof NoAnswer) {
      return error;
    }
    if (error instanceof SyntaxError) {
      return new NoAnswer('the template of the stack is not JSON: it was not made by the CDK');
    }
    throw error;
  }
}
