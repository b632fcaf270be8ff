import { check, compliant, compliantBut, problems } from '../helpers';

const DENY = {
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: '*',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};
const withPolicy = (...Statement: unknown[]) => compliantBut('Fs', (fs) => (fs.FileSystemPolicy = { Statement }));

test('compliant: everybody without TLS is refused', () => {
  expect(check(compliant())).toEqual([]);
});
test.each<[string, object]>([
  ['any principal', { ...DENY, Principal: '*' }],
  ['the actions of EFS', { ...DENY, Action: ['elasticfilesystem:*', 'backup:*'] }],
  ['a boolean', { ...DENY, Condition: { Bool: { 'aws:SecureTransport': false } } }],
  ['a list', { ...DENY, Condition: { Bool: { 'aws:SecureTransport': ['false'] } } }],
])('compliant: written with %s', (_name, statement) => {
  expect(check(withPolicy({ Effect: 'Allow', Principal: '*', Action: '*' }, statement))).toEqual([]);
});
test('compliant: a statement that is no list', () => {
  expect(check(compliantBut('Fs', (fs) => (fs.FileSystemPolicy = { Statement: DENY })))).toEqual([]);
});
test('non-compliant: no policy', () => {
  const resources = compliantBut('Fs', (fs) => delete fs.FileSystemPolicy);
  expect(check(resources)).toEqual(['PlaintextAllowed Fs']);
  expect(problems(resources)[0]).toMatch(/^FileSystemPolicy is not set/);
  expect(problems(withPolicy())[0]).toMatch(/^No statement of FileSystemPolicy refuses/);
});
test.each<[string, object]>([
  ['allows', { ...DENY, Effect: 'Allow' }],
  ['refuses one role only', { ...DENY, Principal: { AWS: 'arn:aws:iam::111122223333:role/app' } }],
  ['refuses one action only', { ...DENY, Action: 'elasticfilesystem:ClientWrite' }],
  ['refuses those with TLS', { ...DENY, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }],
  ['refuses in one more case only', { ...DENY, Condition: { ...DENY.Condition, StringEquals: { a: 'b' } } }],
  ['has no condition', { ...DENY, Condition: undefined }],
])('non-compliant: the statement %s', (_name, statement) => {
  expect(check(withPolicy(statement))).toEqual(['PlaintextAllowed Fs']);
});
