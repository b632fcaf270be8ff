/** A JSON object. */
export type Json = { readonly [key: string]: unknown };

/** The value as an object; empty when it is none, so that a template that is wrong elsewhere does not stop a rule. */
export function asRecord(value: unknown): Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : {};
}

/** The objects in a list; empty when the value is no list. */
export function asRecords(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(asRecord) : [];
}

/** A value in a message. */
export function show(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

/** CloudFormation takes "1" for 1 and "true" for true, and templates written by hand use that. */
export function asScalars(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(asScalars);
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asScalars(inner)]));
  }
  if (value === 'true' || value === 'false') {
    return value === 'true';
  }
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

/** Beyond this many conditions in one resource only the two outcomes "all true" and "all false" are looked at. */
const MAX_CONDITIONS = 4;

/** Replaces every Fn::If: one copy for each outcome of the conditions inside the value. */
export function expandConditions(value: Json): unknown[] {
  const names = new Set<string>();
  const collect = (part: unknown): void => {
    if (part !== null && typeof part === 'object') {
      const branch = (part as Json)['Fn::If'];
      if (Array.isArray(branch)) {
        names.add(String(branch[0]));
      }
      Object.values(part).forEach(collect);
    }
  };
  collect(value);
  const conditions = [...names];
  const all = 2 ** conditions.length - 1;
  const outcomes =
    conditions.length > MAX_CONDITIONS ? [0, all] : Array.from({ length: all + 1 }, (_, outcome) => outcome);
  return outcomes.map((outcome) => choose(value, (name) => ((outcome >> conditions.indexOf(name)) & 1) === 1));
}

function choose(value: unknown, holds: (condition: string) => boolean): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => choose(item, holds)).filter((item) => item !== undefined);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const branch = (value as Json)['Fn::If'];
  if (Array.isArray(branch)) {
    return choose(holds(String(branch[0])) ? branch[1] : branch[2], holds);
  }
  if ((value as Json).Ref === 'AWS::NoValue') {
    return undefined;
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, choose(inner, holds)])
      .filter(([, inner]) => inner !== undefined),
  );
}
