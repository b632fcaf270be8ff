/** Yes, no, or it depends on something that is not known here. */
export type Answer = 'yes' | 'no' | 'maybe';

/** Condition keys and their values; null: known not to be in the request. A key that is not here is not known. */
export type Context = Readonly<Record<string, string | null>>;

type Test = (actual: string, wanted: string) => boolean;

/** `*` and `?` as IAM means them. */
export function like(text: string, pattern: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${escaped}$`, 's').test(text);
}

function ipv4(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function inRange(address: string, range: string): boolean {
  const [network, bits = '32'] = range.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(ipv4(address) / size) === Math.floor(ipv4(network) / size);
}

/** ARNs are matched part by part: a star does not reach over a colon. */
function arnLike(actual: string, wanted: string): boolean {
  const [own, other] = [actual.split(':'), wanted.split(':')];
  const rest = (parts: string[]) => parts.slice(5).join(':');
  return (
    own.length >= 6 &&
    other.length >= 6 &&
    [0, 1, 2, 3, 4].every((at) => like(own[at], other[at])) &&
    like(rest(own), rest(other))
  );
}

const number =
  (test: (a: number, b: number) => boolean): Test =>
  (a, b) =>
    test(Number(a), Number(b));
const date =
  (test: (a: number, b: number) => boolean): Test =>
  (a, b) =>
    test(Date.parse(a), Date.parse(b));

/** Operators without their Not, their IfExists and their quantifier. */
const TESTS: Record<string, Test> = {
  StringEquals: (a, b) => a === b,
  StringEqualsIgnoreCase: (a, b) => a.toLowerCase() === b.toLowerCase(),
  StringLike: like,
  ArnEquals: arnLike,
  ArnLike: arnLike,
  Bool: (a, b) => a.toLowerCase() === b.toLowerCase(),
  IpAddress: inRange,
  NumericEquals: number((a, b) => a === b),
  NumericLessThan: number((a, b) => a < b),
  NumericLessThanEquals: number((a, b) => a <= b),
  NumericGreaterThan: number((a, b) => a > b),
  NumericGreaterThanEquals: number((a, b) => a >= b),
  DateEquals: date((a, b) => a === b),
  DateLessThan: date((a, b) => a < b),
  DateLessThanEquals: date((a, b) => a <= b),
  DateGreaterThan: date((a, b) => a > b),
  DateGreaterThanEquals: date((a, b) => a >= b),
};

function valueOf(context: Context, key: string): string | null | undefined {
  const known = Object.keys(context).find((one) => one.toLowerCase() === key.toLowerCase());
  return known === undefined ? undefined : context[known];
}

function negate(answer: Answer): Answer {
  return answer === 'yes' ? 'no' : answer === 'no' ? 'yes' : 'maybe';
}

function one(operator: string, key: string, wanted: string[], context: Context): Answer {
  const actual = valueOf(context, key);
  if (operator === 'Null') {
    return actual === undefined ? 'maybe' : wanted.includes(String(actual === null)) ? 'yes' : 'no';
  }
  const [, quantifier, bare, ifExists] = /^(ForAllValues:|ForAnyValue:)?(\w+?)(IfExists)?$/.exec(operator)!;
  const negated = /Not/.test(bare) && TESTS[bare.replace('Not', '')] !== undefined;
  const test = TESTS[bare.replace('Not', '')];
  if (!test || actual === undefined || wanted.some((value) => value.includes('${'))) {
    return 'maybe';
  }
  if (actual === null) {
    // A key that is not in the request: a positive operator fails, a negated one and IfExists hold, and so does every
    // test of all of no values.
    return negated || ifExists || quantifier === 'ForAllValues:' ? 'yes' : 'no';
  }
  const answer: Answer = wanted.some((value) => test(actual, value)) ? 'yes' : 'no';
  return negated ? negate(answer) : answer;
}

/** Whether every condition of a statement holds. */
export function conditionsHold(condition: unknown, context: Context): Answer {
  let answer: Answer = 'yes';
  for (const [operator, keys] of Object.entries((condition ?? {}) as Record<string, Record<string, unknown>>)) {
    for (const [key, wanted] of Object.entries(keys)) {
      const holds = one(operator, key, [wanted].flat().map(String), context);
      if (holds === 'no') {
        return 'no';
      }
      answer = holds === 'maybe' ? 'maybe' : answer;
    }
  }
  return answer;
}
