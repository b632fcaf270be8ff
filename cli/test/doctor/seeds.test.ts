import { createApp } from '../../../bin/app';
import { promisesOf, Template } from './promises';
import { rowOf, ROWS, TYPES_NOT_JUDGED, wrongValue } from './seeds';

// CloudFormation's own rules have nothing to do with it, and take seconds.
process.env.CDK_VALIDATION = 'false';

const template = createApp({
  context: { 'data-layer:services': 'true', 'data-layer:focusExport': 's3://my-exports/focus/cost' },
})
  .synth()
  .getStackArtifact('EfsDataLayer').template as Template;
const promises = promisesOf(template).filter(({ type }) => !(type in TYPES_NOT_JUDGED));

test('every property that the template promises has a wrong value and a finding, or the reason why not', () => {
  const without = promises.filter((one) => !rowOf(one)).map((one) => `${one.type} ${one.path.join('.')}`);
  expect([...new Set(without)]).toEqual([]);
});

test('a wrong value is another one', () => {
  const same = promises.filter((one) => {
    const row = rowOf(one);
    return row?.finding && JSON.stringify(wrongValue(row, one)) === JSON.stringify(one.value);
  });
  expect(same).toEqual([]);
});

test('at least sixty of them can be broken, and a row that fits nothing has one finding or one reason', () => {
  expect(promises.filter((one) => rowOf(one)?.finding).length).toBeGreaterThan(60);
  for (const row of Object.values(ROWS).flat()) {
    expect([row.path, (row.finding === undefined) !== (row.not === undefined)]).toEqual([row.path, true]);
  }
});
