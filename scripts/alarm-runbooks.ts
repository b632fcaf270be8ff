// Writes docs/runbooks/alarms.md from lib/alarms: npm run docs:runbooks
import * as fs from 'fs';
import * as path from 'path';
import { ALARM_KINDS, AlarmKind, COUNTS_PERIODS } from '../lib/alarms/kinds';
import { RUNBOOKS } from './runbooks';

export const ALARMS_DOC = path.join(RUNBOOKS, 'alarms.md');

const HEAD = `# Alarms

Made by \`npm run docs:runbooks\` from [lib/alarms](../../lib/alarms/kinds.ts). One section for each kind, by the prop that sets its
thresholds: \`alarms: { storedGiB: { Warning: 15, Critical: 30 } }\` makes two, \`{}\` none. The deploy app has them with
\`-c data-layer:alarms=true\`, and tells a topic with \`-c data-layer:alarmTopicArn=<ARN>\`.

**What they cost.** $0.10 a month for each metric that an alarm reads, after the account's first ten; $0.30 for each metric that is made from
log lines, after the first ten, and only for the hours in which such a line came; dashboards $3, after the first three
(aws.amazon.com/cloudwatch/pricing; price list of 2025-09-23, \`lib/bill/prices\`). With services there are 14 alarms on 15 metrics, 7
of them from logs: $0.50 a month in an account that has no others, at most $3.60 (and $3 for the dashboard) in one whose free
allowance is used. S3 Tables have 4 more, on one metric each: $0.40. The bill counts the allowance as unused. They are part of the
budget: what they cost is stored less. When the budget does not hold, leave kinds out (\`{}\`), first those of the triggers, or raise \`data-layer:monthlyBudgetUsd\`.

**What they do not see.** Whether a task runs at all (ECS starts it again), and what has no metric: the number of users, the need for SQL and vectors
together, the volume of evidence that is scanned. \`efs-data-layer status\` shows what is known of these. A load of FOCUS tables that finds
nothing delivered succeeds, and says so in its output only.
`;

function period({ periodSeconds, periods }: AlarmKind): string {
  return periods === 1
    ? `one period of ${periodSeconds / 60} minutes`
    : `${periods} periods of ${periodSeconds / 60} minutes in a row`;
}

function section([prop, kind]: [string, AlarmKind]): string {
  const { title, defaults, unit, measured, comparison, missing, whyMissing, meaning, steps } = kind;
  const counts = COUNTS_PERIODS.includes(prop);
  const thresholds = Object.entries(defaults).map(
    ([name, value]) => `${name}, ${counts ? '' : `${comparison} `}${value} ${unit}`,
  );
  return [
    `## ${prop}`,
    '',
    `**${title}.** ${meaning}`,
    '',
    `- **Measured:** ${measured}`,
    `- **Threshold:** ${thresholds.join('; ')}${counts ? '' : `; for ${period(kind)}`}`,
    `- **No data:** ${missing}. ${whyMissing}`,
    '',
    ...steps.map((step, at) => `${at + 1}. ${step}`),
  ].join('\n');
}

/** The whole document. */
export function alarmsDoc(): string {
  return [HEAD, ...Object.entries(ALARM_KINDS).map(section)].join('\n\n') + '\n';
}

if (require.main === module) {
  fs.writeFileSync(ALARMS_DOC, alarmsDoc());
}
