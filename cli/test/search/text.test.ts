import { rowsOf } from '../../src/search/csv-rows';
import { lineOfJsonError } from '../../src/search/json-error';

async function rows(text: string, separator = ',') {
  async function* lines() {
    yield* text.split('\n').map((line, at) => ({ number: at + 1, text: line }));
  }
  const found: unknown[] = [];
  for await (const { line, fields, problem } of rowsOf(lines(), separator)) {
    found.push([line, fields ?? problem]);
  }
  return found;
}

test.each<[string, unknown[]]>([
  ['a,b', [[1, ['a', 'b']]]],
  ['a,', [[1, ['a', '']]]],
  ['"a,b","c""d",', [[1, ['a,b', 'c"d', '']]]],
  [
    '"a\nb",c\nd,e',
    [
      [1, ['a\nb', 'c']],
      [3, ['d', 'e']],
    ],
  ],
  ['a,b"c', [[1, ['a', 'b"c']]]],
  ['"a"b,c', [[1, ['ab', 'c']]]],
  ['""', [[1, ['']]]],
  [
    'a,"b\nc,d',
    [
      [1, 'a quote is not closed'],
      [2, ['c', 'd']],
    ],
  ],
])('rows of %p', async (text, expected) => {
  expect(await rows(text)).toEqual(expected);
});

test.each<[string, number]>([
  ['[\n {"a": 1},\n {"b": }\n]', 3],
  ['{"a": 1\n "b": 2}', 2],
  ['[1,\n2,\n]', 3],
  ['{"a": "x\ny"}', 1],
  ['[1]\n\n2', 3],
  ['{"a": {"b": [1, 2}}', 1],
  ['[\n1,\n2', 3],
  ['[\n1,\n2\n\n', 3],
  ['', 1],
  ['nul', 1],
])('the line of what is wrong in %p', (text, line) => {
  expect(() => JSON.parse(text) as unknown).toThrow();
  expect(lineOfJsonError(text)).toBe(line);
});
