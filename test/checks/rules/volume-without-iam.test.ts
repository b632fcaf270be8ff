import { check, compliant, compliantBut } from '../helpers';

test('compliant: ENABLED', () => {
  expect(check(compliant())).toEqual([]);
});
test.each([['DISABLED'], [undefined]])('non-compliant: %p', (value) => {
  const resources = compliantBut('Td', (td) => (td.Volumes[0].EFSVolumeConfiguration.AuthorizationConfig.IAM = value));
  expect(check(resources)).toEqual(['VolumeWithoutIam Td']);
});
