import { Command, Option } from 'commander';
import { BillError, billOfResources, diffOf, PriceBook, TemplateResources, Usage } from '../../../lib/bill';
import { assemblyOfRef } from '../bill/against-ref';
import { billMarkdown, diffMarkdown } from '../bill/markdown';
import { findStacks } from '../bill/sources';
import { storableIn } from '../bill/storable';
import { billTable, diffTable } from '../bill/table';
import { EXIT, usageError } from '../errors';
import { Shell } from './shell';

interface BillCommandOptions {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly usage?: string;
  readonly region?: string;
  readonly prices?: string;
  readonly budget: number;
  readonly diff?: string;
  readonly againstRef?: string;
  readonly maxIncrease?: number;
}

/** `efs-data-layer bill` */
export function billCommand(shell: Shell): Command {
  return new Command('bill')
    .description('what a synthesized template costs in a month, or what a change of it does to the bill')
    .argument('[source]', 'a stack of cdk.out, a template (JSON) or an assembly directory (default: cdk.out)')
    .addOption(new Option('--json', 'for machines').conflicts('markdown'))
    .option('--markdown', 'for a pull request')
    .option('--usage <file>', 'assumptions about usage (docs/usage.md)')
    .option('--region <region>', 'the region whose prices hold (default: that of the stack, us-east-1 for one without)')
    .option('--prices <directory>', 'price books that go before those of this package (efs-data-layer prices refresh)')
    .addOption(
      new Option('--budget <usd>', 'how much live data this many USD a month buy')
        .argParser((value) => amountOf('--budget', value))
        .default(6),
    )
    .addOption(
      new Option('--diff <source>', 'compare with another template or assembly directory').conflicts('againstRef'),
    )
    .option('--against-ref <ref>', 'compare with a git ref, synthesized in a temporary worktree')
    .addOption(
      new Option('--max-increase <usd>', 'with --diff or --against-ref: exit 2 when the bill grows by more').argParser(
        (value) => amountOf('--max-increase', value),
      ),
    )
    .action(async (source: string | undefined, options: BillCommandOptions) => {
      try {
        shell.exit(run(shell, source, options));
      } catch (error) {
        throw error instanceof BillError ? usageError(error.where, error.problem, error.wayOut) : error;
      }
    });
}

function amountOf(option: string, value: string): number {
  const amount = Number(value);
  if (value.trim() === '' || !Number.isFinite(amount) || amount < 0) {
    throw usageError(option, `${JSON.stringify(value)} is no amount.`, 'Pass USD a month, for example 5.');
  }
  return amount;
}

function run(shell: Shell, source: string | undefined, options: BillCommandOptions): number {
  const { region, prices } = options;
  const regions = PriceBook.regions(prices);
  if (region !== undefined && !regions.includes(region)) {
    throw usageError(
      `--region ${region}`,
      'There are no prices for it.',
      `Regions with prices: ${regions.join(', ')}. Others: efs-data-layer prices refresh --region ${region}, then --prices prices.`,
    );
  }
  const comparing = options.diff !== undefined || options.againstRef !== undefined;
  if (options.maxIncrease !== undefined && !comparing) {
    throw usageError('--max-increase', 'There is nothing to compare with.', 'Pass --diff or --against-ref too.');
  }
  const usage = options.usage === undefined ? Usage.from({}) : Usage.fromFile(options.usage);
  const { title, stacks } = findStacks(source);
  const resources = new TemplateResources(stacks);
  const bill = billOfResources(resources, { usage, region, prices });
  bill.unusedUsage.forEach((address) =>
    shell.io.note(
      `[${options.usage}, ${address}] There is no such resource in ${title}; this usage counts for nothing.`,
    ),
  );
  if (!comparing) {
    const storable = storableIn(bill, resources, usage, options.budget, prices);
    shell.io.out(
      options.json
        ? JSON.stringify({ source: title, ...bill, storable }, undefined, 2)
        : (options.markdown ? billMarkdown : billTable)(bill, title, storable),
    );
    return EXIT.ok;
  }
  const old =
    options.againstRef === undefined
      ? findStacks(options.diff)
      : { title: options.againstRef, stacks: assemblyOfRef(options.againstRef, shell.io) };
  const before = billOfResources(new TemplateResources(old.stacks), { usage, region, prices });
  const diff = diffOf(before, bill);
  shell.io.out(
    options.json
      ? JSON.stringify({ before: old.title, after: title, ...diff }, undefined, 2)
      : (options.markdown ? diffMarkdown : diffTable)(diff, old.title, title),
  );
  if (options.maxIncrease !== undefined && diff.changeUsd > options.maxIncrease) {
    shell.io.note(
      `The bill grows by $${diff.changeUsd.toFixed(2)} a month, more than --max-increase ${options.maxIncrease}.`,
    );
    return EXIT.overLimit;
  }
  return EXIT.ok;
}
