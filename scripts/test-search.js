// npm run test:search: the indexer against a real OpenSearch, made of its libraries. Says what is missing when it cannot run.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const has = (program, ...words) => spawnSync(program, words, { stdio: 'ignore' }).status === 0;
const missing = [
  !has('java', '-version') && 'Java 17 or newer, with its compiler: apt-get install openjdk-17-jdk-headless',
  !fs.existsSync(path.join(root, '.tmp', 'opensearch')) &&
    'OpenSearch (43 MB): mvn -f cli/test/opensearch/pom.xml dependency:copy-dependencies -DoutputDirectory=../../../.tmp/opensearch',
].filter(Boolean);
if (missing.length > 0) {
  console.error(`npm run test:search did NOT run. It needs\n  ${missing.join('\n  ')}`);
  process.exit(77);
}
const jest = require.resolve('jest/bin/jest');
const { status } = spawnSync(
  process.execPath,
  [jest, '--selectProjects', 'opensearch', '--runInBand', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
