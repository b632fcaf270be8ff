import { asRecord, Json } from '../checks/internal';

/** Stands for a reference to a resource: the key of the resource. */
export const RESOURCE = 'Fn::Resource';
/** Marks a part that is left out (AWS::NoValue). */
const NOTHING = Symbol('AWS::NoValue');

/** What a reader knows of a stack besides its template. */
export interface StackScope {
  /** Unique: the path of the stack. */
  readonly key: string;
  readonly template: Json;
  readonly region?: string;
  /** Values of parameters, resolved where they were given. */
  readonly parameters: Json;
  /** The outputs of a nested stack, by the logical id of the resource that is the nested stack. */
  readonly nested: Map<string, StackScope>;
  /** The value of an output of another stack of the assembly; undefined when there is none. */
  readonly otherStack: (stack: string | undefined, output: string) => unknown;
}

/** A value with every function resolved that can be without an account. What is left keeps its form. */
export function resolve(scope: StackScope, value: unknown): unknown {
  const resolved = visit(scope, value);
  return resolved === NOTHING ? undefined : resolved;
}

/** Whether a condition holds. Undefined when only the deployment knows. */
export function holds(scope: StackScope, name: unknown): boolean | undefined {
  return truth(scope, asRecord(scope.template.Conditions)[String(name)]);
}

function truth(scope: StackScope, condition: unknown): boolean | undefined {
  const [[name, argument] = ['', undefined]] = Object.entries(asRecord(condition));
  const list = Array.isArray(argument) ? argument : [];
  const truths = () => list.map((item) => truth(scope, item));
  switch (name) {
    case 'Condition':
      return holds(scope, argument);
    case 'Fn::Equals': {
      const [left, right] = list.map((item) => visit(scope, item));
      return isPlain(left) && isPlain(right) ? String(left) === String(right) : undefined;
    }
    case 'Fn::Not': {
      const [inner] = truths();
      return inner === undefined ? undefined : !inner;
    }
    case 'Fn::And':
      return truths().includes(false) ? false : truths().includes(undefined) ? undefined : true;
    case 'Fn::Or':
      return truths().includes(true) ? true : truths().includes(undefined) ? undefined : false;
    default:
      return undefined;
  }
}

function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function visit(scope: StackScope, value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => visit(scope, item)).filter((item) => item !== NOTHING);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const entries = Object.entries(value);
  if (entries.length === 1) {
    const [[name, argument]] = entries;
    const found = FUNCTIONS[name]?.(scope, argument);
    if (found !== undefined) {
      return found;
    }
  }
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, visit(scope, inner)] as const).filter(([, inner]) => inner !== NOTHING),
  );
}

/** Each gives the value, or undefined when it is known only at deployment. */
const FUNCTIONS: { [name: string]: (scope: StackScope, argument: unknown) => unknown } = {
  Ref: (scope, name) => ref(scope, String(name)),
  'Fn::GetAtt': getAtt,
  'Fn::If': (scope, argument) => {
    const [condition, then, otherwise] = Array.isArray(argument) ? argument : [];
    const chosen = holds(scope, condition);
    return chosen === undefined ? undefined : visit(scope, chosen ? then : otherwise);
  },
  'Fn::Join': (scope, argument) => {
    const [separator, parts] = Array.isArray(argument) ? argument : [];
    const resolved = visit(scope, parts);
    return Array.isArray(resolved) && resolved.every(isPlain) ? resolved.join(String(separator)) : undefined;
  },
  'Fn::Sub': sub,
  'Fn::Select': (scope, argument) => {
    const [index, list] = visit(scope, argument) as unknown[];
    return Array.isArray(list) ? list[Number(index)] : undefined;
  },
  'Fn::Split': (scope, argument) => {
    const [separator, text] = visit(scope, argument) as unknown[];
    return typeof text === 'string' ? text.split(String(separator)) : undefined;
  },
  'Fn::FindInMap': (scope, argument) => {
    const [map, first, second] = visit(scope, argument) as unknown[];
    const row = asRecord(asRecord(asRecord(scope.template.Mappings)[String(map)])[String(first)]);
    return row[String(second)];
  },
  'Fn::ImportValue': (scope, argument) => {
    const name = visit(scope, argument);
    return typeof name === 'string' ? scope.otherStack(undefined, name) : undefined;
  },
  'Fn::GetStackOutput': (scope, argument) => {
    const { StackName, OutputName } = asRecord(visit(scope, argument));
    return typeof StackName === 'string' ? scope.otherStack(StackName, String(OutputName)) : undefined;
  },
};

function ref(scope: StackScope, name: string): unknown {
  if (name === 'AWS::NoValue') {
    return NOTHING;
  }
  if (name === 'AWS::Region') {
    return scope.region;
  }
  if (name === 'AWS::Partition' || name === 'AWS::URLSuffix') {
    return name === 'AWS::Partition' ? 'aws' : 'amazonaws.com';
  }
  if (name in asRecord(scope.template.Resources)) {
    return { [RESOURCE]: `${scope.key}|${name}` };
  }
  return name in scope.parameters
    ? scope.parameters[name]
    : asRecord(asRecord(scope.template.Parameters)[name]).Default;
}

function getAtt(scope: StackScope, argument: unknown): unknown {
  const [logicalId, ...rest] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
  const attribute = rest.join('.');
  const nested = scope.nested.get(logicalId);
  if (nested && attribute.startsWith('Outputs.')) {
    const output = asRecord(asRecord(nested.template.Outputs)[attribute.slice('Outputs.'.length)]);
    return visit(nested, output.Value);
  }
  return { [RESOURCE]: `${scope.key}|${logicalId}`, attribute };
}

function sub(scope: StackScope, argument: unknown): unknown {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const parts = String(text).split(/(\$\{[^!}][^}]*\})/);
  const resolved = parts.map((part) => {
    const name = /^\$\{([^!}][^}]*)\}$/.exec(part)?.[1];
    if (name === undefined) {
      return part.replace(/\$\{!/g, '${');
    }
    const own = asRecord(variables)[name];
    return own !== undefined ? visit(scope, own) : name.includes('.') ? getAtt(scope, name) : ref(scope, name);
  });
  if (resolved.every(isPlain)) {
    return resolved.join('');
  }
  // What the text refers to stays visible: a selection of AWS Backup names file systems this way.
  return { 'Fn::Sub': String(text), parts: resolved.filter((part) => !isPlain(part) && part !== undefined) };
}
