import { check, compliant, compliantBut } from '../helpers';

test('compliant: DISABLED', () => {
  expect(check(compliant())).toEqual([]);
});
test.each([['ENABLED'], [undefined]])('non-compliant: %p', (value) => {
  expect(check(compliantBut('Svc', (svc) => (svc.AvailabilityZoneRebalancing = value)))).toEqual([
    'ZoneRebalancing Svc',
  ]);
});
test('compliant: a service whose mount is read-only', () => {
  const resources = compliantBut('Td', (td) => (td.ContainerDefinitions[0].MountPoints[0].ReadOnly = true));
  delete resources.Svc.Properties!.AvailabilityZoneRebalancing;
  expect(check(resources)).toEqual([]);
});
