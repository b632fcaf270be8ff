// Brings a fresh checkout to where the other commands can run: node modules, and a virtual environment with the
// Python packages of the emulator. Each step is skipped when its lock file has not changed since.
const { spawnSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error || status !== 0) {
    console.error(`\nSet-up failed: ${command} ${args.join(' ')}${error ? ` (${error.message})` : ''}`);
    process.exit(1);
  }
}

function unlessDone(lockFile, marker, step) {
  const hash = crypto
    .createHash('sha256')
    .update(fs.readFileSync(path.join(root, lockFile)))
    .digest('hex');
  const file = path.join(root, marker);
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === hash) {
    return;
  }
  step();
  fs.writeFileSync(file, hash);
}

function nodeModules() {
  console.log('Installing node modules (npm ci) …');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

function python() {
  const found = ['python3', 'python3.13', 'python3.12', 'python3.11'].find(
    (name) => spawnSync(name, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))']).status === 0,
  );
  if (!found) {
    console.error('Python 3.11 or newer with venv is needed (on Debian: apt-get install python3 python3-venv).');
    process.exit(1);
  }
  console.log('Making .venv with the Python packages of the emulator (about a minute) …');
  run(found, ['-m', 'venv', '--clear', '.venv']);
  run('.venv/bin/python', [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    'requirements-dev.txt',
  ]);
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Node 20 or newer is needed; this is ${process.version}.`);
  process.exit(1);
}
unlessDone('package-lock.json', 'node_modules/.efs-data-layer-setup', nodeModules);
if (!process.argv.includes('--node-only')) {
  unlessDone('requirements-dev.txt', '.venv/.efs-data-layer-setup', python);
}
