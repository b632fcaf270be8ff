import * as fs from 'fs';
import { ARCHITECTURE_DOC, imports, trespasses, withPicture } from '../scripts/architecture';

test('the picture is what the code imports; if not, run npm run docs:architecture', () => {
  const document = fs.readFileSync(ARCHITECTURE_DOC, 'utf8');
  expect(document).toBe(withPicture(document));
});

test('a room never reaches into another room’s files, only its index or internal.ts', () => {
  expect(imports().length).toBeGreaterThan(100);
  expect(trespasses().map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('the library imports neither the command line nor an AWS SDK', () => {
  const outside = imports().filter(({ from, to }) => from.startsWith('lib/') && !to.startsWith('lib/'));
  expect(outside).toEqual([]);
});
