import { check, compliant, compliantBut } from '../helpers';

const FOUND = ['VolumeWithoutTls Td'];

test('compliant: ENABLED', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: a volume that is not EFS', () => {
  expect(check(compliantBut('Td', (td) => td.Volumes.push({ Name: 'scratch' })))).toEqual([]);
});
test.each([['DISABLED'], [undefined], [{ Ref: 'Parameter' }]])('non-compliant: %p', (value) => {
  const resources = compliantBut('Td', (td) => (td.Volumes[0].EFSVolumeConfiguration.TransitEncryption = value));
  expect(check(resources)).toEqual(FOUND);
});
test('non-compliant: in one outcome of a condition', () => {
  const resources = compliantBut(
    'Td',
    (td) =>
      (td.Volumes[0].EFSVolumeConfiguration.TransitEncryption = {
        'Fn::If': ['Production', 'ENABLED', { Ref: 'AWS::NoValue' }],
      }),
  );
  expect(check(resources)).toEqual(FOUND);
});
test('compliant: in every outcome of a condition', () => {
  const resources = compliantBut(
    'Td',
    (td) => (td.Volumes[0].EFSVolumeConfiguration.TransitEncryption = { 'Fn::If': ['P', 'ENABLED', 'ENABLED'] }),
  );
  expect(check(resources)).toEqual([]);
});
