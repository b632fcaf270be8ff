/** Writes plain data as YAML: block style, texts in double quotes, whose escapes are those of JSON. */

export type Plain = string | number | boolean | Plain[] | { [key: string]: Plain } | undefined;

const PLAIN = /^[A-Za-z_][\w./-]*$/;
/** What YAML 1.1 or 1.2 would read as something other than text. */
const WORD = /^(y|n|yes|no|on|off|true|false|null|none|\.inf|\.nan)$/i;

function text(value: string): string {
  return PLAIN.test(value) && !WORD.test(value) ? value : JSON.stringify(value);
}

function block(value: Plain, indent: string): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? ' []' : value.map((item) => `\n${indent}- ${inline(item, indent)}`).join('');
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return entries.length === 0
      ? ' {}'
      : entries.map(([key, inner]) => `\n${indent}${text(key)}:${block(inner, `${indent}  `)}`).join('');
  }
  return ` ${typeof value === 'string' ? text(value) : String(value)}`;
}

/** An item of a list: the first key of an object stands on the line of its dash. */
function inline(value: Plain, indent: string): string {
  return block(value, `${indent}  `).replace(/^\s+/, '');
}

/** The document, without a comment. */
export function toYaml(value: { [key: string]: Plain }): string {
  return `${block(value, '').trimStart()}\n`;
}
