// Compiles lib/ with jsii. Any warning fails the build: the public API must stay importable from every language.
const { spawnSync } = require('child_process');
const path = require('path');

const { status } = spawnSync(
  process.execPath,
  [
    require.resolve('jsii/bin/jsii'),
    '--fail-on-warnings',
    '--silence-warnings=reserved-word',
    '--generate-tsconfig=tsconfig.jsii.json',
  ],
  {
    cwd: path.join(__dirname, '..'),
    stdio: 'inherit',
    // Node 20 works; jsii's banner about its end of life is no warning about this code. One of the two variables wants
    // the major version, the other anything.
    env: {
      ...process.env,
      JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
      JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION: '1',
    },
  },
);
process.exit(status ?? 1);
