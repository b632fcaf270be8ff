import { conditionsHold } from '../../src/doctor/iam/conditions';
import { isAllowed, Statement } from '../../src/doctor/iam/evaluate';
import { mayClient } from '../../src/doctor/iam/mounting';

const FS = 'arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1';
const POINT = 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-1';
const ROLE = 'arn:aws:iam::123456789012:role/chat';
const OWN: Statement[] = [
  {
    Effect: 'Allow',
    Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
    Resource: FS,
    Condition: { StringEquals: { 'elasticfilesystem:AccessPointArn': POINT } },
  },
];
const TLS: Statement = {
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: '*',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};

describe('who may mount', () => {
  const may = (
    resource: Statement[] | undefined,
    who: object,
    action: 'ClientMount' | 'ClientRootAccess' = 'ClientMount',
  ) =>
    mayClient(
      action,
      FS,
      resource === undefined ? { resource } : { identity: 'principal' in who ? OWN : [], resource },
      {
        tls: true,
        ...who,
      },
    );

  test('without a policy everybody may everything', () => {
    expect(may(undefined, { tls: false }, 'ClientRootAccess')).toBe('yes');
  });
  test('with the promised policy only the role, with TLS, through its access point', () => {
    expect(may([TLS], { principal: ROLE, accessPointArn: POINT })).toBe('yes');
    expect(may([TLS], { principal: ROLE, accessPointArn: POINT, tls: false })).toBe('no');
    expect(may([TLS], { principal: ROLE, accessPointArn: `${POINT}2` })).toBe('no');
    expect(may([TLS], { principal: ROLE })).toBe('no');
    expect(may([TLS], {})).toBe('no');
    expect(may([TLS], { principal: ROLE, accessPointArn: POINT }, 'ClientRootAccess')).toBe('no');
  });
  test('an Allow for everybody lets anonymous clients in, unless a condition asks for an identity', () => {
    const everybody: Statement = { Effect: 'Allow', Principal: '*', Action: 'elasticfilesystem:ClientMount' };
    expect(may([TLS, everybody], {})).toBe('yes');
    const known = { StringEquals: { 'aws:PrincipalAccount': '123456789012' } };
    expect(may([TLS, { ...everybody, Condition: known }], {})).toBe('no');
    const network = { StringEquals: { 'aws:SourceVpc': 'vpc-1' } };
    expect(may([TLS, { ...everybody, Condition: network }], {})).toBe('maybe');
  });
  test('an Allow for the account lets its policies decide', () => {
    const account: Statement = { Effect: 'Allow', Principal: { AWS: '123456789012' }, Action: '*' };
    expect(may([account], {})).toBe('no');
    expect(may([account], { principal: ROLE, accessPointArn: `${POINT}2` })).toBe('no');
  });
});

describe('policies', () => {
  const ask = (statement: Partial<Statement>, action = 's3:GetObject', resource = 'arn:aws:s3:::b/k') =>
    isAllowed(
      { identity: [{ Effect: 'Allow', Action: '*', Resource: '*', ...statement } as Statement], resource: [] },
      { principal: ROLE, action, resource, context: {} },
    );

  test('actions: any case, wildcards, and their opposite', () => {
    expect(ask({ Action: 'S3:get*' })).toBe('yes');
    expect(ask({ Action: 's3:Put?' })).toBe('no');
    expect(ask({ Action: undefined, NotAction: 's3:*' })).toBe('no');
    expect(ask({ Action: undefined, NotAction: ['iam:*'] })).toBe('yes');
  });
  test('resources', () => {
    expect(ask({ Resource: 'arn:aws:s3:::b/*' })).toBe('yes');
    expect(ask({ Resource: undefined, NotResource: 'arn:aws:s3:::b/*' })).toBe('no');
  });
  test('a Deny goes before every Allow; one that only may hold is not relied on', () => {
    const deny = (Condition?: object): Statement => ({ Effect: 'Deny', Action: '*', Resource: '*', Condition });
    const allow: Statement = { Effect: 'Allow', Action: '*', Resource: '*' };
    const request = { principal: ROLE, action: 'a:b', resource: 'r', context: {} };
    expect(isAllowed({ identity: [allow, deny()], resource: [] }, request)).toBe('no');
    const unknown = deny({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } });
    expect(isAllowed({ identity: [allow, unknown], resource: [] }, request)).toBe('maybe');
  });
});

test.each([
  [{ StringEquals: { k: ['a', 'b'] } }, { k: 'b' }, 'yes'],
  [{ StringNotEquals: { k: ['a', 'b'] } }, { k: 'b' }, 'no'],
  [{ StringNotEquals: { k: 'a' } }, { k: null }, 'yes'],
  [{ StringEquals: { k: 'a' } }, { k: null }, 'no'],
  [{ StringEqualsIfExists: { k: 'a' } }, { k: null }, 'yes'],
  [{ StringEquals: { k: 'a' } }, {}, 'maybe'],
  [{ StringLike: { K: 'a*c' } }, { k: 'abbc' }, 'yes'],
  [{ StringEqualsIgnoreCase: { k: 'A' } }, { k: 'a' }, 'yes'],
  [{ StringEquals: { k: '${aws:username}' } }, { k: 'a' }, 'maybe'],
  [{ ArnLike: { k: 'arn:aws:iam::*:role/x*' } }, { k: 'arn:aws:iam::123456789012:role/xy' }, 'yes'],
  [{ ArnLike: { k: 'arn:aws:iam::1*' } }, { k: 'arn:aws:iam::123456789012:role/xy' }, 'no'],
  [{ ArnNotEquals: { k: 'arn:aws:iam::1:role/a' } }, { k: 'arn:aws:iam::1:role/b' }, 'yes'],
  [{ Bool: { k: true } }, { k: 'true' }, 'yes'],
  [{ Null: { k: 'true' } }, { k: null }, 'yes'],
  [{ Null: { k: 'false' } }, { k: null }, 'no'],
  [{ IpAddress: { k: '10.1.0.0/16' } }, { k: '10.1.2.3' }, 'yes'],
  [{ NotIpAddress: { k: '10.1.0.0/16' } }, { k: '10.2.2.3' }, 'yes'],
  [{ NumericLessThan: { k: '5' } }, { k: '4' }, 'yes'],
  [{ DateGreaterThan: { k: '2026-01-01T00:00:00Z' } }, { k: '2025-01-01T00:00:00Z' }, 'no'],
  [{ 'ForAllValues:StringEquals': { k: 'a' } }, { k: null }, 'yes'],
  [{ 'ForAnyValue:StringLike': { k: 'a*' } }, { k: 'ab' }, 'yes'],
  [{ StringEquals: { k: 'a' }, Bool: { l: 'true' } }, { k: 'a', l: 'false' }, 'no'],
  [{ BinaryEquals: { k: 'a' } }, { k: 'a' }, 'maybe'],
])('%j with %j is %s', (condition, context, answer) => {
  expect(conditionsHold(condition, context as never)).toBe(answer);
});
