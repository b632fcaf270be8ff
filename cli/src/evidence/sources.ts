import * as fs from 'fs';
import * as path from 'path';
import { CliError, usageError } from '../errors';
import { Months, within } from './months';

/** What this command keeps beside the evidence: converted files and how much was read. Never evidence itself. */
export const OWN_FOLDER = '.efs-data-layer';

export type Format = 'csv' | 'json' | 'parquet' | 'zip';

/** One data file. */
export interface Source {
  /** Where it is, links resolved. */
  readonly file: string;
  /** As the user sees it: relative to the path that was named. */
  readonly name: string;
  readonly format: Format;
  /** YYYY-MM when a folder of its path says so. */
  readonly month?: string;
  /** The run that it belongs to, when it does. */
  readonly run?: string;
  /** reports/<name> or findings/<name>; of what lies elsewhere, the name without its ending. */
  readonly dataset: string;
  readonly bytes: number;
}

const FORMATS: [RegExp, Format][] = [
  [/\.(csv|tsv)(\.gz)?$/i, 'csv'],
  [/\.(json|jsonl|ndjson)(\.gz)?$/i, 'json'],
  [/\.parquet$/i, 'parquet'],
  [/\.zip$/i, 'zip'],
];

/** BILLING_PERIOD= is AWS's and the collector's, MONTH= that of reports, billing_month= and the like are common too. */
const MONTH_FOLDER = /^(?:billing_?period|billing_?month|month)=(\d{4}-\d{2})(?:-\d{2})?$/i;

const RUN = /^run=\d{8}T\d{6}Z$/;

/** The month that a path's folders name. */
export function monthOf(name: string): string | undefined {
  return name
    .split('/')
    .map((part) => MONTH_FOLDER.exec(part)?.[1])
    .find((month) => month !== undefined);
}

/** The runs of a folder, oldest first. */
export function runsOf(names: string[]): string[] {
  return names.filter((name) => RUN.test(name)).sort();
}

/** The root, or an error that names it. */
export function requireFolder(root: string): string {
  const stat = fs.statSync(root, { throwIfNoEntry: false });
  if (!stat) {
    throw usageError(root, 'It does not exist.', 'Pass the folder that holds the evidence, for example /mnt/evidence.');
  }
  return fs.realpathSync(root);
}

/** Whether a path is among reports and findings: each of their runs stands for itself, and none is an export of costs. */
export function isReport(name: string): boolean {
  return /^(reports|findings)\/[^/]+\//.test(name);
}

/**
 * The data files below a path. Of the runs of an export, the newest only: each holds the whole month, so that two would
 * count it twice. What a folder name says to be of another month is not even looked at.
 */
export function findSources(root: string, months: Months = {}): Source[] {
  const real = requireFolder(root);
  if (!fs.statSync(real).isDirectory()) {
    const source = sourceOf(real, path.basename(real));
    if (!source) {
      throw usageError(root, 'It is no data file.', 'Pass a folder, or a .csv, .json, .parquet, .gz or .zip file.');
    }
    return [source];
  }
  const found: Source[] = [];
  walk(real, '', months, found);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function walk(root: string, folder: string, months: Months, found: Source[]): void {
  const names = list(path.join(root, folder));
  const runs = runsOf(names);
  for (const name of names) {
    const below = folder ? `${folder}/${name}` : name;
    // A run that is being written, `current` (a link to a run), AWS's own metadata.
    const old = RUN.test(name) && name !== runs.at(-1) && !isReport(`${below}/`);
    if (name.startsWith('.') || old || (runs.length > 0 && name === 'current')) {
      continue;
    }
    const month = monthOf(name);
    if (month !== undefined && !within(month, months)) {
      continue;
    }
    const stat = fs.statSync(path.join(root, below), { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      if (name !== 'metadata' || !/(^|\/)run=[^/]*$/.test(folder)) {
        walk(root, below, months, found);
      }
    } else if (stat?.isFile()) {
      const source = sourceOf(path.join(root, below), below);
      if (source) {
        found.push(source);
      }
    }
  }
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch (error) {
    throw new CliError(folder, `It cannot be read: ${(error as Error).message}.`, 'Check its permissions.', 74);
  }
}

function sourceOf(file: string, name: string): Source | undefined {
  const base = path.basename(name);
  const format = FORMATS.find(([pattern]) => pattern.test(base))?.[1];
  if (format === undefined || base === 'manifest.json' || base.endsWith('-Manifest.json')) {
    return undefined;
  }
  const real = fs.realpathSync(file);
  const run = name.split('/').find((part) => RUN.test(part));
  return {
    file: real,
    name,
    format,
    month: monthOf(name),
    run,
    dataset: datasetOf(name),
    bytes: fs.statSync(real).size,
  };
}

function datasetOf(name: string): string {
  const [kind, dataset] = name.split('/');
  return isReport(name) ? `${kind}/${dataset}` : name.replace(/(\.(csv|tsv|json|jsonl|ndjson|parquet|zip|gz))+$/i, '');
}

/**
 * Months with data in several folders side by side: an export that keeps every delivery (CREATE_NEW_REPORT) looks so, and
 * each delivery holds the whole month. The collector takes the newest; of a plain copy nobody can say which are to count.
 */
export function severalDeliveries(sources: Source[]): string[] {
  const folders = new Map<string, Set<string>>();
  for (const { name, run } of sources) {
    const parts = name.split('/');
    const at = parts.findIndex((part) => MONTH_FOLDER.test(part));
    if (at >= 0 && run === undefined && !isReport(name)) {
      const month = parts.slice(0, at + 1).join('/');
      folders.set(month, (folders.get(month) ?? new Set()).add(parts.slice(at + 1, -1).join('/')));
    }
  }
  return [...folders].filter(([, own]) => own.size > 1).map(([month]) => month);
}
