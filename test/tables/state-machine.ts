import jsonata from 'jsonata';

/** Runs one task; throws what the service would answer with. */
export type RunTask = (resource: string, args: Record<string, unknown>) => Promise<unknown>;

/** How an execution ended. */
export interface Outcome {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  /** The states in the order they were entered. */
  readonly entered: string[];
}

interface State {
  readonly Type: string;
  readonly [field: string]: unknown;
}

interface Machine {
  readonly QueryLanguage?: string;
  readonly StartAt: string;
  readonly States: { readonly [name: string]: State };
}

class Failed extends Error {
  constructor(
    public readonly error: string,
    public readonly cause: string,
  ) {
    super(cause);
  }
}

/**
 * The part of the Amazon States Language that the load uses, with JSONata evaluated by the reference implementation.
 * Unknown types and fields are errors: what is not interpreted must not pass for tested.
 */
const FIELDS: { [type: string]: string[] } = {
  Pass: ['Assign', 'Output', 'Next', 'End'],
  Choice: ['Choices', 'Default', 'Assign'],
  Task: ['Resource', 'Arguments', 'Assign', 'Output', 'Retry', 'TimeoutSeconds', 'Next', 'End'],
  Map: ['Items', 'MaxConcurrency', 'ItemProcessor', 'Next', 'End'],
  Fail: ['Error', 'Cause'],
  Succeed: [],
};

export class Interpreter {
  private readonly entered: string[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly context: object,
    private readonly runTask: RunTask,
  ) {
    if (machine.QueryLanguage !== 'JSONata') {
      throw new Error(`${machine.QueryLanguage} is not interpreted`);
    }
  }

  public async execute(input: unknown): Promise<Outcome> {
    try {
      const output = await this.run(this.machine, input, {});
      return { status: 'SUCCEEDED', output, entered: this.entered };
    } catch (error) {
      if (error instanceof Failed) {
        return { status: 'FAILED', error: error.error, cause: error.cause, entered: this.entered };
      }
      throw error;
    }
  }

  private async run(machine: Machine, first: unknown, outer: object): Promise<unknown> {
    const variables: Record<string, unknown> = {};
    let input = first;
    for (let name = machine.StartAt; ;) {
      const state = machine.States[name];
      const unknown = Object.keys(state).filter((field) => field !== 'Type' && !FIELDS[state.Type]?.includes(field));
      if (unknown.length > 0) {
        throw new Error(`${name}: ${state.Type} with ${unknown.join(', ')} is not interpreted`);
      }
      this.entered.push(name);
      const scope = { ...outer, ...variables };
      const evaluate = (value: unknown, result?: unknown) =>
        this.evaluate(value, { ...scope, states: { input, result, context: this.context } });

      let result: unknown = input;
      switch (state.Type) {
        case 'Fail':
          throw new Failed(String(await evaluate(state.Error)), String(await evaluate(state.Cause)));
        case 'Succeed':
          return input;
        case 'Choice':
          name = await this.choose(state, evaluate);
          continue;
        case 'Task':
          result = await this.task(state, (await evaluate(state.Arguments)) as Record<string, unknown>);
          break;
        case 'Map':
          result = await this.map(state, (await evaluate(state.Items)) as unknown[], scope);
          break;
      }
      // Assign sees the variables as they were, and so does Output.
      const output = 'Output' in state ? await evaluate(state.Output, result) : result;
      Object.assign(variables, await evaluate(state.Assign ?? {}, result));
      input = output;
      if (state.End === true) {
        return output;
      }
      name = state.Next as string;
    }
  }

  private async choose(state: State, evaluate: (value: unknown) => Promise<unknown>): Promise<string> {
    for (const { Condition, Next } of state.Choices as { Condition: string; Next: string }[]) {
      const met = await evaluate(Condition);
      if (typeof met !== 'boolean') {
        throw new Failed('States.QueryEvaluationError', `${Condition} is ${String(met)}, no boolean`);
      }
      if (met) {
        return Next;
      }
    }
    return state.Default as string;
  }

  private async task(state: State, args: Record<string, unknown>): Promise<unknown> {
    const attempts = ((state.Retry as { MaxAttempts: number }[] | undefined)?.[0]?.MaxAttempts ?? 0) + 1;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.runTask(state.Resource as string, args);
      } catch (error) {
        if (attempt === attempts) {
          throw new Failed('States.TaskFailed', (error as Error).message);
        }
      }
    }
  }

  private async map(state: State, items: unknown[], scope: object): Promise<unknown[]> {
    const results: unknown[] = [];
    for (const item of items) {
      results.push(await this.run(state.ItemProcessor as Machine, item, scope));
    }
    return results;
  }

  /** Every text in {% %}, at any depth. An expression without a value fails the state, as in the service. */
  private async evaluate(value: unknown, bindings: Record<string, unknown>): Promise<unknown> {
    if (Array.isArray(value)) {
      return Promise.all(value.map((item) => this.evaluate(item, bindings)));
    }
    if (value !== null && typeof value === 'object') {
      const entries = await Promise.all(
        Object.entries(value).map(async ([key, child]) => [key, await this.evaluate(child, bindings)] as const),
      );
      return Object.fromEntries(entries);
    }
    const expression = typeof value === 'string' && /^\{%([^]*)%\}$/.exec(value)?.[1];
    if (!expression) {
      return value;
    }
    const found: unknown = await jsonata(expression).evaluate(undefined, bindings);
    if (found === undefined) {
      throw new Failed('States.QueryEvaluationError', `${expression} has no value`);
    }
    return JSON.parse(JSON.stringify(found));
  }
}
