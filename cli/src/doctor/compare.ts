import { UNKNOWN } from './promise';

/** A place where the live setting is not the promised one. */
export interface Difference {
  readonly path: string[];
  readonly promised: unknown;
  readonly live: unknown;
}

type Tree = Record<string, unknown>;

const NAMES = ['name', 'Name', 'key', 'Key', 'Sid', 'RuleName', 'sourceVolume', 'containerName', 'portName'];

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of named things, by name; any other list as it is. */
function byName(value: unknown): unknown {
  if (!Array.isArray(value) || !value.some(isTree)) {
    return value;
  }
  const key = NAMES.find((name) => value.every((one) => isTree(one) && typeof one[name] === 'string'));
  if (key === undefined) {
    return Object.fromEntries(value.map((one, index) => [`${index}`, one as unknown]));
  }
  return Object.fromEntries(
    (value as Tree[]).map((one) => {
      const { [key]: name, ...rest } = one;
      const keys = Object.keys(rest);
      return [name as string, keys.length === 1 && /^value$/i.test(keys[0]) ? rest[keys[0]] : rest];
    }),
  );
}

/** CloudFormation takes "1024" for 1024 and one string for a list of one. */
function same(promised: unknown, live: unknown): boolean {
  if (promised === UNKNOWN) {
    return true;
  }
  if (Array.isArray(promised) || Array.isArray(live)) {
    const [one, other] = [promised, live].map((value) => (Array.isArray(value) ? value : [value]) as unknown[]);
    return one.length === other.length && one.every((value, index) => same(value, other[index]));
  }
  return String(promised) === String(live);
}

/** An empty thing that an API does not return is no difference, nor is one that says no. */
function isNothing(value: unknown): boolean {
  return (
    value === false ||
    (isTree(value) && Object.values(value).every(isNothing)) ||
    (Array.isArray(value) && value.length === 0)
  );
}

/**
 * Where the live settings differ. What the template does not name is the service's own default and not compared, except
 * below the keys in `complete`, where an addition counts too.
 */
export function differences(
  promised: unknown,
  live: unknown,
  complete: string[] = [],
  path: string[] = [],
): Difference[] {
  if (promised === undefined) {
    return [];
  }
  const [wanted, actual] = [byName(promised), byName(live)];
  if (!isTree(wanted)) {
    return same(wanted, actual) || (actual === undefined && isNothing(wanted))
      ? []
      : [{ path, promised: wanted, live: actual }];
  }
  if (!isTree(actual)) {
    return isNothing(wanted) ? [] : [{ path, promised: wanted, live: actual }];
  }
  const missing = Object.keys(wanted).flatMap((key) => differences(wanted[key], actual[key], complete, [...path, key]));
  const added = complete.includes(path[path.length - 1] ?? '')
    ? Object.keys(actual)
        .filter((key) => !(key in wanted))
        .map((key) => ({ path: [...path, key], promised: undefined, live: actual[key] }))
    : [];
  return [...missing, ...added];
}

const SPECIAL: Record<string, string> = {
  EFSVolumeConfiguration: 'efsVolumeConfiguration',
  FilesystemId: 'fileSystemId',
  IAM: 'iam',
};

/** Keys as the ECS API spells them. What stands below a verbatim key is the user's. */
export function asApi(value: unknown, verbatim = ['Options', 'DockerLabels']): unknown {
  if (Array.isArray(value)) {
    return value.map((one) => asApi(one, verbatim));
  }
  if (!isTree(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      SPECIAL[key] ?? key[0].toLowerCase() + key.slice(1),
      verbatim.includes(key) ? child : asApi(child, verbatim),
    ]),
  );
}

/** A value for a sentence. */
export function show(value: unknown): string {
  if (value === undefined) {
    return 'nothing';
  }
  if (value === UNKNOWN) {
    return 'what CloudFormation made';
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
