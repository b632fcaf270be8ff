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

/** The program of an evidence task, which the build makes (bundle-task.js). */
exports.TASK_BUNDLE = 'cli/src/evidence/task.bundle.js';

exports.READ_AT_RUN_TIME = () => [
  'cli/src/evidence/task-boot.js',
  ...FOLDERS.flatMap((folder) =>
    fs
      .readdirSync(path.join(repository, folder))
      .filter((name) => /\.(py|bundle|json)$/.test(name))
      .map((name) => `${folder}/${name}`),
  ),
];
