// Makes the Python wheel of the package in dist/package, installs it in a clean virtual environment, and synthesizes
// the README's first example there, as jsii-rosetta translated it: the template must be the one that TypeScript makes
// with the same version of aws-cdk-lib. Needs Python 3.9 or newer, and the network.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { install, pack, root } = require('./packed');
const env = require('./jsii-environment');

const built = path.join(root, 'dist', 'package');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-python-'));
const run = (file, args, options = {}) =>
  execFileSync(file, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', env, ...options });

/** The README's first example: what was written, and its translation. */
function example() {
  const { snippets } = JSON.parse(fs.readFileSync(path.join(built, '.jsii.tabl.json'), 'utf8'));
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const [, written] = /```ts nofixture\n([\s\S]*?)```/.exec(readme);
  const found = Object.values(snippets).find(({ translations }) =>
    translations.$ ? translations.$.source.trim() === written.trim() : false,
  );
  if (!found) {
    throw new Error('The README’s first example has no translation. Run: node scripts/compile-examples.js');
  }
  return { written, python: found.translations.python.source };
}

/** jsii-pacmak wants the peers beside the package. */
function wheel() {
  const source = path.join(folder, 'source');
  fs.cpSync(built, source, { recursive: true });
  fs.mkdirSync(path.join(source, 'node_modules'));
  for (const peer of ['aws-cdk-lib', 'constructs']) {
    fs.symlinkSync(path.join(root, 'node_modules', peer), path.join(source, 'node_modules', peer));
  }
  run(path.join(root, 'node_modules', '.bin', 'jsii-pacmak'), [
    '--targets=python',
    '--outdir',
    path.join(folder, 'languages'),
    source,
  ]);
  const directory = path.join(folder, 'languages', 'python');
  return path.join(
    directory,
    fs.readdirSync(directory).find((name) => name.endsWith('.whl')),
  );
}

function templateOf(out) {
  const file = fs.readdirSync(out).find((name) => name.endsWith('.template.json'));
  return JSON.parse(fs.readFileSync(path.join(out, file), 'utf8'));
}

try {
  const { written, python } = example();
  const file = wheel();
  run('python3', ['-m', 'venv', 'clean']);
  const interpreter = path.join(folder, 'clean', 'bin', 'python');
  run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', file]);
  const version = run(interpreter, ['-c', "import importlib.metadata as m; print(m.version('aws-cdk-lib'))"]).trim();
  const constructs = run(interpreter, ['-c', "import importlib.metadata as m; print(m.version('constructs'))"]).trim();

  // The app of another language has to say synth() itself; TypeScript's does so at its end.
  fs.writeFileSync(path.join(folder, 'app.py'), `${python}\nstack.node.root.synth()\n`);
  run(interpreter, ['app.py'], { env: { ...env, CDK_OUTDIR: path.join(folder, 'python.out') } });

  const project = path.join(folder, 'project');
  fs.mkdirSync(project);
  install(project, pack(folder).file, { 'aws-cdk-lib': version, constructs });
  const { outputText } = require('typescript').transpileModule(written, { compilerOptions: { module: 1 } });
  fs.writeFileSync(path.join(project, 'app.js'), outputText);
  run(process.execPath, ['app.js'], { cwd: project, env: { ...env, CDK_OUTDIR: path.join(folder, 'node.out') } });

  const [ours, theirs] = [path.join(folder, 'node.out'), path.join(folder, 'python.out')].map(templateOf);
  require('assert').deepStrictEqual(theirs, ours, 'The template that Python makes is another one than TypeScript’s.');
  console.log(
    `Python: ${path.basename(file)}, ${fs.statSync(file).size} bytes; with aws-cdk-lib ${version} the README’s app makes the template that TypeScript makes, ${Object.keys(ours.Resources).length} resources`,
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
