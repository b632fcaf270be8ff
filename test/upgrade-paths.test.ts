import * as fs from 'fs';
import { App } from 'aws-cdk-lib';
import { FLAGS, readFlags } from '../bin/flags';
import { UPGRADE_PATHS } from '../lib/upgrade-paths';
import { storableGiB } from '../lib/bill';
import { pathCosts, REGIONS, resourcesOf } from '../scripts/costs/paths';
import { runbookFile, withSection } from '../scripts/runbooks';

test.each(UPGRADE_PATHS.map((upgrade) => [upgrade.name, upgrade] as const))(
  '%s: its runbook is what npm run docs:runbooks makes',
  (_name, upgrade) => {
    const text = fs.readFileSync(runbookFile(upgrade), 'utf8');
    // Prettier, which runs after it, moves blank space and the lines of tables only.
    const words = (document: string) => document.replace(/ -+ (?=\|)/g, ' - ').split(/\s+/);
    expect(words(withSection(text, upgrade))).toEqual(words(text));
  },
);

const steps = UPGRADE_PATHS.flatMap(({ name, steps: all }) =>
  all.map(({ flags }, at) => [name, at + 1, flags] as const),
);

test.each(steps)('%s, step %i: the app takes its flags', (_name, _step, flags) => {
  const placeholders: Record<string, string> = {
    'https://<host>:6333': 'https://q.example.com:6333',
    '<role ARN>': 'arn:aws:iam::123456789012:role/Auditor',
    's3://<bucket>/<prefix>/<export name>': 's3://exports/focus/cost',
    '<secret ARN>': 'arn:aws:secretsmanager:us-east-1:123456789012:secret:q-AbCdEf',
  };
  const context = Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [`data-layer:${name}`, placeholders[value] ?? value]),
  );
  expect(() => readFlags(new App({ context }))).not.toThrow();
});

test.each(steps)(
  '%s, step %i: the budget of its command holds 20 GiB, or the default one holds some',
  (name, step, flags) => {
    const [path] = UPGRADE_PATHS.filter((upgrade) => upgrade.name === name);
    const command = fs.readFileSync(runbookFile(path), 'utf8').match(/npx cdk deploy .*/g)![step - 1];
    const [, budget] = /monthlyBudgetUsd=(\d+)/.exec(command) ?? [];
    for (const region of REGIONS) {
      const gib = storableGiB(resourcesOf(flags), Number(budget ?? FLAGS.monthlyBudgetUsd.default), { region });
      expect(gib).toBeGreaterThan(budget ? 20 : 1);
    }
  },
);

test('a database is billed from the first step on, and what is there already is not billed as new', () => {
  const [rds, , pgvector] = UPGRADE_PATHS.map(pathCosts);
  for (const { before, steps: after } of rds) {
    const added = after.map(({ totals }) => totals.dataLayer.totalUsd - before.totals.dataLayer.totalUsd);
    expect(added[0]).toBeGreaterThan(10);
    expect(added[2]).toBeCloseTo(added[0], 6);
  }
  for (const { before, steps: after } of pgvector) {
    expect(after[0].totals).toEqual(before.totals);
  }
});

test('every store that a flag offers is the end of a path, or needs none', () => {
  const reached = new Set(UPGRADE_PATHS.flatMap(({ steps: all }) => all.flatMap(({ flags }) => Object.values(flags))));
  const offered = [FLAGS.relational, FLAGS.vectors, FLAGS.analytics, FLAGS.cache, FLAGS.search].flatMap(
    ({ valid, default: start }) => valid.split(' | ').filter((value) => value !== start),
  );
  // A database that exists already is prepared by its owner; its phases are those of RDS.
  expect(offered.filter((value) => !reached.has(value))).toEqual(['external']);
});
