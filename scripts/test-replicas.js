// npm run test:replicas: two real Open WebUI processes as two tasks. Says what is missing when it cannot run.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const home = process.env.EFS_LAB_VENVS ?? path.join(root, '.tmp', 'venvs');
const servers = fs.existsSync('/usr/lib/postgresql') ? fs.readdirSync('/usr/lib/postgresql') : [];
const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const missing = [
  servers.length === 0 && 'PostgreSQL: apt-get install postgresql',
  !['valkey-server', 'redis-server'].some(has) && 'Valkey or Redis: apt-get install redis-server',
  !has('openssl') && 'openssl: apt-get install openssl',
  !fs.existsSync(path.join(home, 'open-webui', 'bin', 'python')) &&
    `Open WebUI in ${home}: python3 lab/apps/setup.py open-webui (set EFS_LAB_VENVS for another place)`,
  !servers.some((version) => fs.existsSync(`/usr/share/postgresql/${version}/extension/vector.control`)) &&
    !fs.existsSync(path.join(root, '.tmp', 'pgserver', 'pgserver', 'pginstall')) &&
    'pgvector: pip install --no-deps --target .tmp/pgserver pgserver==0.1.4 (a PostgreSQL that carries it)',
  process.platform !== 'linux' && 'Linux: the mover takes the keeper’s lease',
].filter(Boolean);
if (missing.length > 0) {
  console.error(`npm run test:replicas did NOT run. It needs\n  ${missing.join('\n  ')}`);
  process.exit(77);
}
const python = path.join(root, '.venv', 'bin', 'python');
const { status } = spawnSync(
  fs.existsSync(python) ? python : 'python3',
  ['-m', 'pytest', '-q', 'test/replicas', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
