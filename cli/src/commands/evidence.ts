import { Command } from 'commander';
import { usageError } from '../errors';
import { parseMonths } from '../evidence/months';
import { query } from '../evidence/query';
import { READY } from '../evidence/ready';
import { table } from '../evidence/output';
import { Shell } from './shell';

interface QueryOptions {
  readonly dir?: string;
  readonly month?: string;
  readonly tag?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly memory?: string;
  readonly spill?: string;
  readonly cache?: string;
}

/** `efs-data-layer evidence …` */
export function evidenceCommand(shell: Shell): Command {
  const evidence = new Command('evidence').description(
    'FinOps evidence files: what is there, whether it is unchanged, and what it says',
  );
  evidence.addCommand(queryCommand(shell));
  return evidence;
}

function queryCommand(shell: Shell): Command {
  const command = new Command('query')
    .description('ask FOCUS exports, reports and findings with a ready query or SQL')
    .argument(
      '[question]',
      'the name of a ready query (--list), or one SELECT over the views focus, reports.*, findings.*, files.*',
    )
    .option('--list', 'the ready queries')
    .option('--dir <path>', 'the folder with the evidence, on the volume or a copy; or one file')
    .option('--month <month>', 'YYYY-MM, or YYYY-MM..YYYY-MM: other months are not read')
    .option('--tag <key>', 'the key of a tag, for cost-by-tag')
    .option('--json', 'one JSON object a row')
    .option('--csv', 'CSV')
    .option('--memory <size>', 'how much memory DuckDB takes, for example 2GB (default: 60 % of what there is)')
    .option('--spill <size>', 'how much it puts into the temporary folder beyond that', '10GB')
    .option(
      '--cache <path>',
      'where Parquet copies of CSV and JSON files are kept (default: .efs-data-layer in the folder)',
    );
  command.action(async (question: string | undefined) =>
    shell.exit(await runQuery(shell, question, command.opts<QueryOptions>())),
  );
  return command;
}

async function runQuery(shell: Shell, question: string | undefined, options: QueryOptions): Promise<number> {
  if (options.list) {
    table(
      ['name', 'what it answers'],
      READY.map(({ name, summary }) => [name, summary]),
    ).forEach(shell.io.out);
    return 0;
  }
  if (!question) {
    throw usageError('evidence query', 'No question.', 'Pass the name of a ready query (--list shows them), or SQL.');
  }
  if (options.json && options.csv) {
    throw usageError('--json, --csv', 'They are two formats.', 'Pass one of them.');
  }
  const months = options.month === undefined ? undefined : parseMonths(options.month);
  if (options.dir === undefined) {
    throw usageError('evidence query', 'No folder is named.', 'Pass --dir /mnt/evidence.');
  }
  return query(
    {
      root: options.dir,
      question,
      months,
      tag: options.tag,
      memory: options.memory,
      spill: options.spill,
      cache: options.cache,
      format: options.json ? 'json' : options.csv ? 'csv' : 'table',
    },
    shell.io,
  );
}
