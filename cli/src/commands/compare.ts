import * as fs from 'fs';
import { Command } from 'commander';
import { DEFAULT_WORKLOAD, PriceBook, Workload } from '../../../lib/bill';
import { compare, comparisonText } from '../compare/comparison';
import { comparisonPage } from '../compare/page';
import { usageError } from '../errors';
import { Shell } from './shell';

/** Options that are figures of the workload: what they are in words, and beyond what they are taken for a mistake. */
const FIGURES: { readonly [K in keyof Workload]: { flag: string; words: string; max: number } } = {
  gib: { flag: '--gib', words: 'live data, in GiB', max: 1e6 },
  users: { flag: '--users', words: 'people who use the application', max: 1e6 },
  scanGb: { flag: '--scan-gb', words: 'evidence that queries read in a month, in GB', max: 1e8 },
  vectors: { flag: '--vectors', words: 'vectors stored', max: 2e9 },
  dimensions: { flag: '--dimensions', words: 'numbers in one vector', max: 4096 },
  queries: { flag: '--queries', words: 'vector searches in a month', max: 1e12 },
  searchHours: { flag: '--search-hours', words: 'hours in a month in which the search service is used', max: 730 },
  awakeHours: {
    flag: '--awake-hours',
    words: 'hours in a month in which a database that can pause is awake',
    max: 730,
  },
};

type Given = { readonly [K in keyof Workload]?: string } & {
  readonly region: string;
  readonly json?: boolean;
  readonly html?: string;
};

function workloadOf(given: Given): Workload {
  const entries = (Object.keys(FIGURES) as (keyof Workload)[]).map((key) => {
    const { flag, words, max } = FIGURES[key];
    const text = given[key];
    const value = text === undefined ? DEFAULT_WORKLOAD[key] : text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || value < 0 || value > max) {
      throw usageError(
        `${flag} ${text}`,
        `It is ${words}: a number from 0 to ${max.toLocaleString('en-US')}.`,
        `Write it without a unit, for example ${flag} ${DEFAULT_WORKLOAD[key]}.`,
      );
    }
    return [key, value];
  });
  return Object.fromEntries(entries) as unknown as Workload;
}

function write(file: string, text: string): void {
  try {
    fs.writeFileSync(`${file}.part`, text);
    fs.renameSync(`${file}.part`, file);
  } catch (error) {
    throw usageError(
      `--html ${file}`,
      `It cannot be written: ${(error as Error).message}.`,
      'Name a file in a directory that exists.',
    );
  }
}

/** efs-data-layer compare: what other services would cost for the same workload. */
export function compareCommand(shell: Shell): Command {
  const command = new Command('compare').description(
    'Shows what other services would cost for a workload, and at which size the choice changes',
  );
  for (const [key, { flag, words }] of Object.entries(FIGURES)) {
    command.option(`${flag} <number>`, `${words} (default: ${DEFAULT_WORKLOAD[key as keyof Workload]})`);
  }
  return command
    .option('--region <region>', `prices of this region: ${PriceBook.regions().join(', ')}`, 'us-east-1')
    .option('--json', 'everything, for programs')
    .option('--html <file>', 'one page with plots, which needs no network')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  efs-data-layer compare --gib 20 --users 50 --scan-gb 100 --region ap-southeast-2\n' +
        '  efs-data-layer compare --gib 60 --queries 1000000 --html compare.html',
    )
    .action((given: Given) => {
      if (!PriceBook.regions().includes(given.region)) {
        throw usageError(
          `--region ${given.region}`,
          'There are no prices for it.',
          `Regions with prices: ${PriceBook.regions().join(', ')}.`,
        );
      }
      const comparison = compare(given.region, workloadOf(given));
      if (given.html !== undefined) {
        write(given.html, comparisonPage(comparison));
        shell.io.note(`Written: ${given.html}`);
      }
      if (given.json) {
        shell.io.out(JSON.stringify(comparison, null, 2));
      } else if (given.html === undefined) {
        shell.io.out(comparisonText(comparison));
      }
    });
}
