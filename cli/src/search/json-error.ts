const TOKEN =
  /\s*(?:([[\]{}:,])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

/**
 * The line of the first token that is not JSON. JSON.parse says it only sometimes, and this is asked only after it has
 * refused.
 */
export function lineOfJsonError(text: string): number {
  const open: string[] = [];
  let expected: Expected = 'value';
  TOKEN.lastIndex = 0;
  for (;;) {
    const from = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    const next: Expected | undefined = token ? after(expected, open, token[1], token[2] !== undefined) : undefined;
    if (next === undefined) {
      // The blank space before it belongs to the lines before.
      const at = from + /^\s*/.exec(text.slice(from))![0].length;
      return text.slice(0, Math.min(at, text.trimEnd().length)).split('\n').length;
    }
    expected = next;
  }
}

/** What may come after a token; undefined: the token may not be there. */
function after(expected: Expected, open: string[], sign: string | undefined, quoted: boolean): Expected | undefined {
  const isValue = expected === 'value' || expected === 'value or ]';
  if (sign === undefined) {
    return isValue ? done(open) : quoted && expected.startsWith('key') ? ':' : undefined;
  }
  if (sign === '[' || sign === '{') {
    if (!isValue) {
      return undefined;
    }
    open.push(sign);
    return sign === '[' ? 'value or ]' : 'key or }';
  }
  if (sign === ':') {
    return expected === ':' ? 'value' : undefined;
  }
  if (sign === ',') {
    return expected !== ', or end' ? undefined : open[open.length - 1] === '[' ? 'value' : 'key';
  }
  const opened = sign === ']' ? '[' : '{';
  const mayClose = expected === ', or end' || expected === (sign === ']' ? 'value or ]' : 'key or }');
  if (!mayClose || open[open.length - 1] !== opened) {
    return undefined;
  }
  open.pop();
  return done(open);
}

const done = (open: string[]): Expected => (open.length > 0 ? ', or end' : 'nothing');

/** What JSON.parse says, without the piece of the file that it quotes. */
export function whyNoJson(error: unknown): string {
  return `it is no JSON: ${(error as Error).message.replace(/,? ?(\.\.\.)?"[^]*$/, '')}`;
}
