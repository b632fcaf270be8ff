import { createApp } from '../../../bin/app';
import { deployments } from './deployments';
import { promisesOf, Template } from './promises';
import { rowOf, ROWS, TYPES_NOT_JUDGED, wrongValue } from './seeds';

// CloudFormation's own rules have nothing to do with it, and take seconds.
process.env.CDK_VALIDATION = 'false';

const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/0f6a2c1e-0000-4000-8000-000000000000';
const templates = deployments(CERTIFICATE).map(({ flags }) => {
  const context = Object.fromEntries(Object.entries(flags).map(([name, value]) => [`data-layer:${name}`, value]));
  return createApp({ context }).synth().getStackArtifact('EfsDataLayer').template as Template;
});
const promises = templates.flatMap(promisesOf).filter(({ type }) => !(type in TYPES_NOT_JUDGED));

test('every property that a template promises has a wrong value and a finding, or the reason why not', () => {
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

test.each(['RDS::DBInstance', 'RDS::DBCluster', 'ElastiCache::ServerlessCache', 'ElasticLoadBalancingV2::Listener'])(
  'AWS::%s is promised, and broken',
  (type) => {
    expect(promises.filter((one) => one.type === `AWS::${type}` && rowOf(one)?.finding)).not.toEqual([]);
  },
);

test('at least sixty of them can be broken, and a row that fits nothing has one finding or one reason', () => {
  expect(promises.filter((one) => rowOf(one)?.finding).length).toBeGreaterThan(60);
  for (const row of Object.values(ROWS).flat()) {
    expect([row.path, (row.finding === undefined) !== (row.not === undefined)]).toEqual([row.path, true]);
  }
});
