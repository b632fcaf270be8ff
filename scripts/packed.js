// The library's package as npm would publish it, and an empty project that installed it.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');

function npm(cwd, ...args) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Packs dist/package, or another folder, into a folder: the file, what is in it, its size unpacked in bytes. */
function pack(folder, source = path.join(root, 'dist', 'package')) {
  const json = npm(source, 'pack', '--json', '--silent', '--pack-destination', folder);
  const [{ filename, files, unpackedSize }] = JSON.parse(json.slice(json.indexOf('[')));
  return { file: path.join(folder, filename), files: files.map((file) => file.path).sort(), unpackedSize };
}

/** A project with nothing but the package and these versions of its peers, installed by npm. */
function install(folder, file, peers) {
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const wanted = Object.entries(peers).map(([name, version]) => `${name}@${version}`);
  npm(folder, 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--silent', '--save-exact', file, ...wanted);
}

/** The name and version of every package that is installed in a project. */
function installed(folder) {
  const { packages } = JSON.parse(fs.readFileSync(path.join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
  return Object.entries(packages).map(([place, { version }]) => ({ place, version }));
}

module.exports = { install, installed, pack, root };
