// Packs the library and uses it as an installed package, with nothing beside it but its two peers: what is missing in
// the package, or required without being declared, shows here and not at the first user's.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.join(__dirname, '..');
const built = path.join(root, 'dist', 'package');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-package-'));

const APP = `
const { App, Stack } = require('aws-cdk-lib');
const ecs = require('aws-cdk-lib/aws-ecs');
const { EfsDataLayer } = require('efs-data-layer');
const stack = new Stack(new App(), 'Chat');
const data = new EfsDataLayer(stack, 'DataLayer');
const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
data.openWebUi.runOn(cluster);
data.knowledge.runOn(cluster);
data.evidence.scheduleOn(cluster);
const [{ template }] = stack.node.root.synth().stacks;
console.log(Object.keys(template.Resources).length);
`;

try {
  const [{ filename, files }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: built, encoding: 'utf8' }),
  );
  const packed = files.map((file) => file.path);
  // Read at synth or at deployment, so that no import would miss them; .jsii is what the other languages are made from.
  const sources = fs.readdirSync(path.join(root, 'lib'), { recursive: true }).map(String);
  const needed = [
    '.jsii',
    'README.md',
    'LICENSE',
    ...sources.filter((file) => /\.(py|sh|bundle|json)$/.test(file)).map((file) => `lib/${file}`),
  ];
  const missing = needed.filter((file) => !packed.includes(file));
  if (missing.length > 0) {
    throw new Error(`Not in the package: ${missing.join(', ')}. See "files" in package.json, and run npm run build.`);
  }

  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(path.join(modules, 'efs-data-layer'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    path.join(folder, filename),
    '-C',
    path.join(modules, 'efs-data-layer'),
    '--strip-components=1',
  ]);
  for (const peer of ['aws-cdk-lib', 'constructs']) {
    fs.symlinkSync(path.join(root, 'node_modules', peer), path.join(modules, peer));
  }
  fs.writeFileSync(path.join(folder, 'app.js'), APP);
  const resources = execFileSync(process.execPath, ['app.js'], { cwd: folder, encoding: 'utf8' }).trim();
  console.log(`package: ${packed.length} files; an app that installed it makes ${resources} resources`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
