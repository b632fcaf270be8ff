// Writes docs/doctor-findings.md from the doctor's checks and from what its test found: npm run docs:doctor
import * as fs from 'fs';
import * as path from 'path';
import { doctorPolicy } from '../cli/src/doctor/actions';
import { CHECKS } from '../cli/src/doctor/checks';

const DOCS = path.join(__dirname, '..', 'docs');
export const FINDINGS_DOC = path.join(DOCS, 'doctor-findings.md');
const RESULTS = path.join(DOCS, 'doctor-findings.json');
const MARK = (name: string) => new RegExp(`(<!-- ${name}: [^>]*-->\\n)[^]*(<!-- /${name} -->)`);

interface Results {
  readonly summary: {
    seeded: number;
    caught: number;
    falseAlarms: number;
    calls: number;
    callsUpgraded: number[];
    medianSeconds: number;
  };
  readonly rows: { property: string; what: string; finding: string; seeded: number; caught: number }[];
  readonly examples: Record<string, { what: string; mend: string }>;
}

export function readResults(): Results {
  return JSON.parse(fs.readFileSync(RESULTS, 'utf8')) as Results;
}

const cell = (text: string) => text.replace(/\|/g, '\\|').replace(/([*<>_])/g, '\\$1');

function table({ rows, summary }: Results): string {
  const line = ({ property, what, finding, seeded, caught }: Results['rows'][number]) =>
    `| ${property ? `\`${property}\`` : cell(what)} | [${finding}](#${finding}) | ${seeded} | ${caught} |`;
  const { seeded, caught, falseAlarms, calls, callsUpgraded, medianSeconds } = summary;
  return [
    `Seeded ${seeded}, caught ${caught}, false alarms ${falseAlarms}. One run made ${calls} calls (${callsUpgraded.join(' and ')} on the upgraded deployments) and took ${medianSeconds.toFixed(2)} s (median) against the emulator.`,
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
