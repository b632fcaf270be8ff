import * as fs from 'fs';
import * as path from 'path';
import { CliError, usageError } from '../errors';
import { Io } from '../io';
import { Cache } from './cache';
import { Engine, EngineLimits } from './engine';
import { addMonths, Months, spanText, within } from './months';
import { OutputFormat, printResult } from './output';
import { Problem, problemLine, SHOWN } from './problems';
import { READY, readyQuery } from './ready';
import { bytesReadSoFar, recordScan, SCAN_EVENT, SCAN_LINE, Scan } from './scans';
import { findSources, requireFolder, severalDeliveries } from './sources';
import { openTables, Table } from './tables';
import { makeViews } from './views';

/** How `evidence query` ends, besides the codes of every command. */
export const QUERY_EXIT = {
  /** There is a result, and something is not in it: stderr says what. */
  incomplete: 65,
  /** There is no data, or none of the months asked for. */
  noData: 66,
  /** It needs more than the memory and the spill it was given. */
  tooLarge: 75,
} as const;

export interface QueryRequest extends EngineLimits {
  readonly root: string;
  /** The name of a ready query, or SQL. */
  readonly question: string;
  readonly months?: Months;
  readonly tag?: string;
  readonly cache?: string;
  readonly format: OutputFormat;
}

/** A ready query's name has no space; every SQL statement has one. */
export function isReady(question: string): boolean {
  return !/\s/.test(question.trim());
}

/** Which months have to be read for a question. */
function monthsToRead({ question, months = {} }: QueryRequest): Months {
  const lookback = isReady(question) ? readyQuery(question.trim()).lookback : undefined;
  if (lookback === undefined) {
    return months;
  }
  return months.to === undefined ? {} : { from: addMonths(months.to, -lookback), to: months.to };
}

/** Answers one question over the files below a path. Returns the exit code. */
export async function query(request: QueryRequest, io: Io): Promise<number> {
  const { question, root } = request;
  const ready = isReady(question) ? readyQuery(question.trim()) : undefined;
  if ((ready?.needsTag ?? false) !== (request.tag !== undefined)) {
    throw ready?.needsTag
      ? usageError('--tag', 'It is missing.', `Pass the key of the tag, for example: ${ready.name} --tag team`)
      : usageError('--tag', 'It belongs to ready queries about a tag.', 'Leave it away, or ask for cost-by-tag.');
  }
  const read = monthsToRead(request);
  const sources = findSources(root, read);
  const problems: Problem[] = [];
  const [start, before] = [Date.now(), bytesReadSoFar()];
  const engine = await Engine.open(request);
  const real = requireFolder(root);
  const folder = fs.statSync(real).isDirectory() ? real : path.dirname(real);
  const cache = Cache.open(folder, request.cache, (text) => io.note(text));
  try {
    const tables = await openTables(
      engine,
      cache,
      sources,
      (problem) => problems.push(problem),
      (name) => io.status?.(name),
    );
    io.status?.('');
    severalDeliveries(sources).forEach((month) =>
      io.note(
        `${month} holds several folders with data: if each is a delivery of the whole month, it counts more than once.`,
      ),
    );
    await makeViews(engine, tables, read);
    const empty = report(io, tables, problems, read) ?? (await emptyMonths(engine, tables, read));
    if (empty !== undefined) {
      io.note(`[${root}] ${empty}`);
      return QUERY_EXIT.noData;
    }
    const sql = ready ? ready.sql({ months: await span(engine, request.months), tag: request.tag }) : question;
    const sizes = new Map(sources.map(({ file }) => [file, fs.statSync(file, { throwIfNoEntry: false })]));
    await engine.lock([folder, cache.folder, ...new Set(sources.map(({ file }) => path.dirname(file)))]);
    await answer(engine, sql, request, io);
    for (const { file, name } of sources) {
      const [then, now] = [sizes.get(file), fs.statSync(file, { throwIfNoEntry: false })];
      if (then?.size !== now?.size || then?.mtimeMs !== now?.mtimeMs) {
        problems.push({ file: name, text: 'it changed while it was read: ask again' });
        io.note(problemLine(problems[problems.length - 1]));
      }
    }
    const after = bytesReadSoFar();
    const measured = before !== undefined && after !== undefined;
    const bytes = measured ? after - before : tables.reduce((sum, table) => sum + table.bytes, 0);
    const seconds = (Date.now() - start) / 1000;
    note(io, folder, { at: new Date().toISOString(), query: ready?.name ?? 'sql', bytes, measured, seconds });
    const left = problems.length + tables.reduce((sum, table) => sum + table.leftOut + table.problems.length, 0);
    return left > 0 ? QUERY_EXIT.incomplete : 0;
  } finally {
    engine.close();
    cache.close();
  }
}

/** Says what is wrong with the files. Returns why there is nothing to ask, when there is not. */
function report(io: Io, tables: Table[], problems: Problem[], months: Months): string | undefined {
  problems.forEach((problem) => io.note(problemLine(problem)));
  for (const { source, problems: own, leftOut } of tables) {
    own.slice(0, SHOWN).forEach((problem) => io.note(problemLine(problem)));
    if (leftOut > own.length) {
      io.note(`${source.name}: and ${leftOut - own.length} more lines that were left out`);
    }
  }
  const said = new Map<string, string[]>();
  const versions = new Set<string>();
  for (const { source, recognised, differences } of tables) {
    if (recognised?.dataset === 'Cost and Usage') {
      versions.add(recognised.version);
    }
    differences.forEach((text) => said.set(text, [...(said.get(text) ?? []), source.name]));
  }
  if (versions.size > 1) {
    io.note(
      `FOCUS ${[...versions].sort().join(' and ')} stand side by side: a column that a version has not is empty.`,
    );
  }
  for (const [text, [first, ...more]] of said) {
    io.note(`differs from FOCUS: ${text} (${first}${more.length > 0 ? ` and ${more.length} more` : ''})`);
  }
  if (tables.length === 0) {
    return months.from === undefined
      ? 'There is no data file that can be read.'
      : `There is no data of ${spanText(months)}.`;
  }
  const known = tables.flatMap((table) => table.months ?? []);
  const all = tables.every((table) => table.months !== undefined);
  return months.from !== undefined && all && !known.some((month) => within(month, months))
    ? `There is no data of ${spanText(months)}; there is of ${[...new Set(known)].sort().join(', ')}.`
    : undefined;
}

/** Parquet files elsewhere than in a month's folder do not say which months they hold: their costs are asked. */
async function emptyMonths(engine: Engine, tables: Table[], months: Months): Promise<string | undefined> {
  if (months.from === undefined || tables.some(({ recognised }) => recognised === undefined)) {
    return undefined;
  }
  const [row] = await engine.rows('SELECT 1 FROM focus LIMIT 1');
  return row ? undefined : `There is no data of ${spanText(months)}.`;
}

/** The months asked for, or all that there are. */
async function span(engine: Engine, asked: Months = {}): Promise<Required<Months>> {
  if (asked.from !== undefined && asked.to !== undefined) {
    return { from: asked.from, to: asked.to };
  }
  const [row] = await engine.rows(
    "SELECT strftime(min(BillingPeriodStart), '%Y-%m') AS first, strftime(max(BillingPeriodStart), '%Y-%m') AS last FROM focus",
  );
  return { from: `${row.first ?? '1970-01'}`, to: `${row.last ?? '1970-01'}` };
}

async function answer(engine: Engine, sql: string, { question, format }: QueryRequest, io: Io): Promise<void> {
  const { StatementType } = engine.duckdb;
  try {
    const statements = await engine.connection.extractStatements(sql);
    const prepared = await statements.prepare(0);
    if (statements.count !== 1 || ![StatementType.SELECT, StatementType.EXPLAIN].includes(prepared.statementType)) {
      throw usageError(
        question,
        'It is not one SELECT.',
        'Evidence is only read: pass one SELECT, WITH, FROM or DESCRIBE.',
      );
    }
    await printResult(await prepared.stream(), format, io.out, io.note);
  } catch (error) {
    if (error instanceof CliError) {
      throw error;
    }
    const { message } = error as Error;
    if (/Out of Memory|max_temp_directory_size/i.test(message)) {
      throw new CliError(
        question,
        `It needs more than it was given: ${message.split('\n')[0]}.`,
        'Ask for fewer months or columns, or give it more with --memory and --spill.',
        QUERY_EXIT.tooLarge,
      );
    }
    const views = isReady(question)
      ? ''
      : ` The views are listed by: evidence query "SHOW ALL TABLES". Ready queries: ${READY.map(({ name }) => name).join(', ')}.`;
    throw usageError('SQL', message.trimEnd(), `Correct the statement.${views}`);
  }
}

function note(io: Io, folder: string, scan: Scan): void {
  recordScan(folder, scan);
  if (process.env[SCAN_LINE]) {
    io.note(JSON.stringify({ event: SCAN_EVENT, ...scan }));
  }
}
