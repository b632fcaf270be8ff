// What the tests of the packages in other languages share: the generated package, and the README's first app in TypeScript
// with the same version of aws-cdk-lib, whose template theirs has to be.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { install, pack, root } = require('./packed');
const env = require('./jsii-environment');

const built = path.join(root, 'dist', 'package');
const snippets = () => JSON.parse(fs.readFileSync(path.join(built, '.jsii.tabl.json'), 'utf8')).snippets;

/** Exit status of a suite that cannot be played here. */
const CANNOT_RUN = 77;

class Missing extends Error {}

/** Calls `work` with a folder that is removed afterwards; what is missing here ends with 77, everything else with 1. */
function inFolder(language, work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `efs-data-layer-${language.toLowerCase()}-`));
  try {
    console.log(`${language}: ${work(folder)}`);
  } catch (error) {
    console.error(error instanceof Missing ? `NOT RUN: ${error.message}` : error.message);
    process.exitCode = error instanceof Missing ? CANNOT_RUN : 1;
  } finally {
    // Go's module cache is read-only.
    execFileSync('chmod', ['-R', 'u+w', folder]);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program; its output. */
function run(cwd, file, args, extra = {}) {
  return execFileSync(file, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { ...env, ...extra },
    maxBuffer: 1 << 28,
  });
}

/** Fails as something missing, not as a fault, when one of the programs is not there. */
function need(programs, way) {
  const missing = programs.filter((name) => {
    try {
      execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) {
    throw new Missing(`${missing.join(' and ')} not found. ${way}`);
  }
}

/** The README's first example: what was written, and its translations by jsii-rosetta. */
function example() {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const [, written] = /```ts nofixture\n([\s\S]*?)```/.exec(readme);
  const found = Object.values(snippets()).find(({ translations }) => translations.$?.source.trim() === written.trim());
  if (!found) {
    throw new Error('The README’s first example has no translation. Run: node scripts/compile-examples.js');
  }
  return { written, translations: found.translations };
}

/** Generates the package of a language; jsii-pacmak wants the peers beside the source. The folder it is in. */
function generate(folder, target, ...options) {
  const source = path.join(folder, 'source');
  fs.cpSync(built, source, { recursive: true });
  fs.mkdirSync(path.join(source, 'node_modules'));
  for (const peer of ['aws-cdk-lib', 'constructs']) {
    fs.symlinkSync(path.join(root, 'node_modules', peer), path.join(source, 'node_modules', peer));
  }
  const out = path.join(folder, 'languages');
  const pacmak = path.join(root, 'node_modules', '.bin', 'jsii-pacmak');
  run(folder, pacmak, [`--targets=${target}`, '--outdir', out, ...options, source]);
  return path.join(out, target);
}

function templateOf(out) {
  const file = fs.readdirSync(out).find((name) => name.endsWith('.template.json'));
  return JSON.parse(fs.readFileSync(path.join(out, file), 'utf8'));
}

/** Fails unless the cloud assembly in `out` has the template that TypeScript makes of the README's first example. */
function sameAsTypeScript(folder, out, versions) {
  const project = path.join(folder, 'project');
  fs.mkdirSync(project);
  install(project, pack(folder).file, versions);
  const { outputText } = require('typescript').transpileModule(example().written, { compilerOptions: { module: 1 } });
  fs.writeFileSync(path.join(project, 'app.js'), outputText);
  run(project, process.execPath, ['app.js'], { CDK_OUTDIR: path.join(folder, 'node.out') });
  const [ours, theirs] = [path.join(folder, 'node.out'), out].map(templateOf);
  require('assert').deepStrictEqual(theirs, ours, 'The template is another one than TypeScript’s.');
  const count = Object.keys(ours.Resources).length;
  return `with aws-cdk-lib ${versions['aws-cdk-lib']} the README’s app makes the template that TypeScript makes, ${count} resources`;
}

module.exports = { Missing, example, generate, inFolder, need, root, run, sameAsTypeScript };
