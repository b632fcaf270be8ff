// Compiles src into dist, which has the repository's layout (dist/cli/src, dist/lib/…), and puts the files beside it
// that are read at run time: the keeper and the prices of the construct library, and the small Python programs of this package.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { bundleTask } = require('./bundle-task');
const { READ_AT_RUN_TIME, TASK_BUNDLES } = require('./read-at-run-time');

const root = path.join(__dirname, '..');
const repository = path.join(root, '..');
const dist = path.join(root, 'dist');

fs.rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', path.join(root, 'tsconfig.json')],
  { stdio: 'inherit' },
);
if (status !== 0) {
  process.exit(status ?? 1);
}
for (const file of READ_AT_RUN_TIME()) {
  fs.mkdirSync(path.dirname(path.join(dist, file)), { recursive: true });
  fs.copyFileSync(path.join(repository, file), path.join(dist, file));
}
for (const [room, file] of Object.entries(TASK_BUNDLES)) {
  fs.writeFileSync(path.join(dist, file), bundleTask(room));
}
fs.copyFileSync(path.join(repository, 'LICENSE'), path.join(root, 'LICENSE'));
