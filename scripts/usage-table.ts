import * as fs from 'fs';
import * as path from 'path';
import { USAGE, UsageRow } from '../lib/bill';

export const USAGE_DOC = path.join(__dirname, '..', 'docs', 'usage.md');
const MARKS = ['<!-- assumptions -->', '<!-- end of assumptions -->'];

/** The document with the table of assumptions as the code has it. */
export function withUsageTable(document: string): string {
  const [before, after] = [document.indexOf(MARKS[0]) + MARKS[0].length, document.indexOf(MARKS[1])];
  const rows = Object.entries(USAGE as { [key: string]: UsageRow }).map(
    ([key, { default: value, unit, max, sentence }]) => `| \`${key}\` | ${value} | ${unit} | ${max} | ${sentence} |`,
  );
  const table = ['| assumption | default | unit | at most | what it is |', '| --- | --- | --- | --- | --- |', ...rows];
  return `${document.slice(0, before)}\n\n${table.join('\n')}\n\n${document.slice(after)}`;
}

if (require.main === module) {
  fs.writeFileSync(USAGE_DOC, withUsageTable(fs.readFileSync(USAGE_DOC, 'utf8')));
}
