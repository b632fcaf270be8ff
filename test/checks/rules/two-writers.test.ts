import { Body, check, compliant, problems, Resources, service, taskDefinition, without } from '../helpers';

const schedule = (parameters: Record<string, unknown>): Body => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: { Target: { EcsParameters: { TaskDefinitionArn: { Ref: 'Td' }, ...parameters } } },
});
const accessPoint = (path: string): Body => ({
  Type: 'AWS::EFS::AccessPoint',
  Properties: {
    FileSystemId: { Ref: 'Fs' },
    PosixUser: { Uid: '1000', Gid: '1000' },
    RootDirectory: { Path: path },
  },
});
/** A second service, on an access point of its own, whose settings name no database. */
const second = (path: string, readOnly = false): Resources => ({
  Ap2: accessPoint(path),
  Td2: taskDefinition((td) => {
    td.Family = 'second';
    delete td.ContainerDefinitions[0].Environment;
    td.ContainerDefinitions[0].MountPoints[0].ReadOnly = readOnly;
    td.Volumes[0].EFSVolumeConfiguration.AuthorizationConfig.AccessPointId = { Ref: 'Ap2' };
  }),
  Svc2: service('Td2'),
});

test('compliant: one service', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: a schedule alone', () => {
  const rest = without(compliant(), 'Svc');
  expect(check({ ...rest, Nightly: schedule({}) })).toEqual([]);
});
test('compliant: a second service in another directory, whose name only begins alike', () => {
  expect(check({ ...compliant(), ...second('/app-logs') })).toEqual([]);
});
test('compliant: a second service that only reads', () => {
  expect(check({ ...compliant(), ...second('/app', true) })).toEqual([]);
});
test('non-compliant: two services of one task definition', () => {
  const resources = { ...compliant(), Svc2: service('Td') };
  expect(check(resources)).toEqual(['TwoWriters Svc', 'TwoWriters Svc2']);
  expect(problems(resources)[0]).toMatch(/It writes into \/app, .* and so does Test\/Svc2\. /);
});
test.each(['/app', '/', '/app/uploads'])('non-compliant: a second access point at %s', (path) => {
  expect(check({ ...compliant(), ...second(path) })).toEqual(['TwoWriters Svc', 'TwoWriters Svc2']);
});
test.each<[string, Body]>([
  ['a schedule', schedule({})],
  [
    'a rule of EventBridge',
    {
      Type: 'AWS::Events::Rule',
      Properties: { Targets: [{ EcsParameters: { TaskDefinitionArn: { 'Fn::Sub': '${Td}' } } }] },
    },
  ],
  [
    'a pipe',
    {
      Type: 'AWS::Pipes::Pipe',
      Properties: { TargetParameters: { EcsTaskParameters: { TaskDefinitionArn: 'app:7' } } },
    },
  ],
  [
    'a state machine',
    {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { DefinitionString: { 'Fn::Join': ['', ['{"TaskDefinition":"', { Ref: 'Td' }, '"}']] } },
    },
  ],
  [
    'a function',
    {
      Type: 'AWS::Lambda::Function',
      Properties: { FileSystemConfigs: [{ Arn: { 'Fn::GetAtt': ['Ap', 'Arn'] }, LocalMountPath: '/mnt/app' }] },
    },
  ],
])('non-compliant: a service and %s', (_name, Other) => {
  expect(check({ ...compliant(), Other })).toEqual(['TwoWriters Other', 'TwoWriters Svc']);
});
test('compliant: a schedule of a task definition of another app, by its family', () => {
  expect(check({ ...compliant(), Other: schedule({ TaskDefinitionArn: 'other:7' }) })).toEqual([]);
  const unnamed = compliant();
  delete unnamed.Td.Properties!.Family;
  expect(check({ ...unnamed, Other: schedule({ TaskDefinitionArn: { Ref: 'Parameter' } }) })).toEqual([]);
});
test('non-compliant: a schedule that starts two tasks', () => {
  const rest = without(compliant(), 'Svc');
  expect(check({ ...rest, Nightly: schedule({ TaskCount: 2 }) })).toEqual(['TwoWriters Nightly']);
  expect(check({ ...rest, Nightly: schedule({ TaskCount: '1' }) })).toEqual([]);
});
