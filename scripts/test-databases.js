// npm run test:stores, npm run test:migrate: the tests that need real databases and the real applications. What is missing
// is said, and the exit status is then 77.
const { spawnSync } = require('child_process');
const path = require('path');
const { venvs } = require('./setup-databases');

const root = path.join(__dirname, '..');
const [folder, ...more] = process.argv.slice(2);
if (spawnSync(process.execPath, [path.join(__dirname, 'setup-databases.js')], { stdio: 'inherit' }).status !== 0) {
  console.error(`${folder} did NOT run. npm run setup:databases installs what is missing.`);
  process.exit(77);
}
const { status } = spawnSync(
  path.join(root, '.venv', 'bin', 'python'),
  ['-m', 'pytest', '-q', '--durations=5', folder, ...more],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, OPEN_WEBUI_PYTHON: path.join(venvs, 'open-webui', 'bin', 'python') },
  },
);
process.exit(status ?? 1);
