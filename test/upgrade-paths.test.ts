import * as fs from 'fs';
import { App } from 'aws-cdk-lib';
import { FLAGS, readFlags } from '../bin/flags';
import { UPGRADE_PATHS } from '../lib/upgrade-paths';
import { runbookFile, withSection } from '../scripts/runbooks';

test.each(UPGRADE_PATHS.map((upgrade) => [upgrade.name, upgrade] as const))(
  '%s: its runbook is what npm run docs:runbooks makes',
  (_name, upgrade) => {
    const text = fs.readFileSync(runbookFile(upgrade), 'utf8');
    // Prettier, which runs after it, moves blank space only.
    const words = (document: string) => document.split(/\s+/);
    expect(words(withSection(text, upgrade))).toEqual(words(text));
  },
);

const steps = UPGRADE_PATHS.flatMap(({ name, steps: all }) =>
  all.map(({ flags }, at) => [name, at + 1, flags] as const),
);

test.each(steps)('%s, step %i: the app takes its flags', (_name, _step, flags) => {
  const placeholders: Record<string, string> = {
    'https://<host>:6333': 'https://q.example.com:6333',
    's3://<bucket>/<prefix>/<export name>': 's3://exports/focus/cost',
    '<secret ARN>': 'arn:aws:secretsmanager:us-east-1:123456789012:secret:q-AbCdEf',
  };
  const context = Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [`data-layer:${name}`, placeholders[value] ?? value]),
  );
  expect(() => readFlags(new App({ context }))).not.toThrow();
});

test('every store that a flag offers is the end of a path, or needs none', () => {
  const reached = new Set(UPGRADE_PATHS.flatMap(({ steps: all }) => all.flatMap(({ flags }) => Object.values(flags))));
  const offered = [FLAGS.relational, FLAGS.vectors, FLAGS.analytics, FLAGS.cache].flatMap(({ valid, default: start }) =>
    valid.split(' | ').filter((value) => value !== start),
  );
  // A database that exists already is prepared by its owner; its phases are those of RDS.
  expect(offered.filter((value) => !reached.has(value))).toEqual(['external']);
});
