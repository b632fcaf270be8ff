import { check, compliant, compliantBut, problems } from '../helpers';

test('compliant: declared', () => {
  expect(check(compliant())).toEqual([]);
});
test('non-compliant: a name that is not declared', () => {
  const resources = compliantBut('Td', (td) =>
    td.ContainerDefinitions[0].MountPoints.push({ SourceVolume: 'date', ContainerPath: '/mnt/date' }),
  );
  expect(check(resources)).toEqual(['MountWithoutVolume Td']);
  expect(problems(resources)[0]).toContain(
    'The container "app" mounts "date", which is not among the volumes ("data")',
  );
});
test('non-compliant: no volumes at all', () => {
  expect(check(compliantBut('Td', (td) => delete td.Volumes))).toEqual(['MountWithoutVolume Td']);
});
