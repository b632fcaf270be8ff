/**
 * Says whether CloudWatch Logs would match a line: the part of its filter syntax that the data layer uses
 * (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, read 2026-11). Anything else throws.
 */
export function matches(pattern: string, line: string): boolean {
  if (pattern.startsWith('{')) {
    return matchesJson(pattern, line);
  }
  const terms = pattern.match(/\??"[^"]*"|\S+/g) ?? [];
  if (terms.some((term) => !/^\??"[^"]*"$/.test(term))) {
    throw new Error(`not understood: ${pattern}`);
  }
  const text = (term: string) => term.replace(/^\?/, '').slice(1, -1);
  // Terms with a question mark: any of them. Without: all.
  const optional = terms.filter((term) => term.startsWith('?'));
  if (optional.length > 0 && optional.length < terms.length) {
    throw new Error(`optional terms beside others are ignored by CloudWatch: ${pattern}`);
  }
  return optional.length > 0
    ? optional.some((term) => line.includes(text(term)))
    : terms.every((term) => line.includes(text(term)));
}

type Token = '(' | ')' | '&&' | '||' | { field: string; operator: string; value: string | number };

function tokens(pattern: string): Token[] {
  const found: Token[] = [];
  const next = /\s*(?:([()]|&&|\|\|)|\$\.(\w+)\s*(>=|<=|!=|=|>|<)\s*("[^"]*"|-?\d+(?:\.\d+)?))/y;
  const body = pattern.slice(1, pattern.lastIndexOf('}')).trimEnd();
  while (next.lastIndex < body.length) {
    const match = next.exec(body);
    if (!match) {
      throw new Error(`not understood: ${pattern}`);
    }
    const [, sign, field, operator, value] = match;
    found.push(sign ? (sign as Token) : { field, operator, value: JSON.parse(value) });
  }
  return found;
}

function matchesJson(pattern: string, line: string): boolean {
  const rest = tokens(pattern);
  let object: Record<string, unknown>;
  try {
    object = JSON.parse(line);
  } catch {
    return false;
  }
  const compare = (token: Token): boolean => {
    if (typeof token === 'string') {
      throw new Error(`not understood: ${pattern}`);
    }
    const { field, operator, value } = token;
    const actual = object[field];
    // A field that is not there, or of another type, matches nothing.
    if (typeof actual !== typeof value) {
      return false;
    }
    switch (operator) {
      case '=':
        return actual === value;
      case '>=':
        return (actual as number) >= (value as number);
      default:
        throw new Error(`not understood: ${operator}`);
    }
  };
  const term = (): boolean => {
    const token = rest.shift()!;
    if (token !== '(') {
      return compare(token);
    }
    const value = either();
    if (rest.shift() !== ')') {
      throw new Error(`a parenthesis is not closed: ${pattern}`);
    }
    return value;
  };
  const both = (): boolean => {
    let value = term();
    while (rest[0] === '&&') {
      rest.shift();
      value = term() && value;
    }
    return value;
  };
  const either = (): boolean => {
    let value = both();
    while (rest[0] === '||') {
      rest.shift();
      value = both() || value;
    }
    return value;
  };
  const value = either();
  if (rest.length > 0) {
    throw new Error(`not understood: ${pattern}`);
  }
  return value;
}
