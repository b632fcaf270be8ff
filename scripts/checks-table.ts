// Writes the rules of the pack into docs/checks.md: npm run docs:checks
import * as fs from 'fs';
import * as path from 'path';
import { RULES } from '../lib/checks/rules';

export const CHECKS_DOC = path.join(__dirname, '../docs/checks.md');
const SECTION = /(<!-- rules: [^>]*-->\n)[^]*(<!-- \/rules -->)/;

/** The rules as a table of Markdown. */
export function checksTable(): string {
  const cell = (text: string) => text.replace(/\|/g, '\\|').replace(/([*<>])/g, '\\$1');
  const rows = RULES.map(({ name, finding, why, source, wayOut }) =>
    [`\`EfsSafety-${name}\``, ...[finding, why, wayOut, source].map(cell)].join(' | '),
  );
  return [['id', 'finding', 'why', 'way out', 'source'].join(' | '), '- | - | - | - | -', ...rows]
    .map((row) => `| ${row} |`)
    .join('\n');
}

/** The document with the table in its place. */
export function withTable(document: string): string {
  if (!SECTION.test(document)) {
    throw new Error(`${CHECKS_DOC} has no place for the rules.`);
  }
  return document.replace(SECTION, (_all, start: string, end: string) => `${start}\n${checksTable()}\n\n${end}`);
}

if (require.main === module) {
  fs.writeFileSync(CHECKS_DOC, withTable(fs.readFileSync(CHECKS_DOC, 'utf8')));
}
