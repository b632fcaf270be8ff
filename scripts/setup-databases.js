// npm run setup:databases: what the tests against real databases and applications need, beside scripts/setup.js. PostgreSQL
// comes from Debian (root is needed), Open WebUI, CrewAI and a PostgreSQL with pgvector from PyPI: about 2 GB in .tmp.
// Without --install nothing is changed. Exit status 77 and a list when something is missing in the end.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const venvs = process.env.EFS_LAB_VENVS ?? path.join(root, '.tmp', 'venvs');
const pgserver = path.join(root, '.tmp', 'pgserver');
const python = path.join(root, '.venv', 'bin', 'python');
const PGSERVER = 'pgserver==0.1.4';

const servers = () => (fs.existsSync('/usr/lib/postgresql') ? fs.readdirSync('/usr/lib/postgresql') : []);
const withVector = () =>
  servers().some((version) => fs.existsSync(`/usr/share/postgresql/${version}/extension/vector.control`)) ||
  fs.existsSync(path.join(pgserver, 'pgserver', 'pginstall'));

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return !error && status === 0;
}

/** Open WebUI 0.12.4 takes no other (its metadata: >=3.11, <3.13). */
const VERSIONS = 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))';
const suitable = () =>
  ['python3', 'python3.12', 'python3.11'].find((name) => spawnSync(name, ['-c', VERSIONS]).status === 0);

function environment(name) {
  // setup.py leaves one alone that is up to date; without --install its being there has to do.
  return {
    what: `the Python environment of ${name} in ${venvs}`,
    there: () => fs.existsSync(path.join(venvs, name, '.made-from')),
    byHand: `python3 lab/apps/setup.py ${name}, with a Python 3.11 or 3.12`,
    install: () => suitable() !== undefined && run(suitable(), path.join('lab', 'apps', 'setup.py'), name),
    always: true,
  };
}

/** In the order in which they are installed. */
const NEEDED = [
  {
    what: 'PostgreSQL with its server programs',
    there: () => servers().length > 0,
    byHand: 'as root, on Debian: apt-get install postgresql',
    install: () =>
      process.getuid?.() === 0 &&
      run('apt-get', 'update', '-qq') &&
      run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'postgresql'),
  },
  environment('open-webui'),
  environment('crewai'),
  {
    what: 'a PostgreSQL with pgvector',
    there: withVector,
    byHand: `python3 -m pip install --no-deps --target .tmp/pgserver ${PGSERVER} (or Debian's postgresql-<version>-pgvector)`,
    // The server in the package is what is wanted; it does not matter for which Python it was packed.
    install: () =>
      run(
        python,
        ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'],
        ...['--python-version', '3.11', '--target', pgserver, PGSERVER],
      ),
  },
];

module.exports = { venvs };

if (require.main === module) {
  if (process.argv.includes('--install')) {
    for (const { what, there, install, always } of NEEDED) {
      if (always || !there()) {
        console.log(`${there() ? 'Looking at' : 'Installing'} ${what} …`);
        if (!install()) {
          console.error(`NOT INSTALLED, or not up to date: ${what}. The lines above say why.`);
          process.exitCode = 77;
        }
      }
    }
  }
  const left =
    process.platform === 'linux'
      ? NEEDED.filter(({ there }) => !there()).map(({ what, byHand }) => `${what}: ${byHand}`)
      : ['Linux: the keeper’s lease and PostgreSQL as Debian has it'];
  if (left.length > 0) {
    console.error(`Missing for the tests against real databases:\n  ${left.join('\n  ')}`);
    process.exitCode = 77;
  }
}
