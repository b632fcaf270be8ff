// Writes the parts of docs/runbooks that follow from lib/upgrade-paths.ts: npm run docs:runbooks
import * as fs from 'fs';
import * as path from 'path';
import { FLAGS } from '../bin/flags';
import { UPGRADE_PATHS, UpgradeKind, UpgradePath } from '../lib/upgrade-paths';
import { budgetUsd, costTable, pathCosts, REGIONS } from './costs/paths';

export const RUNBOOKS = path.join(__dirname, '../docs/runbooks');
const SECTION = /(<!-- path: [^>]*-->\n)[^]*(<!-- \/path -->)/;

/** The budget that the deploy app has without a flag. */
const DEFAULT_BUDGET_USD = FLAGS.monthlyBudgetUsd.default!;

export function runbookFile({ name }: UpgradePath): string {
  return path.join(RUNBOOKS, `${name}.md`);
}

function command(flags: { readonly [name: string]: string }, budget?: number): string {
  const more = budget === undefined ? {} : { monthlyBudgetUsd: `${budget}` };
  const words = Object.entries({ services: 'true', ...flags, ...more }).map(
    ([name, value]) => `-c 'data-layer:${name}=${value}'`,
  );
  return `npx cdk deploy ${words.join(' ')}`;
}

function budgetSentence(budget: number): string {
  return `The synth stops at \`monthlyBudgetUsd\`, which is ${DEFAULT_BUDGET_USD} by default: set it to ${budget}, as the steps below do (enough for this much data in ${REGIONS.join(' and ')}).`;
}

/** What the table knows of a path, as Markdown. */
export function pathSection(upgrade: UpgradePath): string {
  const { workload, trigger, target, kind, steps, rollback, duration, usersNotice, note } = upgrade;
  const costs = pathCosts(upgrade);
  const budget = budgetUsd(costs, DEFAULT_BUDGET_USD);
  return [
    `- **What grows:** ${workload}, to ${target} (${kind})`,
    `- **When:** ${trigger}`,
    `- **How long:** ${duration}`,
    `- **What users notice:** ${usersNotice}`,
    ...(note ? [`- **Worth knowing:** ${note}`] : []),
    '',
    '## What it costs',
    '',
    `With 20 GiB of live data and every other assumption at its default ([usage.md](../usage.md)); besides the totals, only what changes is shown.${kind === UpgradeKind.DATA_MIGRATION ? ' The database is billed from the first step on.' : ''}`,
    '',
    costTable(costs),
    '',
    ...(budget === undefined ? [] : [budgetSentence(budget)]),
    '',
    '## Steps',
    '',
    ...steps.flatMap(({ flags, what }, at) => [
      `${at + 1}. ${what}`,
      '',
      '   ```sh',
      `   ${command(flags, budget)}`,
      '   ```',
      '',
    ]),
    '## The way back',
    '',
    rollback,
  ].join('\n');
}

/** The document with the section in its place. */
export function withSection(document: string, upgrade: UpgradePath): string {
  if (!SECTION.test(document)) {
    throw new Error(`${runbookFile(upgrade)} has no place for the path.`);
  }
  return document.replace(SECTION, (_all, start: string, end: string) => `${start}\n${pathSection(upgrade)}\n\n${end}`);
}

if (require.main === module) {
  for (const upgrade of UPGRADE_PATHS) {
    fs.writeFileSync(runbookFile(upgrade), withSection(fs.readFileSync(runbookFile(upgrade), 'utf8'), upgrade));
  }
}
