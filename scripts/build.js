// Makes the package in dist/package: a copy of the sources compiled there with jsii. Not beside the sources, where a
// compiled file would be found before its source, and an edit would be without effect until the next build.
// Any warning fails the build: the public API must stay importable from every language.
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const target = path.join(root, 'dist', 'package');

fs.rmSync(target, { recursive: true, force: true });
fs.mkdirSync(target, { recursive: true });
const isCompiled = (file) => /\.js$|\.d\.ts$/.test(file);
for (const entry of ['package.json', 'README.md', 'LICENSE', 'lib', 'rosetta']) {
  fs.cpSync(path.join(root, entry), path.join(target, entry), {
    recursive: true,
    filter: (file) => !isCompiled(file),
  });
}

const { status } = spawnSync(
  process.execPath,
  [
    require.resolve('jsii/bin/jsii'),
    '--fail-on-warnings',
    '--silence-warnings=reserved-word',
    // Compiled against the newest peers, tried on the oldest: npm run test:peers.
    '--silence-warnings=metadata/missing-dev-dependency',
    '--generate-tsconfig=tsconfig.jsii.json',
  ],
  {
    cwd: target,
    stdio: 'inherit',
    env: require('./jsii-environment'),
  },
);
if (status !== 0) {
  process.exit(status ?? 1);
}
// jsii puts each source and its map into the compiled file: half of the package, of no use to who runs it.
for (const name of fs.readdirSync(path.join(target, 'lib'), { recursive: true })) {
  if (name.endsWith('.js')) {
    const file = path.join(target, 'lib', name);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=data:.*\n?/m, ''));
  }
}
