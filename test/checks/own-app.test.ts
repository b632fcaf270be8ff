import { CfnResource, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { createApp } from '../../bin/app';
import { SingleWriterDirectories } from '../../lib/checks/single-writer-directories';
import { taskDefinitions } from '../../lib/checks/tasks';
import { AppTemplate } from '../../lib/checks/template';
import { findings } from './helpers';

const RUNNING = { 'data-layer:services': true, 'data-layer:focusExport': 's3://exports/focus/cost' };

test.each<[string, Record<string, unknown>]>([
  ['default', {}],
  ['services', RUNNING],
  ['no backup', { 'data-layer:backup': false }],
  ['both keys of dev', { 'data-layer:stage': 'dev', 'data-layer:allowDestroy': true }],
])('%s: no finding', (_name, context) => {
  expect(findings(createApp({ context }))).toEqual([]);
});

test('the directories of Open WebUI and Knowledge are seen to take one writer, that of the evidence is not', () => {
  const app = new AppTemplate(createApp({ context: RUNNING }));
  const directories = new SingleWriterDirectories(app, []);
  expect(taskDefinitions(app).flatMap((task) => directories.writtenBy(task).map(({ path }) => path))).toEqual([
    '/open-webui',
    '/knowledge',
  ]);
});

test('what is broken in it is found', () => {
  const app = createApp({ context: RUNNING });
  const resources = (app.node.children.find(Stack.isStack) as Stack).node.findAll().filter(CfnResource.isCfnResource);
  const [service] = resources.filter((node) => node instanceof ecs.CfnService);
  service.addPropertyOverride('DesiredCount', 2);
  service.addPropertyDeletionOverride('AvailabilityZoneRebalancing');
  const ofType = (type: string) => resources.find(({ cfnResourceType }) => cfnResourceType === type)!;
  ofType('AWS::EFS::FileSystem').addPropertyDeletionOverride('FileSystemPolicy');
  ofType('AWS::Backup::BackupSelection').addPropertyOverride('BackupSelection.Resources', ['arn:aws:rds:*:*:db:*']);
  expect(findings(app).map((finding) => finding.split(' ')[0])).toEqual([
    'FileSystemWithoutBackup',
    'OverlappingDeployment',
    'PlaintextAllowed',
    'ZoneRebalancing',
  ]);
});

test('a flag acknowledges its own finding only', () => {
  const app = createApp({ context: { 'data-layer:backup': false } });
  const stack = app.node.children.find(Stack.isStack) as Stack;
  const fileSystem = stack.node
    .findAll()
    .find((node) => CfnResource.isCfnResource(node) && node.cfnResourceType === 'AWS::EFS::FileSystem') as CfnResource;
  fileSystem.addOverride('DeletionPolicy', 'Delete');
  expect(findings(app).map((finding) => finding.split(' ')[0])).toEqual(['DataDeletedWithStack']);
});
