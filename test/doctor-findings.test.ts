import * as fs from 'fs';
import { CHECKS } from '../cli/src/doctor/checks';
import { deployments as allDeployments } from '../cli/test/doctor/deployments';
import { FINDINGS_DOC, readResults, withFindings } from '../scripts/doctor-findings';

/** Prettier fills the columns of a table with blanks and dashes. */
const bare = (text: string) =>
  text
    .replace(/ +/g, ' ')
    .replace(/-{2,}/g, '-')
    .replace(/\s*\n\s*/g, '\n');

test('docs/doctor-findings.md is that of the code (npm run docs:doctor)', () => {
  const document = fs.readFileSync(FINDINGS_DOC, 'utf8');
  expect(bare(document)).toBe(bare(withFindings(document)));
});

test('every kind of finding was seeded and caught, and has an example with the command that mends it', () => {
  const { rows, examples, seeded, caught, falseAlarms, deployments } = readResults();
  const kinds = CHECKS.flatMap((check) => Object.keys(check.kinds));
  expect(new Set(kinds).size).toBe(kinds.length);
  expect(kinds.filter((id) => !rows.some((row) => row.finding === id && row.caught > 0))).toEqual([]);
  expect(kinds.filter((id) => !examples[id]?.mend)).toEqual([]);
  expect([caught, falseAlarms]).toEqual([seeded, 0]);
  expect(deployments.map((one) => one.name)).toEqual(allDeployments('any').map((one) => one.name));
});
