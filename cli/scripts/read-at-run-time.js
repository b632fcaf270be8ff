// The files beside the sources that the command line reads when it runs: the keeper, the movers and the prices of the
// construct library, and the small Python programs of this package.
const fs = require('fs');
const path = require('path');

const repository = path.join(__dirname, '..', '..');
const FOLDERS = [
  'lib/single-writer',
  'lib/stores/relational',
  'lib/stores/vectors',
  'lib/bill/prices',
  'cli/src/keeper',
];

/** The programs of one-off tasks, by room, which the build makes (bundle-task.js). */
exports.TASK_BUNDLES = {
  evidence: 'cli/src/evidence/task.bundle.js',
  search: 'cli/src/search/task.bundle.js',
};

exports.READ_AT_RUN_TIME = () => [
  'cli/src/aws/node-boot.js',
  ...FOLDERS.flatMap((folder) =>
    fs
      .readdirSync(path.join(repository, folder))
      .filter((name) => /\.(py|bundle|json)$/.test(name))
      .map((name) => `${folder}/${name}`),
  ),
];
