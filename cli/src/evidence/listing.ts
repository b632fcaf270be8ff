import * as fs from 'fs';
import * as path from 'path';
import { Cache } from './cache';
import { Engine, EngineLimits } from './engine';
import { Problem } from './problems';
import { ScanTotal, scanTotal } from './scans';
import { findSources, requireFolder } from './sources';
import { openTables, Table } from './tables';

/** What there is of one dataset in one month. */
export interface Listed {
  /** The name of the view, or of the FOCUS dataset. */
  readonly dataset: string;
  /** YYYY-MM; several when a file has several; empty when nothing says so. */
  readonly month: string;
  /** The FOCUS version that the columns are nearest to. */
  readonly focus: string;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** Lines that could not be read. */
  readonly leftOut: number;
  readonly differences: string[];
}

export interface Listing {
  readonly datasets: Listed[];
  readonly problems: Problem[];
  /** What the queries of this month have read. */
  readonly scans: ScanTotal & { readonly month: string };
}

/** Looks into every file below a path; CSV and JSON are converted on the way, once. */
export async function listEvidence(
  root: string,
  options: EngineLimits & { cache?: string; month: string },
  note: (text: string) => void,
  working: (name: string) => void,
): Promise<Listing> {
  const sources = findSources(root);
  const real = requireFolder(root);
  const folder = fs.statSync(real).isDirectory() ? real : path.dirname(real);
  const engine = await Engine.open(options);
  const cache = Cache.open(folder, options.cache, note);
  try {
    const problems: Problem[] = [];
    const tables = await openTables(engine, cache, sources, (problem) => problems.push(problem), working);
    return {
      datasets: grouped(tables),
      problems: [...problems, ...tables.flatMap((table) => table.problems)],
      scans: { month: options.month, ...scanTotal(folder, options.month) },
    };
  } finally {
    engine.close();
    cache.close();
  }
}

function grouped(tables: Table[]): Listed[] {
  const groups = new Map<string, Table[]>();
  for (const table of tables) {
    const { recognised, source } = table;
    const key = JSON.stringify([
      recognised?.dataset ?? source.dataset,
      table.months?.join(', ') ?? source.month ?? '',
      recognised?.version ?? '',
    ]);
    groups.set(key, [...(groups.get(key) ?? []), table]);
  }
  const sum = (own: Table[], field: 'rows' | 'leftOut') => own.reduce((total, table) => total + table[field], 0);
  return [...groups]
    .map(([key, own]) => {
      const [dataset, month, focus] = JSON.parse(key) as string[];
      return {
        dataset,
        month,
        focus,
        files: new Set(own.map(({ source }) => source.name)).size,
        rows: sum(own, 'rows'),
        bytes: [...new Map(own.map(({ source }) => [source.name, source.bytes])).values()].reduce((a, b) => a + b, 0),
        leftOut: sum(own, 'leftOut'),
        differences: [...new Set(own.flatMap((table) => table.differences))],
      };
    })
    .sort((a, b) => (`${a.dataset} ${a.month}` < `${b.dataset} ${b.month}` ? -1 : 1));
}
