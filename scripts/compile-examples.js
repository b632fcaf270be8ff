// Compiles every example of the README and of the docstrings against the package in dist/package, and leaves their
// translations beside it, from which the README and the docstrings of the other languages are made. One that does not
// compile fails: see rosetta/ for what stands around an example.
const { spawnSync } = require('child_process');
const path = require('path');

const root = path.join(__dirname, '..');
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules', 'jsii-rosetta', 'bin', 'jsii-rosetta'), 'extract', '--strict'],
  { cwd: path.join(root, 'dist', 'package'), stdio: 'inherit', env: require('./jsii-environment') },
);
process.exit(status ?? 1);
