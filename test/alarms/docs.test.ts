import * as fs from 'fs';
import { ALARM_KINDS } from '../../lib/alarms/kinds';
import { alarmsDoc, ALARMS_DOC } from '../../scripts/alarm-runbooks';

test('docs/runbooks/alarms.md is what the code says (npm run docs:runbooks)', () => {
  expect(fs.readFileSync(ALARMS_DOC, 'utf8').replace(/\s+/g, ' ')).toBe(alarmsDoc().replace(/\s+/g, ' '));
});

test('every kind has a section with steps, at the address its alarms name', () => {
  const sections = fs.readFileSync(ALARMS_DOC, 'utf8').split(/^## /m).slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual(Object.keys(ALARM_KINDS));
  sections.forEach((section) => expect(section).toMatch(/^1\. \S/m));
});
