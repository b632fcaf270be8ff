// Writes the parts of docs/runbooks that follow from lib/upgrade-paths.ts: npm run docs:runbooks
import * as fs from 'fs';
import * as path from 'path';
import { UPGRADE_PATHS, UpgradePath } from '../lib/upgrade-paths';

export const RUNBOOKS = path.join(__dirname, '../docs/runbooks');
const SECTION = /(<!-- path: [^>]*-->\n)[^]*(<!-- \/path -->)/;

export function runbookFile({ name }: UpgradePath): string {
  return path.join(RUNBOOKS, `${name}.md`);
}

function command(flags: { readonly [name: string]: string }): string {
  const words = Object.entries({ services: 'true', ...flags }).map(
    ([name, value]) => `-c 'data-layer:${name}=${value}'`,
  );
  return `npx cdk deploy ${words.join(' ')}`;
}

/** What the table knows of a path, as Markdown. */
export function pathSection(upgrade: UpgradePath): string {
  const { workload, trigger, target, kind, steps, rollback, usersNotice, note } = upgrade;
  return [
    `- **What grows:** ${workload}, to ${target} (${kind})`,
    `- **When:** ${trigger}`,
    `- **What users notice:** ${usersNotice}`,
    ...(note ? [`- **Worth knowing:** ${note}`] : []),
    '',
    '## Steps',
    '',
    ...steps.flatMap(({ flags, what }, at) => [
      `${at + 1}. ${what}`,
      '',
      '   ```sh',
      `   ${command(flags)}`,
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
