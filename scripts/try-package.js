// Packs both packages and holds what is in them to the sources; installs the library in an empty project, which must
// pull nothing but its two peers, and uses it there. What is missing in the package, or required without being
// declared, shows here and not at the first user's.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { install, installed, pack, root } = require('./packed');

const { devDependencies } = require('../package.json');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-package-'));
const MOST_BYTES = 2_000_000;

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

/** Every file of a folder, from the root of the repository. */
function filesBelow(directory) {
  return fs
    .readdirSync(path.join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));
}

/** .jsii is what the other languages are made from; programs and prices are read at synth or at deployment. */
function libraryFiles() {
  const sources = filesBelow('lib').filter((file) => !/\.(js|d\.ts)$|__pycache__/.test(file));
  const readAtRunTime = /\.(py|sh|bundle)$|\/(prices|analytics)\/.*\.json$/;
  return [
    '.jsii',
    'LICENSE',
    'README.md',
    'package.json',
    ...sources.filter((file) => readAtRunTime.test(file)),
    ...sources
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [file.replace(/\.ts$/, '.js'), file.replace(/\.ts$/, '.d.ts')]),
  ];
}

/** What is compiled of the command line and of the library it imports, and what it reads at run time. */
function cliFiles() {
  const cli = path.join(root, 'cli');
  const { options, fileNames } = compilation(cli);
  const ts = require('typescript');
  const compiled = ts
    .createProgram(fileNames, options)
    .getSourceFiles()
    .map(({ fileName }) => path.relative(root, fileName))
    .filter((file) => !file.startsWith('..') && !file.includes('node_modules') && !file.endsWith('.d.ts'))
    .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
  const { READ_AT_RUN_TIME, TASK_BUNDLES } = require('../cli/scripts/read-at-run-time');
  return [
    'LICENSE',
    'README.md',
    'package.json',
    'bin/efs-data-layer.js',
    ...compiled,
    ...[...Object.values(TASK_BUNDLES), ...READ_AT_RUN_TIME()].map((file) => `dist/${file}`),
  ];
}

function compilation(cli) {
  const ts = require('typescript');
  const { config } = ts.readConfigFile(path.join(cli, 'tsconfig.json'), ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, cli);
}

function requireExactly(name, packed, wanted) {
  const surplus = packed.filter((file) => !wanted.includes(file));
  const missing = wanted.filter((file) => !packed.includes(file));
  if (surplus.length + missing.length > 0) {
    throw new Error(
      `The package ${name} is not what it should be: missing ${missing.join(', ') || 'nothing'}; too much ${surplus.join(', ') || 'nothing'}. See "files" in its package.json.`,
    );
  }
}

try {
  const library = pack(folder);
  requireExactly('efs-data-layer', library.files, libraryFiles());
  if (library.unpackedSize >= MOST_BYTES) {
    throw new Error(`efs-data-layer is ${library.unpackedSize} bytes unpacked, ${MOST_BYTES} is the most.`);
  }
  const cli = pack(folder, path.join(root, 'cli'));
  requireExactly('efs-data-layer-cli', cli.files, cliFiles());

  install(folder, library.file, {
    'aws-cdk-lib': devDependencies['aws-cdk-lib'],
    constructs: devDependencies.constructs,
  });
  const direct = installed(folder).map(({ place }) => place.replace(/^node_modules\//, ''));
  const ofCdk = /^(aws-cdk-lib($|\/)|constructs$|@aws-cdk\/|efs-data-layer$)/;
  const pulled = direct.filter((name) => !ofCdk.test(name));
  if (pulled.length > 0) {
    throw new Error(`Installing the library pulls ${pulled.join(', ')}; its peers are all that it may.`);
  }
  fs.writeFileSync(path.join(folder, 'app.js'), APP);
  const resources = execFileSync(process.execPath, ['app.js'], { cwd: folder, encoding: 'utf8' }).trim();
  console.log(
    `efs-data-layer: ${library.files.length} files, ${library.unpackedSize} bytes unpacked; efs-data-layer-cli: ${cli.files.length} files, ${cli.unpackedSize} bytes; an app that installed the library makes ${resources} resources`,
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
