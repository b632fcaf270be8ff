import * as fs from 'fs';
import * as path from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { findings } from './helpers';

const FOLDER = path.join(__dirname, '../../emulator/tests/templates');

/** Valid, but not safe: what every one of the templates has in common. */
const CLEAN = [
  'DataDeletedWithStack Fs',
  'DataDeletedWithStack Fs',
  'FileSystemWithoutBackup Fs',
  'PlaintextAllowed Fs',
];

/** The faults that are about data on EFS. The others are for CloudFormation's own validation and the emulator. */
const CAUGHT: Record<string, string> = {
  'access-point-without-tls.json': 'VolumeWithoutTls Td',
  'archive-with-bursting.json': 'ArchiveWithoutElasticThroughput Fs',
  'mount-point-without-volume.json': 'MountWithoutVolume Td',
  'root-directory-with-access-point.json': 'RootDirectoryWithAccessPoint Td',
};
/** What other templates draw for the resource they add. */
const ADDED: Record<string, string[]> = {
  'aurora-version-unknown.json': ['DataDeletedWithStack Db'],
  'vector-collection-without-encryption-policy.json': ['DataDeletedWithStack Coll', 'DataDeletedWithStack Coll'],
};
/** The CDK does not even include these. */
const REFUSED = ['dangling-ref.json', 'mount-target-without-security-group.json'];

function found(file: string): string[] {
  const app = new App();
  const include = new CfnInclude(new Stack(app, 'Test'), 'Template', { templateFile: path.join(FOLDER, file) });
  expect(include.getResource('Fs')).toBeDefined();
  return findings(app).map((finding) => finding.replace('Template/', ''));
}

const files = fs.readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

test('the templates are there', () => {
  expect(files).toEqual(expect.arrayContaining(['clean.json', ...Object.keys(CAUGHT)]));
});
test.each(files.filter((file) => !REFUSED.includes(file)))('%s', (file) => {
  expect(found(file)).toEqual([...CLEAN, ...[CAUGHT[file] ?? []].flat(), ...(ADDED[file] ?? [])].sort());
});
test.each(REFUSED)('%s is refused by the CDK', (file) => {
  expect(() => found(file)).toThrow();
});
