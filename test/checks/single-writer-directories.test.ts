import * as efs from 'aws-cdk-lib/aws-efs';
import { App, CfnResource, Stack, Tags } from 'aws-cdk-lib';
import {
  check,
  compliant,
  compliantBut,
  findings,
  include,
  Resources,
  service,
  taskDefinition,
  without,
} from './helpers';

/** A service with default deployment settings that mounts a directory nobody would take for a database. */
function plain(change: (resources: Resources) => void = () => undefined): Resources {
  const resources = compliantBut('Td', (td) => delete td.ContainerDefinitions[0].Environment);
  resources.Svc.Properties = { TaskDefinition: { Ref: 'Td' }, DesiredCount: 3 };
  change(resources);
  return resources;
}
const tag = (Value: string) => (resources: Resources) => {
  resources.Ap.Properties!.AccessPointTags = [{ Key: 'data-layer:writers', Value }];
};
const SINGLE = expect.arrayContaining(['OverlappingDeployment Svc', 'ZoneRebalancing Svc']);

test('a directory of which nothing is said may have many writers', () => {
  expect(check(plain())).toEqual([]);
});
test.each(['one', 'ONE'])('the tag says %s', (value) => {
  expect(check(plain(tag(value)))).toEqual(SINGLE);
});
test('the tag is seen as the CDK writes it', () => {
  const tagged = (value?: string) => {
    const app = new App({ builtinCloudFormationValidation: false });
    const stack = new Stack(app, 'Test');
    include(stack, without(plain(), 'Ap'));
    const point = new efs.CfnAccessPoint(stack, 'Ap', {
      fileSystemId: (stack.node.findChild('Fs') as CfnResource).ref,
      posixUser: { uid: '1000', gid: '1000' },
    });
    if (value) {
      Tags.of(point).add('data-layer:writers', value);
    }
    app.synth();
    return findings(app);
  };
  expect(tagged()).toEqual([]);
  expect(tagged('one')).toEqual(SINGLE);
});
test('an access point whose directory depends on a condition counts for each of them', () => {
  const resources = plain(tag('one'));
  resources.Ap.Properties!.RootDirectory = { Path: { 'Fn::If': ['Blue', '/blue', '/green'] } };
  expect(check(resources)).toEqual(SINGLE);
});
test('the tag says many, whatever the container looks like', () => {
  const resources = plain(tag('many'));
  const [container] = resources.Td.Properties!.ContainerDefinitions as Record<string, unknown>[];
  container.Environment = [{ Name: 'DATABASE_URL', Value: 'sqlite:////mnt/app/app.db' }];
  expect(check(resources)).toEqual([]);
  delete resources.Ap.Properties!.AccessPointTags;
  expect(check(resources)).toEqual(SINGLE);
});
test('a database beside the mount is none on it', () => {
  const resources = plain();
  const [container] = resources.Td.Properties!.ContainerDefinitions as Record<string, unknown>[];
  container.Environment = [{ Name: 'DATABASE_URL', Value: 'sqlite:////mnt/application/app.db' }];
  expect(check(resources)).toEqual([]);
});
test('a database behind an access point of another app is seen', () => {
  const resources = plain();
  const [container] = resources.Td.Properties!.ContainerDefinitions as Record<string, unknown>[];
  container.Environment = [{ Name: 'DATABASE_URL', Value: 'sqlite:////mnt/app/app.db' }];
  const [volume] = resources.Td.Properties!.Volumes as { EFSVolumeConfiguration: Record<string, unknown> }[];
  volume.EFSVolumeConfiguration.AuthorizationConfig = { AccessPointId: 'fsap-1', IAM: 'ENABLED' };
  expect(check(resources)).toEqual(SINGLE);
});
test.each<[string, number]>([
  ['/app', 2],
  ['/other', 0],
])('without access points the root directory counts: %s', (RootDirectory, writers) => {
  const resources = compliant();
  const rooted = (root: string) => ({
    FilesystemId: { Ref: 'Fs' },
    TransitEncryption: 'ENABLED',
    RootDirectory: root,
    AuthorizationConfig: { IAM: 'ENABLED' },
  });
  const task = (root: string, family: string) =>
    taskDefinition((td) => {
      td.Family = family;
      td.Volumes[0].EFSVolumeConfiguration = rooted(root);
    });
  const Td2 = task(RootDirectory, 'second');
  delete (Td2.Properties!.ContainerDefinitions as Record<string, unknown>[])[0].Environment;
  const found = check({ ...resources, Td: task('/app', 'app'), Td2, Svc2: service('Td2') });
  expect(found.filter((finding) => finding.startsWith('TwoWriters'))).toHaveLength(writers);
});
describe('declared', () => {
  function declared(resources: Resources, point: (stack: Stack) => efs.IAccessPointRef): string[] {
    const app = new App();
    const stack = new Stack(app, 'Test');
    include(stack, resources);
    return findings(app, { singleWriterDirectories: [point(stack)] });
  }
  const mounting = (AccessPointId: unknown) =>
    plain(({ Td }) => {
      const [volume] = Td.Properties!.Volumes as { EFSVolumeConfiguration: Record<string, unknown> }[];
      volume.EFSVolumeConfiguration.AuthorizationConfig = { AccessPointId, IAM: 'ENABLED' };
    });

  test('an access point of another app, by its id', () => {
    const imported = (id: string) => (stack: Stack) =>
      efs.AccessPoint.fromAccessPointId(stack, 'Imported', id) as efs.IAccessPointRef;
    expect(declared(mounting('fsap-1'), imported('fsap-1'))).toEqual(SINGLE);
    expect(declared(mounting('fsap-1'), imported('fsap-2'))).toEqual([]);
  });
  test('an L1, in a template that refers to it by its logical id', () => {
    const l1 = (stack: Stack) => {
      stack.node.tryRemoveChild('Ap');
      const point = new efs.CfnAccessPoint(stack, 'Ap', {
        fileSystemId: (stack.node.findChild('Fs') as CfnResource).ref,
        posixUser: { uid: '1000', gid: '1000' },
        rootDirectory: { path: '/app' },
      });
      point.overrideLogicalId('Ap');
      return point;
    };
    expect(declared(plain(), l1)).toEqual(SINGLE);
  });
});
