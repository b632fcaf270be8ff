import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Stack } from 'aws-cdk-lib';
import { EfsDataLayer, Writers } from '../../lib';
import { newStack, statementsOf } from '../helpers';

const IMAGE = ecs.ContainerImage.fromRegistry('example/crew:1.0');

function setUp() {
  const stack = newStack();
  const data = new EfsDataLayer(stack, 'Data');
  const task = new ecs.FargateTaskDefinition(stack, 'MyTask');
  const container = task.addContainer('Mine', { image: IMAGE });
  return { stack, data, task, container };
}

function myTask(stack: Stack) {
  return Object.values(Template.fromStack(stack).findResources('AWS::ECS::TaskDefinition')).find((task) =>
    task.Properties.Family.includes('MyTask'),
  )!.Properties;
}

describe('mountOn', () => {
  test('mounts a many-writer directory: volume, access point, role', () => {
    const { stack, data, task, container } = setUp();
    const mount = data.evidence.mountOn(task, container);
    expect(mount.mountPath).toBe('/mnt/evidence');
    expect(myTask(stack).Volumes).toHaveLength(1);
    expect(myTask(stack).ContainerDefinitions[0].MountPoints).toEqual([
      { ContainerPath: '/mnt/evidence', ReadOnly: false, SourceVolume: 'efs-evidence' },
    ]);
    expect(statementsOf(Template.fromStack(stack), 'MyTaskTaskRole')[0].Action).toEqual([
      'elasticfilesystem:ClientMount',
      'elasticfilesystem:ClientWrite',
    ]);
  });

  test('read-only: the role may not write', () => {
    const { stack, data, task, container } = setUp();
    data.evidence.mountOn(task, container, { readOnly: true, mountPath: '/mnt/in' });
    expect(myTask(stack).ContainerDefinitions[0].MountPoints[0]).toMatchObject({
      ContainerPath: '/mnt/in',
      ReadOnly: true,
    });
    expect(statementsOf(Template.fromStack(stack), 'MyTaskTaskRole')[0].Action).toBe('elasticfilesystem:ClientMount');
  });

  test('two containers of a task share one volume', () => {
    const { stack, data, task, container } = setUp();
    data.evidence.mountOn(task, container);
    data.evidence.mountOn(task, task.addContainer('Other', { image: IMAGE }));
    expect(myTask(stack).Volumes).toHaveLength(1);
    expect(statementsOf(Template.fromStack(stack), 'MyTaskTaskRole')).toHaveLength(1);
  });

  test('refuses a single-writer directory, read-only too, and says why', () => {
    const { data, task, container } = setUp();
    expect(() => data.openWebUi.mountOn(task, container)).toThrow(/single writer.*second task.*addContainer/s);
    expect(() => data.knowledge.mountOn(task, container, { readOnly: true })).toThrow(/single writer/);
  });

  test('refuses what is not Fargate', () => {
    const { stack, data } = setUp();
    const ec2Task = new ecs.Ec2TaskDefinition(stack, 'Ec2');
    const container = ec2Task.addContainer('C', { image: IMAGE, memoryLimitMiB: 128 });
    expect(() => data.evidence.mountOn(ec2Task, container)).toThrow(/not a Fargate task definition/);
  });

  test.each([
    ['evidence', /not an absolute path/],
    ['/app/backend/data', /hides \/app\/backend\/data/],
    ['/app/backend', /hides \/app\/backend\/data/],
    ['/app/backend/data/x', /hides \/app\/backend\/data/],
    ['/etc/x', /image's own \/etc/],
    ['/mnt/../etc', /are not allowed/],
    ['/', /are not allowed/],
  ])('refuses the mount path %s', (mountPath, message) => {
    const { data, task, container } = setUp();
    expect(() => data.evidence.mountOn(task, container, { mountPath })).toThrow(message);
  });
});

describe('addContainer', () => {
  test('makes the one writer under a keeper: essential, 120 seconds to stop, mounted', () => {
    const { stack, data, task } = setUp();
    data.knowledge.addContainer(task, 'Crew', { image: IMAGE, command: ['python', 'crew.py'] });
    expect(myTask(stack).ContainerDefinitions[1]).toMatchObject({
      Name: 'Crew',
      Command: ['run', '--', 'python', 'crew.py'],
      Environment: expect.arrayContaining([{ Name: 'KEEPER_STORES', Value: '*' }]),
      Essential: true,
      StopTimeout: 120,
      MountPoints: [{ ContainerPath: '/mnt/knowledge', ReadOnly: false, SourceVolume: 'efs-knowledge' }],
    });
  });

  test('guards what it is told to', () => {
    const { stack, data, task } = setUp();
    data.knowledge.addContainer(task, 'Crew', { image: IMAGE, command: ['run'], stores: ['app.db', 'index/'] });
    expect(myTask(stack).ContainerDefinitions[1].Environment).toContainEqual({
      Name: 'KEEPER_STORES',
      Value: 'app.db,index/',
    });
  });

  test.each(['../x', '/abs', 'a/b', '', '.owner', 'snapshots/'])('refuses the store %p', (store) => {
    const { data, task } = setUp();
    expect(() =>
      data.knowledge.addContainer(task, 'Crew', { image: IMAGE, command: ['run'], stores: [store] }),
    ).toThrow(/Test\/Data\/Knowledge.*stores holds.*Write app.db/s);
  });

  test('without Python in the image the keeper stands beside it and must see its process', () => {
    const { stack, data, task } = setUp();
    const options = { image: IMAGE, command: ['run'], imageHasPython: false };
    expect(() => data.knowledge.addContainer(task, 'Crew', options)).toThrow(
      /Test\/MyTask.*pidMode: ecs.PidMode.TASK/s,
    );
    const shared = new ecs.FargateTaskDefinition(stack, 'SharedMyTask', {
      pidMode: ecs.PidMode.TASK,
      runtimePlatform: { operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
    });
    shared.addContainer('First', { image: IMAGE });
    data.addWorkload('Own', { directory: '/own' }).addContainer(shared, 'App', options);
    const names = Object.values(Template.fromStack(stack).findResources('AWS::ECS::TaskDefinition'))
      .find((made) => made.Properties.Family.includes('SharedMyTask'))!
      .Properties.ContainerDefinitions.map((container: { Name: string }) => container.Name);
    expect(names).toEqual(['First', 'App', 'App-keeper']);
  });

  test('needs a command', () => {
    const { data, task } = setUp();
    expect(() => data.knowledge.addContainer(task, 'Crew', { image: IMAGE, command: [] })).toThrow(
      /has no command.*entry point/s,
    );
  });

  test('a second owner is refused, and so is a service beside it', () => {
    const { stack, data, task } = setUp();
    data.knowledge.addContainer(task, 'Crew', { image: IMAGE, command: ['run'] });
    const other = new ecs.FargateTaskDefinition(stack, 'OtherTask');
    expect(() => data.knowledge.addContainer(other, 'Crew', { image: IMAGE, command: ['run'] })).toThrow(
      /single writer, Test\/MyTask; Test\/OtherTask would be a second/,
    );
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
    expect(() => data.knowledge.runOn(cluster)).toThrow(/would be a second/);
  });
});

describe('addWorkload', () => {
  test('a directory of one’s own', () => {
    const { stack, data, task, container } = setUp();
    const reports = data.addWorkload('Reports', { directory: '/reports', writers: Writers.MANY, uid: 1001 });
    reports.mountOn(task, container);
    Template.fromStack(stack).hasResourceProperties('AWS::EFS::AccessPoint', {
      PosixUser: { Uid: '1001', Gid: '1000' },
      RootDirectory: { Path: '/reports' },
    });
  });

  test('has a single writer unless said otherwise', () => {
    expect(setUp().data.addWorkload('Mine', { directory: '/mine' }).writers).toBe(Writers.ONE);
  });

  test.each([
    ['/evidence', /overlaps \/evidence.*Test\/Data\/Evidence/s],
    ['/evidence/mine', /overlaps/],
    ['reports', /not an absolute path/],
    ['/a/b/c/d/e', /four levels/],
    ['/a b', /letters, digits/],
    ['/', /are not allowed/],
  ])('refuses the directory %s', (directory, message) => {
    expect(() => setUp().data.addWorkload('Mine', { directory, writers: Writers.MANY })).toThrow(message);
  });

  test('refuses unknown writers', () => {
    expect(() => setUp().data.addWorkload('Mine', { directory: '/mine', writers: 'FEW' as Writers })).toThrow(
      /writers is "FEW"/,
    );
  });
});

test('allowFrom lets a service in and starts it after the mount targets', () => {
  const { stack, data, task, container } = setUp();
  const mount = data.evidence.mountOn(task, container);
  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
  const service = new ecs.FargateService(stack, 'Service', {
    cluster,
    taskDefinition: task,
    minHealthyPercent: 100,
    vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
  });
  mount.allowFrom(service);
  mount.allowFrom(service); // twice is once
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
  template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 2049, ToPort: 2049, IpProtocol: 'tcp' });
  const targets = Object.keys(template.findResources('AWS::EFS::MountTarget'));
  template.hasResource('AWS::ECS::Service', { DependsOn: Match.arrayWith(targets) });
});
