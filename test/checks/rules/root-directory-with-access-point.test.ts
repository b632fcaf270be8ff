import { check, compliant, compliantBut } from '../helpers';

const withRoot = (root: unknown) =>
  compliantBut('Td', (td) => (td.Volumes[0].EFSVolumeConfiguration.RootDirectory = root));

test('compliant: none', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: the only one ECS takes', () => {
  expect(check(withRoot('/'))).toEqual([]);
});
test('compliant, as far as this rule goes: a root directory without an access point', () => {
  const resources = withRoot('/app');
  const volumes = resources.Td.Properties!.Volumes as { EFSVolumeConfiguration: Record<string, unknown> }[];
  volumes[0].EFSVolumeConfiguration.AuthorizationConfig = { IAM: 'ENABLED' };
  expect(check(resources)).toEqual(['VolumeWithoutAccessPoint Td']);
});
test('non-compliant: any other', () => {
  expect(check(withRoot('/app'))).toEqual(['RootDirectoryWithAccessPoint Td']);
});
