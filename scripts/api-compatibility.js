// Holds the public API of what was built (npm run build) against that of the newest release kept in test/api: a break asks
// for a version that says so. With --keep it keeps the API of this version instead: npm run release:api
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');

const root = path.join(__dirname, '..');
const built = path.join(root, 'dist', 'package');
const KEPT = path.join(root, 'test', 'api');
const SUFFIX = '.jsii.gz';
const { version } = require('../package.json');

/** Without what no caller can break on: texts, places in sources, and the list of modules of aws-cdk-lib. */
function compacted(value) {
  if (Array.isArray(value)) {
    return value.map(compacted);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !['locationInModule', 'symbolId', 'readme', 'remarks', 'summary', 'example'].includes(key))
      .filter(([key, inner]) => !(key === 'submodules' && typeof inner === 'object' && value.targets))
      .map(([key, inner]) => [key, compacted(inner)]),
  );
}

const numbers = (text) => text.split(/[.-]/).slice(0, 3).map(Number);

/** Before 1.0.0 the second number says that something breaks, from then on the first. */
function saysBreak(from, to) {
  const [[oldMajor, oldMinor], [newMajor, newMinor]] = [numbers(from), numbers(to)];
  return newMajor > oldMajor || (oldMajor === 0 && newMajor === 0 && newMinor > oldMinor);
}

function later(one, other) {
  const [a, b] = [numbers(one), numbers(other)];
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function readBuilt() {
  const file = path.join(built, '.jsii');
  if (!fs.existsSync(file)) {
    throw new Error('There is no dist/package/.jsii. Run: npm run build');
  }
  return fs.readFileSync(file);
}

function compare(kept) {
  // Below the repository, so that the types of the peers are found.
  const old = path.join(root, 'dist', `api-${kept}`);
  fs.rmSync(old, { recursive: true, force: true });
  fs.mkdirSync(old, { recursive: true });
  fs.writeFileSync(path.join(old, '.jsii'), zlib.gunzipSync(fs.readFileSync(path.join(KEPT, kept + SUFFIX))));
  fs.copyFileSync(path.join(built, 'package.json'), path.join(old, 'package.json'));
  const jsiiDiff = path.join(path.dirname(require.resolve('jsii-diff/package.json')), 'bin', 'jsii-diff');
  const { status, stdout, stderr } = spawnSync(process.execPath, [jsiiDiff, '--error-on', 'all', old, built], {
    encoding: 'utf8',
    env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0] },
  });
  return { status, output: `${stdout}${stderr}`.trim() };
}

function main() {
  const current = readBuilt();
  if (process.argv.includes('--keep')) {
    fs.mkdirSync(KEPT, { recursive: true });
    const text = JSON.stringify(compacted(JSON.parse(current)));
    fs.writeFileSync(path.join(KEPT, version + SUFFIX), zlib.gzipSync(text, { level: 9 }));
    console.log(`API of ${version} kept.`);
    return 0;
  }
  const versions = fs
    .readdirSync(KEPT)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort(later);
  const last = versions[versions.length - 1];
  if (!last) {
    throw new Error('No release is kept in test/api. Run: npm run release:api');
  }
  const { status, output } = compare(last);
  if (status === 0) {
    console.log(`API: nothing that ${last} had is broken.`);
    return 0;
  }
  console.error(output);
  if (!/^err +- /m.test(output)) {
    console.error('jsii-diff failed, and names no change.');
    return 1;
  }
  if (saysBreak(last, version)) {
    console.log(`API: the above breaks callers of ${last}, as version ${version} says. Is it in CHANGELOG.md?`);
    return 0;
  }
  console.error(`The above breaks callers of ${last}, and version ${version} does not say so. See docs/releases.md.`);
  return 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
