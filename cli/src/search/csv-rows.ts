import { Line } from './lines';

/** A row, and the line that it begins on. */
export interface Row {
  readonly line: number;
  readonly fields?: string[];
  /** What is wrong with it, instead of fields. */
  readonly problem?: string;
}

/** A quoted field may go on over so many lines; after that its quote is a stray one. */
const MOST_LINES = 1000;

/** Splits one row; undefined when a quoted field is still open. */
export function splitRow(text: string, separator: string): string[] | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let field = '';
      let from = at + 1;
      let end = text.indexOf('"', from);
      while (end >= 0 && text[end + 1] === '"') {
        field += text.slice(from, end + 1);
        from = end + 2;
        end = text.indexOf('"', from);
      }
      if (end < 0) {
        return undefined;
      }
      field += text.slice(from, end);
      const next = text.indexOf(separator, end + 1);
      // Whatever stands between the quote and the separator belongs to the field.
      fields.push(field + text.slice(end + 1, next < 0 ? undefined : next));
      at = next;
    } else {
      const next = text.indexOf(separator, at);
      fields.push(text.slice(at, next < 0 ? undefined : next));
      at = next;
    }
    if (at < 0) {
      return fields;
    }
    at += separator.length;
  }
}

/** The rows of a CSV file. A damaged one is said, and the next line is read as a row of its own. */
export async function* rowsOf(lines: AsyncIterable<Line>, separator: string): AsyncGenerator<Row> {
  let open: { line: number; texts: string[] } | undefined;
  for await (const { number, text } of lines) {
    if (text === undefined) {
      yield { line: open?.line ?? number, problem: 'it is no UTF-8' };
      open = undefined;
      continue;
    }
    if (!open && text.trim() === '') {
      continue;
    }
    const begun: { line: number; texts: string[] } = open ?? { line: number, texts: [] };
    begun.texts.push(text);
    const fields = splitRow(begun.texts.join('\n'), separator);
    if (fields) {
      yield { line: begun.line, fields };
      open = undefined;
    } else if (begun.texts.length >= MOST_LINES) {
      yield* afterStrayQuote(begun, separator);
      open = undefined;
    } else {
      open = begun;
    }
  }
  if (open) {
    yield* afterStrayQuote(open, separator);
  }
}

/** The file ended inside a quoted field: its first line is damaged, the others may be whole rows. */
function* afterStrayQuote({ line, texts }: { line: number; texts: string[] }, separator: string): Generator<Row> {
  yield { line, problem: 'a quote is not closed' };
  for (const [at, text] of texts.slice(1).entries()) {
    const fields = splitRow(text, separator);
    yield fields ? { line: line + 1 + at, fields } : { line: line + 1 + at, problem: 'a quote is not closed' };
  }
}
