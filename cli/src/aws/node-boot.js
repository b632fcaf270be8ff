// Runs in the task, as `node -e`: unpacks the program that is the first argument, gets DuckDB when the image has none,
// and hands the rest of the arguments over.
const { execFileSync } = require('child_process');
const fs = require('fs');
const { createRequire } = require('module');
const path = require('path');
const zlib = require('zlib');

const folder = fs.mkdtempSync(path.join(require('os').tmpdir(), 'efs-data-layer-'));
const program = path.join(folder, 'task.js');
fs.writeFileSync(program, zlib.inflateRawSync(Buffer.from(process.argv[1], 'base64')));
const duckdb = process.env.EFS_DATA_LAYER_DUCKDB;
try {
  // Unset when what was asked needs none.
  if (duckdb) {
    createRequire(program).resolve(duckdb.replace(/@[^@]*$/, ''));
  }
} catch {
  const options = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--cache', path.join(folder, 'npm')];
  try {
    execFileSync('npm', ['install', ...options, '--prefix', folder, duckdb], { stdio: ['ignore', 2, 2] });
  } catch (error) {
    console.error(
      `${duckdb} is not in the image and cannot be installed: ${error.message}. Pass an --image that has it.`,
    );
    process.exit(69);
  }
}
createRequire(program)(program);
