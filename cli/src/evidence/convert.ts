import * as fs from 'fs';
import { Writable } from 'stream';
import { pipeline } from 'stream/promises';
import * as zlib from 'zlib';
import { Cache, Converted } from './cache';
import { csvHead } from './csv-head';
import { Engine, identifier, literal } from './engine';
import { canonical, CANONICAL } from './focus/canonical';
import { focusColumn } from './focus/columns';
import { Recognised, recognise } from './focus/recognise';
import { damagedLines } from './json-lines';
import { Problem, Report, SHOWN } from './problems';
import { quirks } from './quirks';
import { valueDifferences } from './values';

/** A file that DuckDB can read, and the name that its user knows it by. */
export interface Input {
  readonly file: string;
  readonly name: string;
  readonly format: 'csv' | 'json';
  /** Of the archive that it was unpacked from: the copy belongs to that. */
  readonly stat?: fs.Stats;
}

/** What makes one SELECT over a file, and what is known of it before it is read. */
interface Reading {
  readonly select: string;
  readonly recognised?: Recognised;
  readonly differences: string[];
  /** Known before it was read. */
  readonly report?: Pick<Report, 'problems' | 'leftOut'>;
}

/** So many of the lines that DuckDB refuses are kept in memory. */
const REJECTS = 100_000;

/** Nobody may have changed the file meanwhile: half of it old and half of it new is neither. */
const ATTEMPTS = 2;

/**
 * The Parquet copy of a file, made now or before. The original is only read. Undefined when nothing of it can be used:
 * `report` then says why.
 */
export async function convert(
  engine: Engine,
  cache: Cache,
  input: Input,
  report: (problem: Problem) => void,
): Promise<Converted | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const owner = input.stat ?? fs.statSync(input.file);
    const kept = cache.find(input.name, owner);
    if (kept) {
      return kept;
    }
    const before = fs.statSync(input.file);
    const parquet = cache.scratch('.parquet');
    try {
      const converted = await write(engine, input, parquet);
      const after = fs.statSync(input.file);
      if (after.size === before.size && after.mtimeMs === before.mtimeMs && after.ino === before.ino) {
        return cache.keep(input.name, owner, parquet, converted);
      }
    } catch (error) {
      report({ file: input.name, ...inWords(error as Error) });
      return undefined;
    } finally {
      fs.rmSync(parquet, { force: true });
    }
  }
  report({
    file: input.name,
    text: 'it changed while it was read, twice: left out. Write evidence under a temporary name and rename it.',
  });
  return undefined;
}

async function write(engine: Engine, input: Input, parquet: string): Promise<Omit<Converted, 'file'>> {
  const reading = input.format === 'csv' ? await readCsv(engine, input) : await readJson(engine, input);
  await forgetRejects(engine);
  await engine.run(`COPY (${reading.select}) TO ${literal(parquet)} (FORMAT parquet, COMPRESSION zstd)`);
  const from = `FROM read_parquet(${literal(parquet)})`;
  const columns = (await engine.rows(`DESCRIBE SELECT * ${from}`)) as { column_name: string; column_type: string }[];
  const [{ n }] = await engine.rows(`SELECT count(*) AS n ${from}`);
  const rejected = reading.report ?? (await rejects(engine, input.name));
  const cut = await damagedGzip(input.file);
  const problems = cut === undefined ? rejected.problems : [{ file: input.name, text: cut }, ...rejected.problems];
  const { recognised } = reading;
  const names = columns.map(({ column_name }) => column_name);
  const isCosts = recognised?.dataset === 'Cost and Usage';
  const months =
    isCosts && names.includes('BillingPeriodStart')
      ? await engine.rows(`SELECT DISTINCT strftime(BillingPeriodStart, '%Y-%m') AS month ${from} ORDER BY 1`)
      : undefined;
  return {
    rows: Number(n),
    columns: columns.map(({ column_name, column_type }) => ({ name: column_name, type: column_type })),
    recognised,
    months: months?.map(({ month }) => `${month}`).filter((month) => month !== 'null'),
    problems,
    leftOut: rejected.leftOut,
    differences: [
      ...(recognised?.differences ?? []),
      ...reading.differences,
      ...(isCosts ? await valueDifferences(engine, parquet, names, recognised.version) : []),
    ],
  };
}

async function readCsv(engine: Engine, { file }: Input): Promise<Reading> {
  const head = csvHead(file);
  if (!head) {
    throw new Error('it is empty');
  }
  const recognised = recognise(head.names);
  const found = recognised ? quirks(head) : { differences: [], offsets: [] };
  const options = [
    'auto_detect = false',
    'hive_partitioning = false',
    'header = true',
    `delim = ${literal(head.delimiter)}`,
    `quote = '"'`,
    `escape = '"'`,
    `encoding = ${literal(head.encoding)}`,
    `nullstr = ['', 'NULL']`,
    'store_rejects = true',
    `rejects_limit = ${REJECTS}`,
  ];
  const scan = (types: string[]) =>
    `read_csv(${literal(file)}, ${options.join(', ')}, columns = {${head.names
      .map((name, index) => `${literal(name)}: ${literal(types[index])}`)
      .join(', ')}})`;
  const differences = [
    ...found.differences,
    ...(head.repeated.length > 0 ? [`columns that stand there twice: ${head.repeated.join(', ')}`] : []),
    ...(head.encoding === 'utf-8' ? [] : ['it is written in UTF-16']),
  ];
  if (recognised) {
    // DuckDB's reader drops an offset from UTC: where the beginning of a file has one, its times are read as text first.
    const late = new Set(found.offsets);
    const types = head.names.map((name) =>
      late.has(name) ? 'VARCHAR' : CANONICAL[focusColumn(name)?.type ?? 'String'],
    );
    const list = head.names.map((name) => {
      const column = focusColumn(name);
      const own = late.has(name) ? `CAST(${identifier(name)} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'` : identifier(name);
      return `${own} AS ${identifier(column?.name ?? name)}`;
    });
    return { select: `SELECT ${list.join(', ')} FROM ${scan(types)}`, recognised, differences };
  }
  // What the columns of a report hold is told from their values: as numbers and times where all of them are.
  const text = scan(head.names.map(() => 'VARCHAR'));
  const types = await guess(engine, text, head.names);
  return { select: `SELECT * FROM ${scan(types)}`, differences };
}

/** The narrowest type that takes every value of a column. */
async function guess(engine: Engine, from: string, names: string[]): Promise<string[]> {
  const fits = names.map((name) => {
    const own = identifier(name);
    const test = (type: string) => `count(TRY_CAST(${own} AS ${type})) = count(${own})`;
    return `CASE WHEN count(${own}) = 0 THEN 'VARCHAR' WHEN ${test('BIGINT')} AND NOT bool_or(${own} LIKE '0_%') THEN 'BIGINT'
      WHEN ${test('DOUBLE')} AND NOT bool_or(${own} LIKE '0_%' AND ${own} NOT LIKE '0.%') THEN 'DOUBLE'
      WHEN ${test('TIMESTAMP')} THEN 'TIMESTAMP' ELSE 'VARCHAR' END`;
  });
  const [row] = await engine.rows(`SELECT [${fits.join(', ')}] AS types FROM ${from}`);
  return row.types as string[];
}

async function readJson(engine: Engine, { file, name }: Input): Promise<Reading> {
  let options = ', hive_partitioning = false';
  let report: Pick<Report, 'problems' | 'leftOut'> = { problems: [], leftOut: 0 };
  const describe = async () =>
    (await engine.rows(`DESCRIBE SELECT * FROM read_json(${literal(file)}${options})`)) as Record<string, string>[];
  try {
    await engine.rows(
      `SELECT count(COLUMNS(*)) FROM read_json(${literal(file)}, hive_partitioning = false, sample_size = -1)`,
    );
    options += ', sample_size = -1';
  } catch (error) {
    report = await damagedLines(file, name);
    if (report.leftOut === 0) {
      throw error; // Not one value a line: nothing of it can be trusted.
    }
    options += ", format = 'newline_delimited', ignore_errors = true, sample_size = -1";
  }
  const columns = await describe();
  const recognised = recognise(columns.map(({ column_name }) => column_name));
  const list = columns.map(({ column_name, column_type }) => {
    const column = recognised && focusColumn(column_name);
    return `${column ? canonical(column, column_name, column_type) : identifier(column_name)} AS ${identifier(column?.name ?? column_name)}`;
  });
  // A line that could not be read comes as a row without any value.
  const some = columns.map((column) => `${identifier(column.column_name)} IS NOT NULL`).join(' OR ');
  const where = report.leftOut > 0 ? ` WHERE ${some}` : '';
  return {
    select: `SELECT ${list.join(', ')} FROM read_json(${literal(file)}${options})${where}`,
    recognised,
    differences: [],
    report,
  };
}

/** DuckDB takes the end of the bytes for the end of a gzip stream, and looks at no checksum. */
async function damagedGzip(file: string): Promise<string | undefined> {
  if (!/\.gz$/i.test(file)) {
    return undefined;
  }
  try {
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await pipeline(fs.createReadStream(file), zlib.createGunzip(), nowhere);
    return undefined;
  } catch (error) {
    return `its gzip stream is damaged or cut (${(error as Error).message}): what is behind that is missing`;
  }
}

/** The lines that DuckDB left out of the CSV file that it read last. */
async function rejects(engine: Engine, name: string): Promise<Pick<Report, 'problems' | 'leftOut'>> {
  const rows = await engine.rows(
    `SELECT line, min(error_type) AS type, min(error_message) AS message, min(csv_line) AS text
     FROM reject_errors GROUP BY line ORDER BY line LIMIT ${SHOWN}`,
  );
  const [{ n }] = await engine.rows('SELECT count(DISTINCT line) AS n FROM reject_errors');
  const problems = rows.map(({ line, message, text }) => ({
    file: name,
    line: Number(line),
    text: `${`${message}`.split('\n')[0].replace(/[.\s]*$/, '')}; left out: ${shortened(`${text}`)}`,
  }));
  return { problems, leftOut: Number(n) };
}

async function forgetRejects(engine: Engine): Promise<void> {
  await engine.run('DROP TABLE IF EXISTS reject_errors');
  await engine.run('DROP TABLE IF EXISTS reject_scans');
}

function shortened(line: string): string {
  const clean = line.replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ');
  return clean.length > 120 ? `${clean.slice(0, 120)}…` : clean;
}

/** DuckDB's message without its advice for programmers, and the line where it names one. */
function inWords(error: Error): Pick<Problem, 'line' | 'text'> {
  const [first, second] = error.message.split('\n');
  const line = /\b(?:on |in )?[Ll]ine:? (\d+)/.exec(error.message)?.[1];
  const text = (/CSV Error on Line/.test(first) && second ? second : first).replace(/[.\s]*$/, '');
  return { ...(line && { line: Number(line) }), text: `${text}: left out` };
}
