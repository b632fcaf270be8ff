// npm run test:tables: the statements and the state machine of the load on Trino, and its tables with PyIceberg. Sets up
// what it needs in .tmp/tables (Maven and PyPI, about 300 MB), once for each version of the lists.
const { spawnSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const NOT_RUN = 77;
const root = path.join(__dirname, '..');
const tests = path.join(root, 'test', 'tables');
const home = path.join(root, '.tmp', 'tables');
const classes = path.join(home, 'classes');
const classPathFile = path.join(home, 'class-path');
const python = path.join(home, 'venv', 'bin', 'python');
const source = path.join(tests, 'trino', 'src', 'main', 'java', 'TrinoForTests.java');
const pom = path.join(tests, 'trino', 'pom.xml');
const requirements = path.join(tests, 'requirements.txt');

const found = (command, ...args) => spawnSync(command, args).status === 0;
const missing = [
  !found('javac', '-version') && 'a JDK 17 or newer: apt-get install default-jdk-headless',
  !found('mvn', '-version') && 'Maven: apt-get install maven',
  !found('python3', '-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))') &&
    'Python 3.10 or newer with venv: apt-get install python3 python3-venv',
].filter(Boolean);
if (missing.length > 0) {
  console.error(`npm run test:tables did NOT run. It needs\n  ${missing.join('\n  ')}`);
  process.exit(NOT_RUN);
}

/** `failed` is the exit status when it does: that a mirror is down is not that a test failed. */
function run(command, args, env, failed = 1) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error || status !== 0) {
    console.error(`\nFailed: ${command} ${args.slice(0, 6).join(' ')}${error ? ` (${error.message})` : ''}`);
    process.exit(failed);
  }
}

/** Does a step unless it was done with the same files. */
function unlessDone(name, files, step) {
  const hash = crypto.createHash('sha256');
  files.forEach((file) => hash.update(fs.readFileSync(file)));
  const digest = hash.digest('hex');
  const marker = path.join(home, `${name}.done`);
  if (!fs.existsSync(marker) || fs.readFileSync(marker, 'utf8') !== digest) {
    step();
    fs.writeFileSync(marker, digest);
  }
}

fs.mkdirSync(classes, { recursive: true });
unlessDone('trino', [pom, source], () => {
  console.log('Fetching Trino with Maven …');
  run('mvn', ['-q', '-B', '-f', pom, 'dependency:build-classpath', `-Dmdep.outputFile=${classPathFile}`], {}, NOT_RUN);
  run('javac', ['-cp', fs.readFileSync(classPathFile, 'utf8').trim(), '-d', classes, source]);
});
unlessDone('python', [requirements], () => {
  console.log('Making a virtual environment with PyIceberg and DuckDB …');
  run('python3', ['-m', 'venv', '--clear', path.join(home, 'venv')], {}, NOT_RUN);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], {}, NOT_RUN);
});
run(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', tests]);
run('npx', ['jest', '--selectProjects', 'tables', '-w', '1'], {
  TRINO_CLASS_PATH: `${classes}:${fs.readFileSync(classPathFile, 'utf8').trim()}`,
});
