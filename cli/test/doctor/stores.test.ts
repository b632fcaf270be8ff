import { DBInstance } from '@aws-sdk/client-rds';
import { cache } from '../../src/doctor/checks/cache';
import { databases } from '../../src/doctor/checks/databases';
import { loadBalancer } from '../../src/doctor/checks/load-balancer';
import { Check, Examination } from '../../src/doctor/examination';
import { Finding } from '../../src/doctor/finding';
import { Live } from '../../src/doctor/live';
import { UNKNOWN } from '../../src/doctor/promise';

async function examined(check: Check, resources: Record<string, object>, answers: object): Promise<Finding[]> {
  const promised = (type: string) =>
    type in resources ? [{ logicalId: 'One', type, id: 'one', properties: resources[type] }] : [];
  const live = { stack: { promised, stack: { StackName: 'S' } }, at: '--region r', revert: 'revert', ...answers };
  const examination = new Examination(live as unknown as Live, check.name, check.kinds);
  await check.run(examination);
  return examination.findings;
}

test.each([databases, cache, loadBalancer])('$name: a stack without them is asked nothing', async (check) => {
  // Every call would be one of something that is not there.
  expect(await examined(check, {}, {})).toEqual([]);
});

describe('a parameter that nobody set', () => {
  const TYPE = 'AWS::RDS::DBParameterGroup';
  const withDefault = (value: string) =>
    examined(
      databases,
      { [TYPE]: { Parameters: { 'rds.force_ssl': '1' } } },
      {
        rds: { parameters: async (_id: string, _of: boolean, all = false) => (all ? { 'rds.force_ssl': value } : {}) },
      },
    );

  test('has its default: the promised one is none to find', async () => {
    expect(await withDefault('1')).toEqual([]);
  });

  test('and another one is found', async () => {
    expect(await withDefault('0')).toEqual([
      expect.objectContaining({ id: 'database-plaintext', what: 'rds.force_ssl is 0; promised is 1.' }),
    ]);
  });
});

describe('what RDS does by itself is none to find', () => {
  const compared = (promised: object, live: DBInstance) =>
    examined(databases, { 'AWS::RDS::DBInstance': promised }, { rds: { instance: async () => live } });

  test.each<[string, object, DBInstance]>([
    ['a newer minor version', { EngineVersion: '18.3' }, { EngineVersion: '18.9' }],
    ['its nightly backup', {}, { DBInstanceStatus: 'backing-up' }],
    ['storage that grew', { AllocatedStorage: '20' }, { AllocatedStorage: 60 }],
    [
      'small letters',
      { DBParameterGroupName: 'S-Group' },
      { DBParameterGroups: [{ DBParameterGroupName: 's-group' }] },
    ],
    [
      'the order of its groups',
      { VPCSecurityGroups: ['sg-1', 'sg-2'] },
      { VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-2' }, { VpcSecurityGroupId: 'sg-1' }] },
    ],
    [
      'what only CloudFormation knows',
      { VPCSecurityGroups: [UNKNOWN, 'sg-2'] },
      { VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-2' }, { VpcSecurityGroupId: 'sg-1' }] },
    ],
  ])('%s', async (_what, promised, live) => {
    expect(await compared(promised, live)).toEqual([]);
  });

  test('but a stopped instance is, and started', async () => {
    const [found] = await compared({}, { DBInstanceStatus: 'stopped' });
    expect([found.id, found.mend]).toEqual([
      'database-unavailable',
      'aws rds start-db-instance --db-instance-identifier one --region r',
    ]);
  });
});
