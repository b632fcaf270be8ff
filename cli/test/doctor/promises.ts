/** One value that a template promises: where it stands, and what it is. */
export interface Promised {
  readonly logicalId: string;
  readonly type: string;
  /** Lists of named things are keyed by their names: Environment.DATABASE_URL. */
  readonly path: string[];
  readonly value: unknown;
}

export interface Template {
  readonly Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIntrinsic(value: Record<string, unknown>): boolean {
  const [first, ...more] = Object.keys(value);
  return more.length === 0 && first !== undefined && (first === 'Ref' || first.startsWith('Fn::'));
}

const NAMES = ['Name', 'Key', 'Sid', 'RuleName', 'PolicyName', 'SourceVolume', 'ContainerName'];

/** The name by which an element of a list is known, and what is left to promise about it. */
function named(element: Record<string, unknown>): [string | undefined, unknown] {
  const name = NAMES.find((one) => typeof element[one] === 'string');
  if (name === undefined) {
    return [undefined, element];
  }
  const rest = Object.fromEntries(Object.entries(element).filter(([key]) => key !== name));
  const keys = Object.keys(rest);
  return [element[name] as string, keys.length === 1 && keys[0] === 'Value' ? rest.Value : rest];
}

function leaves(value: unknown, path: string[]): { path: string[]; value: unknown }[] {
  if (Array.isArray(value) && value.some((element) => isObject(element) && !isIntrinsic(element))) {
    return value.flatMap((element, index) => {
      const [name, rest] = named(element as Record<string, unknown>);
      return leaves(rest, [...path, name ?? `${index}`]);
    });
  }
  if (isObject(value) && !isIntrinsic(value)) {
    return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
  }
  return [{ path, value }];
}

/** Every value that the template promises about its resources. */
export function promisesOf(template: Template): Promised[] {
  return Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties }]) =>
    leaves(Properties ?? {}, []).map((leaf) => ({ logicalId, type: Type, ...leaf })),
  );
}
