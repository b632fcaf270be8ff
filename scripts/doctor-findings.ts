// Writes docs/doctor-findings.md from the doctor's checks and from what its test found: npm run docs:doctor
import * as fs from 'fs';
import * as path from 'path';
import { doctorPolicy } from '../cli/src/doctor/actions';
import { CHECKS } from '../cli/src/doctor/checks';
import { deployments } from '../cli/test/doctor/deployments';

const DOCS = path.join(__dirname, '..', 'docs');
export const FINDINGS_DOC = path.join(DOCS, 'doctor-findings.md');
const RESULTS = path.join(DOCS, 'doctor-findings.json');
const MARK = (name: string) => new RegExp(`(<!-- ${name}: [^>]*-->\\n)[^]*(<!-- /${name} -->)`);

interface Row {
  readonly property: string;
  readonly what: string;
  readonly finding: string;
  readonly seeded: number;
  readonly caught: number;
}

/** What the test found in one deployment. */
interface Part {
  readonly summary: { seeded: number; caught: number; falseAlarms: number; calls: number; medianSeconds: number };
  readonly rows: Row[];
  readonly examples: Record<string, { what: string; mend: string }>;
}

export interface Results {
  readonly seeded: number;
  readonly caught: number;
  readonly falseAlarms: number;
  readonly deployments: ({ name: string } & Part['summary'])[];
  readonly rows: Row[];
  readonly examples: Part['examples'];
}

/** Rows of several deployments: what was broken in more than one is one row. */
function together(rows: Row[]): Row[] {
  const all = new Map<string, Row>();
  for (const row of rows) {
    const key = `${row.property} ${row.property ? row.finding : row.what}`;
    const { seeded, caught } = all.get(key) ?? { seeded: 0, caught: 0 };
    all.set(key, { ...row, seeded: seeded + row.seeded, caught: caught + row.caught });
  }
  return [...all.values()];
}

export function readResults(): Results {
  const found = JSON.parse(fs.readFileSync(RESULTS, 'utf8')) as Record<string, Part>;
  const parts = deployments('any').flatMap(({ name }) => (found[name] ? [[name, found[name]] as const] : []));
  const sum = (of: (part: Part) => number) => parts.reduce((total, [, part]) => total + of(part), 0);
  return {
    seeded: sum(({ summary }) => summary.seeded),
    caught: sum(({ summary }) => summary.caught),
    falseAlarms: sum(({ summary }) => summary.falseAlarms),
    deployments: parts.map(([name, { summary }]) => ({ name, ...summary })),
    rows: together(parts.flatMap(([, { rows }]) => rows)),
    // The first deployment that has one.
    examples: Object.assign({}, ...parts.map(([, { examples }]) => examples).reverse()) as Part['examples'],
  };
}

const cell = (text: string) => text.replace(/\|/g, '\\|').replace(/([*<>_])/g, '\\$1');

function table({ rows, seeded, caught, falseAlarms, deployments }: Results): string {
  const line = ({ property, what, finding, ...row }: Row) =>
    `| ${property ? `\`${property}\`` : cell(what)} | [${finding}](#${finding}) | ${row.seeded} | ${row.caught} |`;
  return [
    `Seeded ${seeded}, caught ${caught}, false alarms ${falseAlarms}. One run against the emulator:`,
    '',
    '| deployment | seeded | caught | calls of a run | seconds (median) |',
    '| --- | --- | --- | --- | --- |',
    ...deployments.map(
      (one) => `| ${one.name} | ${one.seeded} | ${one.caught} | ${one.calls} | ${one.medianSeconds.toFixed(2)} |`,
    ),
    '',
    '| what was broken | finding | seeded | caught |',
    '| --- | --- | --- | --- |',
    ...rows.map(line),
  ].join('\n');
}

function runbook({ examples }: Results): string {
  return CHECKS.flatMap((check) => [
    `### ${check.name[0].toUpperCase()}${check.name.slice(1)}`,
    '',
    ...Object.entries(check.kinds).flatMap(([id, { severity, title, why }]) => [
      `#### ${id}`,
      '',
      `${title} (${severity}).`,
      '',
      `- **Why it matters:** ${cell(why)}`,
      ...(examples[id]
        ? [
            `- **For example:** ${cell(examples[id].what)}`,
            '- **What mends it** (the doctor prints it with your names):',
            '',
            '  ```text',
            `  ${examples[id].mend}`,
            '  ```',
          ]
        : []),
      '',
    ]),
  ]).join('\n');
}

/** The document with its generated parts in their places. */
export function withFindings(document: string): string {
  const results = readResults();
  const parts = {
    table: table(results),
    runbook: runbook(results),
    policy: `\`\`\`json\n${JSON.stringify(doctorPolicy(), undefined, 2)}\n\`\`\``,
  };
  return Object.entries(parts).reduce((text, [name, part]) => {
    if (!MARK(name).test(text)) {
      throw new Error(`${FINDINGS_DOC} has no place for the ${name}.`);
    }
    return text.replace(MARK(name), (_all, start: string, end: string) => `${start}\n${part}\n\n${end}`);
  }, document);
}

if (require.main === module) {
  fs.writeFileSync(FINDINGS_DOC, withFindings(fs.readFileSync(FINDINGS_DOC, 'utf8')));
}
