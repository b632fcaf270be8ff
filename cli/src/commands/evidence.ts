import { Command } from 'commander';
import { usageError } from '../errors';
import { addRun } from '../evidence/add';
import { parseMonths } from '../evidence/months';
import { OutputFormat, table } from '../evidence/output';
import { READY } from '../evidence/ready';
import { EvidenceRequest, readAnchors, runEvidence } from '../evidence/verbs';
import { addEvidenceTaskOptions, runInTask } from './evidence-task';
import { Shell } from './shell';
import { refuseTaskOptions, TaskOptions } from './volume-task';

interface Options extends TaskOptions {
  readonly dir?: string;
  readonly month?: string;
  readonly tag?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly memory?: string;
  readonly spill?: string;
  readonly cache?: string;
  readonly against?: string;
}

/** `efs-data-layer evidence …` */
export function evidenceCommand(shell: Shell, version: string): Command {
  return new Command('evidence')
    .description('FinOps evidence files: what is there, whether it is unchanged, and what it says')
    .addCommand(listCommand(shell))
    .addCommand(verifyCommand(shell))
    .addCommand(queryCommand(shell))
    .addCommand(addCommand(shell, version));
}

function limits(command: Command): Command {
  return command
    .option('--memory <size>', 'how much memory DuckDB takes, for example 2GB (default: 60 % of what there is)')
    .option('--spill <size>', 'how much it puts into the temporary folder beyond that (default: 10GB)')
    .option(
      '--cache <path>',
      'where Parquet copies of CSV and JSON files are kept (default: .efs-data-layer in the folder)',
    );
}

/** Runs it on the folder, or as a task when a stack is named. */
async function run(
  shell: Shell,
  options: Options,
  folder: string | undefined,
  request: (root: string) => EvidenceRequest,
) {
  if (folder !== undefined) {
    refuseTaskOptions(folder, options);
    shell.exit(await runEvidence(request(folder), shell.io, new Date(shell.clock.now())));
    return;
  }
  if (options.stack === undefined) {
    throw usageError(
      'evidence',
      'Neither a folder nor a stack is named.',
      'Pass the folder, for example /mnt/evidence or a copy of it, or --stack EfsDataLayer from a workstation.',
    );
  }
  shell.exit(await runInTask(shell, options, request));
}

function listCommand(shell: Shell): Command {
  const command = new Command('ls')
    .description('what is there by dataset and month: FOCUS version, rows, size, and what differs from FOCUS')
    .argument('[path]', 'the folder with the evidence, on the volume or a copy')
    .option('--json', 'one JSON object a line');
  addEvidenceTaskOptions(limits(command));
  return command.action(async (folder: string | undefined) => {
    const { json = false, memory, spill, cache, ...options } = command.opts<Options>();
    await run(shell, options, folder, (root) => ({ verb: 'ls', root, json, memory, spill, cache }));
  });
}

function verifyCommand(shell: Shell): Command {
  const command = new Command('verify')
    .description('read every file again and hold it against the manifests: missing, changed, truncated, extra')
    .argument('[path]', 'the folder with the evidence, on the volume or a copy')
    .option('--json', 'one JSON object a line; the lines with manifestSha256 are what --against takes')
    .option('--against <file>', 'manifests noted elsewhere: lines of an earlier --json, or of the collector’s log');
  addEvidenceTaskOptions(command);
  return command.action(async (folder: string | undefined) => {
    const { json = false, against, ...options } = command.opts<Options>();
    const anchors = against === undefined ? [] : readAnchors(against);
    await run(shell, options, folder, (root) => ({ verb: 'verify', root, json, anchors }));
  });
}

function queryCommand(shell: Shell): Command {
  const command = new Command('query')
    .description('ask FOCUS exports, reports and findings, with a ready query or SQL')
    .argument('[question]', 'a ready query’s name (--list), or one SELECT over focus, reports.*, findings.*, files.*')
    .option('--list', 'show the ready queries')
    .option('--dir <path>', 'the folder with the evidence, on the volume or a copy; or one file')
    .option('--month <month>', 'YYYY-MM, or YYYY-MM..YYYY-MM: other months are not read')
    .option('--tag <key>', 'the key of a tag, for cost-by-tag')
    .option('--json', 'one JSON object a row')
    .option('--csv', 'CSV');
  addEvidenceTaskOptions(limits(command));
  return command.action(async (question: string | undefined) => {
    const { list, dir, month, tag, json, csv, memory, spill, cache, ...options } = command.opts<Options>();
    if (list) {
      table(
        ['name', 'what it answers'],
        READY.map(({ name, summary }) => [name, summary]),
      ).forEach(shell.io.out);
      return;
    }
    if (!question) {
      throw usageError('evidence query', 'No question.', 'Pass the name of a ready query (--list shows them), or SQL.');
    }
    if (json && csv) {
      throw usageError('--json, --csv', 'They are two formats.', 'Pass one of them.');
    }
    const format: OutputFormat = json ? 'json' : csv ? 'csv' : 'table';
    const months = month === undefined ? undefined : parseMonths(month);
    const asked = { question, months, tag, memory, spill, cache, format };
    await run(shell, options, dir, (root) => ({ verb: 'query', root, ...asked }));
  });
}

function addCommand(shell: Shell, version: string): Command {
  const command = new Command('add')
    .description('put reports or findings among the evidence: copied whole, named in a manifest, never changed again')
    .argument('<dataset>', 'reports/<name> or findings/<name>')
    .argument('<files...>', 'the files of this run')
    .requiredOption('--dir <path>', 'the folder with the evidence')
    .option('--month <month>', 'YYYY-MM that they are about (default: this month, UTC)')
    .option('--json', 'the run and the SHA-256 of its manifest as JSON');
  return command.action(async (dataset: string, files: string[]) => {
    const { dir, month, json } = command.opts<Options>();
    const now = new Date(shell.clock.now());
    const { from, to } = parseMonths(month ?? now.toISOString().slice(0, 7));
    if (from !== to) {
      throw usageError(`--month ${month}`, 'A run is about one month.', 'Pass one, for example --month 2026-10.');
    }
    const made = await addRun({ root: dir!, dataset, files, month: from!, now, version });
    shell.io.out(json ? JSON.stringify(made) : `${made.folder}/${made.run}  manifest ${made.manifestSha256}`);
  });
}
