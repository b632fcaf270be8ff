import { differences } from '../../src/doctor/compare';
import { isPinned } from '../../src/doctor/checks/images';
import { sqliteUrlProblem } from '../../src/doctor/checks/sqlite-url';
import { resolve, UNKNOWN } from '../../src/doctor/promise';

const MOUNTS = ['/mnt/open-webui'];

test.each([
  'sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl&uri=true',
  'sqlite+aiosqlite:///file:///mnt/open-webui/webui.db?uri=true&vfs=unix-excl',
  'postgresql://u@h/db',
])('%s is on the volume, and exclusive', (url) => {
  expect(sqliteUrlProblem(url, MOUNTS)).toBeUndefined();
});

test.each([
  ['sqlite:///mnt/open-webui/webui.db', /relative to the working directory/],
  ['sqlite:////mnt/open-webui/webui.db', /unix-excl/],
  ['sqlite:////mnt/open-webui-other/webui.db', /not below/],
  ['sqlite:///file:webui.db?vfs=unix-excl&uri=true', /relative/],
  ['sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl', /relative/],
  ['sqlite:///file:/mnt/open-webui/webui.db?uri=true', /unix-excl/],
])('%s is not', (url, problem) => {
  expect(sqliteUrlProblem(url, MOUNTS)).toMatch(problem);
});

test.each([
  ['ghcr.io/a/b:v1.2', true],
  [`a@sha256:${'0'.repeat(64)}`, true],
  ['localhost:5000/a', false],
  ['a:latest', false],
  ['a:main', false],
])('%s is pinned: %s', (image, pinned) => {
  expect(isPinned(image)).toBe(pinned);
});

const NAMES = {
  stackName: 'S',
  stackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/S/1-2-3-4-5',
  parameters: { P: 'parameter' },
  resources: { Role: { type: 'AWS::IAM::Role', id: 'role-1' }, Other: { type: 'AWS::X::Y', id: 'y' } },
};

test.each([
  [{ Ref: 'Role' }, 'role-1'],
  [{ Ref: 'P' }, 'parameter'],
  [{ Ref: 'AWS::Region' }, 'eu-west-1'],
  [{ 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn:aws:iam::123456789012:role/role-1'],
  [{ 'Fn::GetAtt': ['Other', 'Arn'] }, UNKNOWN],
  [{ 'Fn::Join': ['/', ['a', { Ref: 'Role' }]] }, 'a/role-1'],
  [{ 'Fn::Join': ['/', ['a', { Ref: 'Nothing' }]] }, UNKNOWN],
  [
    {
      'Fn::Select': [4, { 'Fn::Split': ['-', { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] }] }],
    },
    '5',
  ],
  [{ 'Fn::If': ['C', 1, 2] }, UNKNOWN],
])('%j is %p', (value, resolved) => {
  expect(resolve({ a: [value] }, NAMES)).toEqual({ a: [resolved] });
});

test('what only CloudFormation knows equals everything; numbers and texts of them, too', () => {
  expect(differences({ a: UNKNOWN, b: '1024', c: ['x'], d: false }, { a: 'z', b: 1024, c: 'x', more: 1 })).toEqual([]);
});

test('lists of named things are compared by name, and additions where all is promised', () => {
  const promised = {
    environment: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
  };
  const live = {
    environment: [
      { name: 'B', value: '3' },
      { name: 'C', value: '4' },
      { name: 'A', value: '1' },
    ],
  };
  expect(differences(promised, live, ['environment']).map((one) => [one.path.join('.'), one.live])).toEqual([
    ['environment.B', '3'],
    ['environment.C', '4'],
  ]);
  expect(differences(promised, live)).toHaveLength(1);
});
