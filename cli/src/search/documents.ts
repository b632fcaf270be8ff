import * as fs from 'fs';
import { splitRow, rowsOf } from './csv-rows';
import { lineOfJsonError, whyNoJson } from './json-error';
import { Line, linesOf } from './lines';

/** A piece of a file that is searched for by itself. */
export interface Piece {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly title?: string;
  readonly text: string;
}

/** Something wrong with a file. Its other lines, and the other files, are indexed. */
export interface Problem {
  readonly file: string;
  readonly line?: number;
  readonly text: string;
}

export type Format = 'json' | 'json-lines' | 'csv' | 'text';

const FORMATS: [RegExp, Format][] = [
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'json-lines'],
  [/\.json(\.gz)?$/i, 'json'],
  [/\.(csv|tsv)(\.gz)?$/i, 'csv'],
  [/\.(md|markdown|txt)(\.gz)?$/i, 'text'],
];

/** What a file is read as; undefined: its text is not searched in. */
export function formatOf(name: string): Format | undefined {
  return FORMATS.find(([pattern]) => pattern.test(name))?.[1];
}

/** A document's text is cut here: what is found should be short enough to be read. */
const LONGEST = 32 << 10;
/** A JSON file is read whole. */
const LARGEST_JSON = 64 << 20;

/** The pieces of a file, and what is wrong with it. An error: nothing more can be read of it. */
export async function* piecesOf(
  file: string,
  format: Format,
  problem: (line: number | undefined, text: string) => void,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Piece> {
  const lines = linesOf(file, onBytes);
  const pieces = { json, 'json-lines': jsonLines, csv, text: sections }[format](lines, problem, file);
  for await (const piece of pieces) {
    yield* cut(piece);
  }
}

/** A long piece as several, cut between lines or words. */
function* cut({ line, title, text }: Piece): Generator<Piece> {
  let from = 0;
  while (text.length - from > LONGEST) {
    const end = Math.max(text.lastIndexOf('\n', from + LONGEST), text.lastIndexOf(' ', from + LONGEST));
    const to = end > from ? end : from + LONGEST;
    yield { line, title, text: text.slice(from, to) };
    from = end > from ? to + 1 : to;
  }
  const rest = text.slice(from).trim();
  if (rest !== '') {
    yield { line, title, text: rest };
  }
}

type Say = (line: number | undefined, text: string) => void;

async function* jsonLines(lines: AsyncIterable<Line>, problem: Say): AsyncGenerator<Piece> {
  for await (const { number, text } of lines) {
    if (text === undefined) {
      problem(number, 'it is no UTF-8');
    } else if (text.trim() !== '') {
      try {
        yield { line: number, ...told(JSON.parse(text) as unknown) };
      } catch (error) {
        problem(number, whyNoJson(error));
      }
    }
  }
}

/** One document for each member of a list, one for anything else. */
async function* json(lines: AsyncIterable<Line>, problem: Say): AsyncGenerator<Piece> {
  const texts: string[] = [];
  let size = 0;
  for await (const { number, text } of lines) {
    if (text === undefined) {
      return problem(number, 'it is no UTF-8');
    }
    size += text.length + 1;
    if (size > LARGEST_JSON) {
      return problem(number, `the file is larger than ${LARGEST_JSON >> 20} MiB: write it as JSON lines (.jsonl)`);
    }
    texts.push(text);
  }
  const whole = texts.join('\n');
  let value: unknown;
  try {
    value = JSON.parse(whole);
  } catch (error) {
    return problem(lineOfJsonError(whole), whyNoJson(error));
  }
  if (!Array.isArray(value)) {
    yield { line: 1, ...told(value) };
    return;
  }
  const starts = memberLines(whole);
  for (const [at, member] of value.entries()) {
    yield { line: starts[at] ?? 1, ...told(member) };
  }
}

/** The line that each member of a JSON list begins on. */
function memberLines(text: string): number[] {
  const found: number[] = [];
  let [depth, line, quoted, expected] = [0, 1, false, false];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '\n') {
      line++;
    } else if (quoted) {
      at += sign === '\\' ? 1 : 0;
      quoted = sign !== '"';
      continue;
    }
    if (expected && !/[\s\]]/.test(sign)) {
      found.push(line);
      expected = false;
    }
    quoted = sign === '"';
    depth += sign === '[' || sign === '{' ? 1 : sign === ']' || sign === '}' ? -1 : 0;
    expected ||= depth === 1 && (sign === ',' || (sign === '[' && found.length === 0));
  }
  return found;
}

async function* csv(lines: AsyncIterable<Line>, problem: Say, file: string): AsyncGenerator<Piece> {
  const iterator = lines[Symbol.asyncIterator]();
  const separator = /\.tsv(\.gz)?$/i.test(file) ? '\t' : undefined;
  const first = await iterator.next();
  if (first.done) {
    return;
  }
  const head = first.value.text ?? '';
  // Spreadsheets in half of Europe write semicolons.
  const used = separator ?? ((splitRow(head, ';') ?? []).length > (splitRow(head, ',') ?? []).length ? ';' : ',');
  let names: string[] | undefined;
  for await (const row of rowsOf(restOf(first.value, iterator), used)) {
    if (row.fields === undefined) {
      problem(row.line, row.problem!);
      if (!names) {
        return problem(row.line, 'without its first line nothing says what the columns are');
      }
    } else if (!names) {
      names = row.fields.map((name, at) => name.trim() || `column ${at + 1}`);
    } else if (row.fields.length !== names.length) {
      problem(row.line, `it has ${row.fields.length} fields, the first line has ${names.length}`);
    } else {
      const values = row.fields;
      const filled = names.map((name, at) => [name, values[at].trim()]).filter(([, value]) => value !== '');
      yield { line: row.line, text: filled.map(([name, value]) => `${name}: ${value}`).join('\n') };
    }
  }
}

async function* restOf(first: Line, iterator: AsyncIterator<Line>): AsyncGenerator<Line> {
  yield first;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    yield next.value;
  }
}

/** Markdown by its headings: each section is found by itself. */
async function* sections(lines: AsyncIterable<Line>, problem: Say): AsyncGenerator<Piece> {
  let [title, texts, begun, fence]: [string | undefined, string[], number, boolean] = [undefined, [], 1, false];
  for await (const { number, text } of lines) {
    if (text === undefined) {
      problem(number, 'it is no UTF-8');
      continue;
    }
    fence = /^ {0,3}(```|~~~)/.test(text) ? !fence : fence;
    const heading = fence ? undefined : /^ {0,3}#{1,6} +(.*?)[ #]*$/.exec(text)?.[1];
    if (heading !== undefined) {
      yield { line: begun, title, text: texts.join('\n') };
      [title, texts, begun] = [heading, [heading], number];
    } else {
      texts.push(text);
    }
  }
  yield { line: begun, title, text: texts.join('\n') };
}

const TITLES = ['title', 'name', 'summary', 'check', 'id'];

/** A value as lines that say where each part stands: findings.0.severity: high */
function told(value: unknown): { title?: string; text: string } {
  const lines: string[] = [];
  const walk = (part: unknown, where: string) => {
    if (part !== null && typeof part === 'object') {
      Object.entries(part).forEach(([name, inner]) => walk(inner, where ? `${where}.${name}` : name));
    } else if (part !== null && part !== '') {
      lines.push(where ? `${where}: ${String(part)}` : String(part));
    }
  };
  walk(value, '');
  const fields = value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  const title = TITLES.map((name) => fields[name]).find((text) => typeof text === 'string' && text !== '');
  return { title: title as string | undefined, text: lines.join('\n') };
}

/** The size and the time of a file, to see whether it grew while it was read. */
export function stateOf(file: string): string {
  const { size, mtimeMs } = fs.statSync(file);
  return `${size} ${mtimeMs}`;
}
