import * as fs from 'fs';
import * as path from 'path';
import { Cache, Converted } from './cache';
import { convert, Input } from './convert';
import { Engine, identifier, literal } from './engine';
import { canonical, mayLose } from './focus/canonical';
import { focusColumn } from './focus/columns';
import { recognise } from './focus/recognise';
import { Problem } from './problems';
import { Source } from './sources';
import { unzip, zipEntries } from './unzip';

/** A file as the queries read it. */
export interface Table extends Omit<Converted, 'rows'> {
  readonly source: Source;
  /** Known of converted files, and of Parquet files from their footer. */
  readonly rows: number;
  /** Bytes that a full read of it takes. */
  readonly bytes: number;
}

/** Makes everything that was found readable as Parquet. What cannot be read is reported, and the rest goes on. */
export async function openTables(
  engine: Engine,
  cache: Cache,
  sources: Source[],
  report: (problem: Problem) => void,
  working: (name: string) => void = () => {},
): Promise<Table[]> {
  const tables: Table[] = [];
  const add = (source: Source, converted: Converted | undefined) => {
    if (converted) {
      tables.push({ ...converted, source, bytes: fs.statSync(converted.file).size });
    }
  };
  for (const source of sources) {
    working(source.name);
    if (source.format === 'parquet') {
      const table = await openParquet(engine, source, report);
      tables.push(...(table ? [table] : []));
    } else if (source.format === 'zip') {
      for (const converted of await openZip(engine, cache, source, report)) {
        add(source, converted);
      }
    } else {
      add(source, await convert(engine, cache, { ...source, format: source.format }, report));
    }
  }
  return tables;
}

/** A Parquet file as it is. Its types may differ from those of FOCUS: what is lost by changing them is counted. */
async function openParquet(engine: Engine, source: Source, report: (problem: Problem) => void) {
  const from = `read_parquet(${literal(source.file)}, hive_partitioning = false)`;
  try {
    const described = await engine.rows(`DESCRIBE SELECT * FROM ${from}`);
    const columns = described.map((row) => ({ name: `${row.column_name}`, type: `${row.column_type}` }));
    const recognised = recognise(columns.map(({ name }) => name));
    const [{ n }] = await engine.rows(`SELECT count(*) AS n FROM ${from}`);
    const differences = [...(recognised?.differences ?? [])];
    const problems: Problem[] = [];
    for (const { name, type } of recognised ? columns : []) {
      const column = focusColumn(name);
      if (column && mayLose(column, type)) {
        differences.push(`${name} is ${type}, not a ${column.type}`);
        const changed = canonical(column, name, type);
        const [{ lost }] = await engine.rows(
          `SELECT count(*) AS lost FROM ${from} WHERE ${identifier(name)} <> '' AND ${changed} IS NULL`,
        );
        if (Number(lost) > 0) {
          problems.push({
            file: source.name,
            text: `${name} is no ${column.type} in ${lost} rows: read as empty there`,
          });
        }
      }
    }
    return {
      source,
      file: source.file,
      bytes: source.bytes,
      rows: Number(n),
      columns,
      recognised,
      months: source.month ? [source.month] : undefined,
      differences,
      problems,
      leftOut: 0,
    };
  } catch (error) {
    report({ file: source.name, text: `${(error as Error).message.split('\n')[0].replace(/[.\s]*$/, '')}: left out` });
    return undefined;
  }
}

/** Every CSV or JSON file in a zip archive, converted. */
async function openZip(engine: Engine, cache: Cache, source: Source, report: (problem: Problem) => void) {
  const found: Converted[] = [];
  try {
    const stat = fs.statSync(source.file);
    for (const entry of zipEntries(source.file)) {
      const format = (['csv', 'json'] as const).find((one) => new RegExp(`\\.${one}(\\.gz)?$`, 'i').test(entry.name));
      const name = `${source.name}/${entry.name}`;
      if (!format) {
        report({ file: name, text: 'it is neither CSV nor JSON: left out' });
        continue;
      }
      const unpacked = cache.scratch(path.extname(entry.name));
      const input: Input = { file: unpacked, name, format, stat };
      try {
        if (!cache.find(name, stat)) {
          await unzip(source.file, entry, unpacked);
        }
        const converted = await convert(engine, cache, input, report);
        found.push(...(converted ? [converted] : []));
      } catch (error) {
        report({ file: name, text: `${(error as Error).message}: left out` });
      } finally {
        fs.rmSync(unpacked, { force: true });
      }
    }
  } catch (error) {
    report({ file: source.name, text: `${(error as Error).message}: left out` });
  }
  return found;
}
