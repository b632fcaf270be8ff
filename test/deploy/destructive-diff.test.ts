import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { Deployment } from './deployment';

jest.setTimeout(300_000);

const ROOT = path.join(__dirname, '..', '..');
let deployment: Deployment;
let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'destructive-diff-'));
  deployment = await Deployment.start();
  await deployment.deploy();
});

afterAll(async () => {
  await deployment?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const diff = (...args: string[]) => deployment.cdk('diff', '--method=template', '--fail-on', 'destructive', ...args);

/** The app as it is, with its stack edited by a line of code. */
function editedApp(name: string, edit: string): string[] {
  const file = path.join(folder, `${name}.ts`);
  fs.writeFileSync(
    file,
    `import { CfnResource, Stack } from ${JSON.stringify(require.resolve('aws-cdk-lib'))};
import { createApp } from ${JSON.stringify(path.join(ROOT, 'bin', 'app'))};
const app = createApp();
const stack = app.node.children.find(Stack.isStack) as Stack;
const first = (type: string) =>
  stack.node.findAll().find((node) => CfnResource.isCfnResource(node) && node.cfnResourceType === type) as CfnResource;
${edit}
app.synth();
`,
  );
  return ['--app', `npx tsx ${file}`];
}

test('cdk diff lets pass what only adds, or changes in place', async () => {
  expect(await diff()).toMatchObject({ code: 0 });
  expect(await diff('-c', 'data-layer:services=true')).toMatchObject({
    code: 0,
    output: expect.stringContaining('[+] AWS::ECS::Service'),
  });
});

test.each<[string, string, RegExp]>([
  [
    'another logical id of the volume',
    "first('AWS::EFS::FileSystem').overrideLogicalId('Renamed');",
    /\[-\] AWS::EFS::FileSystem .* orphan/,
  ],
  [
    'another directory of an access point',
    "first('AWS::EFS::AccessPoint').addPropertyOverride('RootDirectory.Path', '/elsewhere');",
    /\[~\] AWS::EFS::AccessPoint .* replace/,
  ],
])('cdk diff refuses %s', async (name, edit, line) => {
  const { code, output } = await diff(...editedApp(name.replace(/ /g, '-'), edit));
  expect(output).toMatch(line);
  expect(code).toBe(1);
});
