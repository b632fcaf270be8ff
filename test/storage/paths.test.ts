import { Stack } from 'aws-cdk-lib';
import { overlaps, requireDirectory, requireMountPath } from '../../lib/storage/paths';

const scope = new Stack(undefined, 'Test');

test.each([
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/a/b', '/a', true],
  ['/a', '/ab', false],
  ['/ab', '/a', false],
])('%s and %s overlap: %p', (a, b, expected) => {
  expect(overlaps(a, b)).toBe(expected);
});

test.each(['/reports', '/a/b/c/d', '/team-1/2026.v1_x', `/${'x'.repeat(99)}`])('%s is a directory', (directory) => {
  expect(requireDirectory(scope, directory)).toBe(directory);
});

test.each([
  ['reports'],
  ['/'],
  ['/a/'],
  ['/a//b'],
  ['/a/../b'],
  ['/a/.'],
  ['/a/b/c/d/e'],
  [`/${'x'.repeat(100)}`],
  ['/ä'],
  [7],
])('%p is no directory', (directory) => {
  expect(() => requireDirectory(scope, directory)).toThrow(/^\[Test\] directory is .*(Pass|Use) /s);
});

test.each(['/mnt/data', '/data', '/srv/x', '/home/app/.cache', '/application'])('%s can be mounted at', (mountPath) => {
  expect(requireMountPath(scope, mountPath)).toBe(mountPath);
});

test.each([
  '/app',
  '/app/backend',
  '/app/backend/data',
  '/app/backend/data/x',
  '/etc',
  '/tmp/x',
  '/usr/local',
  '/root',
])('%s hides what the image needs', (mountPath) => {
  expect(() => requireMountPath(scope, mountPath)).toThrow(/^\[Test\] mountPath is .* hides .*Mount /s);
});
