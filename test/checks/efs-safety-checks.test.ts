import * as fs from 'fs';
import * as path from 'path';
import { App, CfnResource, Stack, Stage, Validations } from 'aws-cdk-lib';
import { EfsSafetyChecks } from '../../lib';
import { RULES } from '../../lib/checks/rules';
import { compliant, findings, include, Resources, service, stackOf } from './helpers';

/** Breaks every rule. */
function broken(): Resources {
  const resources = compliant();
  const [volume] = resources.Td.Properties!.Volumes as Record<string, Record<string, unknown>>[];
  const [container] = resources.Td.Properties!.ContainerDefinitions as Record<string, unknown[]>[];
  container.MountPoints.push({ SourceVolume: 'absent', ContainerPath: '/mnt/absent' });
  volume.EFSVolumeConfiguration = {
    FilesystemId: { Ref: 'Fs' },
    RootDirectory: '/other',
    AuthorizationConfig: { AccessPointId: { Ref: 'Ap' } },
  };
  const open = structuredClone(resources.Td);
  (open.Properties!.Volumes as Record<string, unknown>[])[0].EFSVolumeConfiguration = { FilesystemId: { Ref: 'Fs' } };
  return {
    ...resources,
    Open: open,
    Fs: {
      Type: 'AWS::EFS::FileSystem',
      Properties: { LifecyclePolicies: [{ TransitionToArchive: 'AFTER_90_DAYS' }] },
    },
    Ap: {
      Type: 'AWS::EFS::AccessPoint',
      Properties: { FileSystemId: { Ref: 'Fs' }, PosixUser: { Uid: '0', Gid: '0' } },
    },
    Anybody: { Type: 'AWS::EFS::AccessPoint', Properties: { FileSystemId: { Ref: 'Fs' } } },
    Svc: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition: { Ref: 'Td' }, DesiredCount: 1 } },
    Twin: service('Td'),
    Scaling: {
      Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
      Properties: { MaxCapacity: 2, ResourceId: { 'Fn::Sub': 'service/c/${Svc.Name}' } },
    },
  };
}

const inMemory = () => new App({ builtinCloudFormationValidation: false });

/** What stops the synth, as "rule resource". */
function synthFindings(app: App): string[] {
  try {
    app.synth();
    return [];
  } catch (error) {
    return [...(error as Error).message.matchAll(/\n {3}(\S+) \(\w+\)[^]*?Acknowledge with 'EfsSafety::(\S+)'/g)]
      .map(([, resource, rule]) => `${rule.replace('EfsSafety-', '')} ${resource.replace('Test/', '')}`)
      .sort();
  }
}

function brokenApp(): { app: App; stack: Stack } {
  const app = inMemory();
  const stack = new Stack(app, 'Test');
  include(stack, broken());
  Validations.of(app).addPlugins(new EfsSafetyChecks(app));
  return { app, stack };
}

describe('a finding', () => {
  test('of every rule stops the synth', () => {
    const found = synthFindings(brokenApp().app);
    expect(found).toEqual(findings(stackOf(broken()).app));
    const rules = new Set(found.map((finding) => finding.split(' ')[0]));
    expect([...rules].sort()).toEqual(RULES.map(({ name }) => name).sort());
  });
  test('names path and logical id, what is wrong, why, the way out and the id to acknowledge', () => {
    const app = inMemory();
    const stack = new Stack(app, 'Test');
    include(stack, { Fs: { ...compliant().Fs, DeletionPolicy: 'Delete' } });
    (stack.node.findChild('Fs') as CfnResource).overrideLogicalId('Renamed');
    Validations.of(app).addPlugins(new EfsSafetyChecks(app));
    expect(() => app.synth()).toThrow(
      /ERROR DeletionPolicy is "Delete"\. .*takes the data with it\. \(EfsSafety\)\n {3}Test\/Fs \(Renamed\).*\n {3}Suggested fix: Call applyRemovalPolicy.*\n {3}Acknowledge with 'EfsSafety::EfsSafety-DataDeletedWithStack'/,
    );
  });
  test('none: the synth goes through', () => {
    const app = inMemory();
    include(new Stack(app, 'Test'), compliant());
    Validations.of(app).addPlugins(new EfsSafetyChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});

describe('an acknowledgement silences one rule on one resource and nothing else', () => {
  const all = findings(stackOf(broken()).app);
  const each = [...new Set(all)].map((finding) => finding.split(' ') as [string, string]);

  test.each(each)('%s on %s', (rule, resource) => {
    const rest = all.filter((finding) => finding !== `${rule} ${resource}`);
    for (const id of [`EfsSafety-${rule}`, `EfsSafety::EfsSafety-${rule}`]) {
      const { app, stack } = brokenApp();
      Validations.of(stack.node.findChild(resource)).acknowledge({ id, reason: 'Tested.' });
      expect(findings(app)).toEqual(rest);
      expect(synthFindings(app)).toEqual(rest);
    }
  });
  test('on a stack it counts for the resources of that stack only', () => {
    const app = inMemory();
    const stacks = ['One', 'Two'].map((id) => new Stack(app, id));
    stacks.forEach((stack) => include(stack, broken()));
    Validations.of(stacks[0]).acknowledge({ id: 'EfsSafety-PlaintextAllowed', reason: 'Tested.' });
    expect(findings(app).filter((finding) => finding.startsWith('Plaintext'))).toEqual(['PlaintextAllowed Two/Fs']);
  });
  test('of another rule counts for nothing', () => {
    const { app, stack } = brokenApp();
    Validations.of(stack).acknowledge({ id: 'AwsSolutions-ECS2', reason: 'Tested.' });
    Validations.of(stack).acknowledge({ id: 'EfsSafety-Plaintext', reason: 'Tested.' });
    expect(synthFindings(app)).toEqual(all);
  });
  test('by the id the report prints is listed in the report, with its reason', () => {
    const app = inMemory();
    const stack = new Stack(app, 'Test');
    include(stack, { Fs: { ...compliant().Fs, DeletionPolicy: 'Delete' } });
    Validations.of(stack).acknowledge({ id: 'EfsSafety::EfsSafety-DataDeletedWithStack', reason: 'A scratch disk.' });
    Validations.of(app).addPlugins(new EfsSafetyChecks(app));
    const report = fs.readFileSync(path.join(app.synth().directory, 'validation-report.json'), 'utf8');
    expect(JSON.parse(report).pluginReports).toMatchObject([
      { pluginName: 'EfsSafety', conclusion: 'success', suppressedViolations: [{ reason: 'A scratch disk.' }] },
    ]);
  });
});

describe('what is reported', () => {
  test('only below the scope, but with the writers of other stacks', () => {
    const app = inMemory();
    const [one, two] = ['One', 'Two'].map((id) => new Stack(app, id));
    include(one, compliant());
    new CfnResource(two, 'Other', {
      type: 'AWS::ECS::Service',
      properties: { ...service('').Properties, TaskDefinition: (one.node.findChild('Td') as CfnResource).ref },
    });
    const writers = (scope?: Stack) =>
      new EfsSafetyChecks(scope)
        .validateScope(app)
        .violations.flatMap(({ violatingResources }) => violatingResources.map(({ constructPath }) => constructPath));
    expect(writers()).toEqual(['One/Svc', 'Two/Other']);
    expect(writers(two)).toEqual(['Two/Other']);
    expect(new EfsSafetyChecks().validateScope(one).violations).toHaveLength(1);
  });
  test('only the stage the plugin was added to', () => {
    const app = inMemory();
    const [dev, prod] = ['Dev', 'Prod'].map((id) => new Stage(app, id));
    [dev, prod].forEach((stage) => include(new Stack(stage, 'Stack'), broken()));
    Validations.of(prod).addPlugins(new EfsSafetyChecks(prod));
    const found = synthFindings(app);
    expect(found).toHaveLength(findings(stackOf(broken()).app).length);
    expect(found.every((finding) => finding.includes(' Prod/Stack/'))).toBe(true);
  });
});

describe('the pack', () => {
  test('is imported without cdk-nag', () => {
    jest.isolateModules(() => {
      jest.doMock('cdk-nag', () => {
        throw new Error('cdk-nag is not there');
      });
      expect(new (require('../../lib').EfsSafetyChecks)().ruleIds).toHaveLength(RULES.length);
    });
  });
  test('has one file for each rule, named for its finding, and one test file for it', () => {
    const kebab = (name: string) => name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();
    const expected = RULES.map(({ name }) => kebab(name)).sort();
    const files = (folder: string, end: string) =>
      fs
        .readdirSync(path.join(__dirname, folder))
        .filter((file) => file.endsWith(end) && !file.endsWith('.d.ts') && !file.startsWith('index.'))
        .map((file) => file.slice(0, -end.length))
        .sort();
    expect(files('../../lib/checks/rules', '.ts')).toEqual(expected);
    expect(files('rules', '.test.ts')).toEqual(expected);
  });
});
