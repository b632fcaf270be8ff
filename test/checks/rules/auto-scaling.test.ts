import { check, compliant, compliantBut, service, taskDefinition } from '../helpers';

const target = (max: unknown, ResourceId: unknown) => ({
  Scaling: {
    Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
    Properties: { MinCapacity: 0, MaxCapacity: max, ServiceNamespace: 'ecs', ResourceId },
  },
});
const BY_REFERENCE = { 'Fn::Join': ['/', ['service', 'cluster', { 'Fn::GetAtt': ['Svc', 'Name'] }]] };

test('compliant: none', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: at most one task, so that it can be stopped at night', () => {
  expect(check({ ...compliant(), ...target(1, BY_REFERENCE) })).toEqual([]);
});
test('compliant: of another service', () => {
  const other = taskDefinition((td) => {
    td.Family = 'web';
    delete td.ContainerDefinitions[0].MountPoints;
    delete td.Volumes;
  });
  const scaled = { 'Fn::Join': ['/', ['service', 'cluster', { 'Fn::GetAtt': ['Web', 'Name'] }]] };
  expect(check({ ...compliant(), WebTd: other, Web: service('WebTd'), ...target(4, scaled) })).toEqual([]);
});
test.each([
  ['by reference', BY_REFERENCE],
  ['by Fn::Sub', { 'Fn::Sub': 'service/cluster/${Svc.Name}' }],
])('non-compliant: %s', (_name, resourceId) => {
  expect(check({ ...compliant(), ...target(4, resourceId) })).toEqual(['AutoScaling Scaling']);
});
test('non-compliant: by name', () => {
  const named = compliantBut('Svc', (svc) => (svc.ServiceName = 'app'));
  expect(check({ ...named, ...target('2', 'service/cluster/app') })).toEqual(['AutoScaling Scaling']);
  expect(check({ ...named, ...target('2', 'service/cluster/my-app') })).toEqual([]);
});
