import { Answer, conditionsHold, Context, like } from '../../src/doctor/iam/conditions';
import { isAllowed, Request, Statement, statementsOf } from '../../src/doctor/iam/evaluate';

const ROLE = 'arn:aws:iam::123456789012:role/chat';
const VOLUME = 'arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1';
const POINT = 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-1';
const MOUNT = 'elasticfilesystem:ClientMount';

function ask(identity: Statement[], resource: Statement[], over: Partial<Request> = {}): Answer {
  const context = { 'aws:SecureTransport': 'true', 'elasticfilesystem:AccessPointArn': POINT, ...over.context };
  return isAllowed({ identity, resource }, { principal: ROLE, action: MOUNT, resource: VOLUME, ...over, context });
}

const allow = (over: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action: MOUNT,
  Resource: VOLUME,
  ...over,
});
const deny = (over: Partial<Statement> = {}): Statement => ({
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: '*',
  ...over,
});

test.each<[string, Statement[], Statement[], Partial<Request>, Answer]>([
  ['nothing said is not allowed', [], [], {}, 'no'],
  ['an identity policy allows', [allow()], [], {}, 'yes'],
  ['another action', [allow()], [], { action: 'elasticfilesystem:ClientWrite' }, 'no'],
  ['actions know no case', [allow({ Action: 'ElasticFileSystem:clientMOUNT' })], [], {}, 'yes'],
  ['a star in an action', [allow({ Action: ['s3:*', 'elasticfilesystem:Client*'] })], [], {}, 'yes'],
  ['NotAction', [allow({ Action: undefined, NotAction: 'elasticfilesystem:*' })], [], {}, 'no'],
  ['NotAction of something else', [allow({ Action: undefined, NotAction: 's3:*' })], [], {}, 'yes'],
  ['another resource', [allow({ Resource: `${VOLUME}2` })], [], {}, 'no'],
  ['a pattern of resources', [allow({ Resource: 'arn:aws:elasticfilesystem:*:*:file-system/fs-?' })], [], {}, 'yes'],
  ['NotResource', [allow({ Resource: undefined, NotResource: VOLUME })], [], {}, 'no'],
  ['a Deny of the resource wins', [allow()], [deny()], {}, 'no'],
  ['a Deny of the identity wins', [allow(), allow({ Effect: 'Deny' })], [], {}, 'no'],
  ['a Deny for others', [allow()], [deny({ Principal: { AWS: `${ROLE}2` } })], {}, 'yes'],
  ['a Deny for all but one', [allow()], [deny({ Principal: undefined, NotPrincipal: { AWS: ROLE } })], {}, 'yes'],
  ['the resource allows everybody', [], [allow({ Principal: '*', Resource: undefined })], {}, 'yes'],
  ['and the anonymous', [], [allow({ Principal: '*' })], { principal: undefined }, 'yes'],
  ['the resource allows this role', [], [allow({ Principal: { AWS: ROLE } })], {}, 'yes'],
  ['a service is no role', [], [allow({ Principal: { Service: 'ecs.amazonaws.com' } })], {}, 'no'],
  ['its own account only delegates', [], [allow({ Principal: { AWS: '123456789012' } })], {}, 'no'],
  ['its account is denied', [allow()], [deny({ Principal: { AWS: 'arn:aws:iam::123456789012:root' } })], {}, 'no'],
  [
    'a Deny that may hold',
    [allow()],
    [deny({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })],
    {},
    'maybe',
  ],
])('%s', (_name, identity, resource, over, answer) => {
  expect(ask(identity, resource, over)).toBe(answer);
});

const KNOWN: Context = {
  'aws:SecureTransport': 'false',
  'elasticfilesystem:AccessPointArn': POINT,
  'elasticfilesystem:AccessedViaMountTarget': 'true',
  'aws:SourceIp': '10.1.2.3',
  'aws:PrincipalTag/team': null,
  'aws:CurrentTime': '2026-11-25T00:00:00Z',
  count: '5',
};

test.each<[string, Record<string, Record<string, unknown>>, Answer]>([
  ['none', {}, 'yes'],
  ['a boolean, as text', { Bool: { 'aws:SecureTransport': 'false' } }, 'yes'],
  ['a boolean, as JSON', { Bool: { 'aws:SecureTransport': true } }, 'no'],
  ['keys know no case', { Bool: { 'AWS:securetransport': 'false' } }, 'yes'],
  ['EFS’s own key', { Bool: { 'elasticfilesystem:AccessedViaMountTarget': 'true' } }, 'yes'],
  ['one of several values', { StringEquals: { count: ['4', '5'] } }, 'yes'],
  ['every key must hold', { StringEquals: { count: '5', 'aws:SourceIp': '10.1.2.4' } }, 'no'],
  ['every operator must hold', { StringEquals: { count: '5' }, NumericLessThan: { count: '5' } }, 'no'],
  [
    'a pattern of ARNs',
    { ArnLike: { 'elasticfilesystem:AccessPointArn': 'arn:aws:elasticfilesystem:*:*:access-point/*' } },
    'yes',
  ],
  ['which stays between colons', { ArnLike: { 'elasticfilesystem:AccessPointArn': 'arn:*:access-point/*' } }, 'no'],
  ['a network', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, 'yes'],
  ['not a network', { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, 'no'],
  ['a number', { NumericGreaterThanEquals: { count: 5 } }, 'yes'],
  ['a date', { DateLessThan: { 'aws:CurrentTime': '2026-11-26T00:00:00Z' } }, 'yes'],
  ['an absent key equals nothing', { StringEquals: { 'aws:PrincipalTag/team': 'a' } }, 'no'],
  ['and differs from everything', { StringNotEquals: { 'aws:PrincipalTag/team': 'a' } }, 'yes'],
  ['IfExists', { StringEqualsIfExists: { 'aws:PrincipalTag/team': 'a' } }, 'yes'],
  ['Null', { Null: { 'aws:PrincipalTag/team': 'true' } }, 'yes'],
  ['not Null', { Null: { count: 'true' } }, 'no'],
  ['a key nobody knows', { StringEquals: { 'aws:SourceVpce': 'vpce-1' } }, 'maybe'],
  ['an operator nobody knows', { BinaryEquals: { count: 'NQ==' } }, 'maybe'],
  ['a variable', { StringEquals: { count: '${aws:username}' } }, 'maybe'],
])('condition: %s', (_name, condition, answer) => {
  expect(conditionsHold(condition, KNOWN)).toBe(answer);
});

test('patterns are patterns of IAM, not of regular expressions', () => {
  expect(like('a.b', 'a.b')).toBe(true);
  expect(like('axb', 'a.b')).toBe(false);
  expect(like('a/b\nc', 'a*c')).toBe(true);
  expect(like('abc', 'a?')).toBe(false);
});

test('a policy may hold one statement or a list', () => {
  expect(statementsOf('{"Statement":{"Effect":"Deny"}}')).toEqual([{ Effect: 'Deny' }]);
  expect(statementsOf('{"Statement":[{"Effect":"Deny"}]}')).toEqual([{ Effect: 'Deny' }]);
  expect(statementsOf('{}')).toEqual([]);
});
