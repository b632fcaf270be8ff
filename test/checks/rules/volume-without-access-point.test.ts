import { check, compliant, compliantBut } from '../helpers';

test('compliant: an access point', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: an access point of another app', () => {
  const resources = compliantBut(
    'Td',
    (td) => (td.Volumes[0].EFSVolumeConfiguration.AuthorizationConfig.AccessPointId = 'fsap-0123456789abcdef0'),
  );
  expect(check(resources)).toEqual([]);
});
test('non-compliant: the whole file system', () => {
  const resources = compliantBut('Td', (td) => {
    td.Volumes[0].EFSVolumeConfiguration = {
      FilesystemId: { Ref: 'Fs' },
      TransitEncryption: 'ENABLED',
      AuthorizationConfig: { IAM: 'ENABLED' },
    };
  });
  expect(check(resources)).toEqual(['VolumeWithoutAccessPoint Td']);
});
