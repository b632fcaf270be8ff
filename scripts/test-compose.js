// npm run test:compose: the commands of compose.yaml without containers, with the real Open WebUI and Chroma. Says what is missing
// when it cannot run.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const home = process.env.EFS_LAB_VENVS ?? path.join(root, '.tmp', 'venvs');
const webui = path.join(home, 'open-webui', 'bin', 'python');
const venv = path.join(root, '.venv', 'bin', 'python');
const python = fs.existsSync(venv) ? venv : 'python3';
const lacks = (...command) => spawnSync(command[0], command.slice(1)).status !== 0;
const missing = [
  process.platform !== 'linux' && 'Linux: the commands run in namespaces',
  process.getuid?.() !== 0 && 'root: for mounts and for the user of the containers (sudo -E npm run test:compose)',
  !fs.existsSync(webui) &&
    `Open WebUI in ${home}: python3 lab/apps/setup.py open-webui (set EFS_LAB_VENVS for another place)`,
  !fs.existsSync(path.join(home, 'chroma', 'bin', 'chroma')) && `Chroma in ${home}: python3 lab/apps/setup.py chroma`,
  lacks(python, '-c', 'import pytest, yaml') && `pytest and PyYAML for ${python}: npm run setup`,
  ...['unshare', 'nsenter', 'mount', 'ip', 'curl', 'jq'].map(
    (program) => lacks('sh', '-c', `command -v ${program}`) && `the program ${program}`,
  ),
  process.getuid?.() === 0 && lacks('unshare', '-mn', 'true') && 'namespaces: this container or kernel refuses unshare',
].filter(Boolean);
if (missing.length > 0) {
  console.error(`npm run test:compose did NOT run. It needs\n  ${missing.join('\n  ')}`);
  process.exit(77);
}
const { status } = spawnSync(python, ['-m', 'pytest', '-q', 'test/compose', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, OPEN_WEBUI_PYTHON: webui },
});
process.exit(status ?? 1);
