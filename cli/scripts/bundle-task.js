// The program of an evidence task as one file, without DuckDB: small enough for a task definition.
const path = require('path');

exports.bundleTask = function bundleTask() {
  const { outputFiles } = require('esbuild').buildSync({
    entryPoints: [path.join(__dirname, '..', 'src', 'evidence', 'task.ts')],
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    external: ['@duckdb/node-api'],
    write: false,
  });
  return outputFiles[0].text;
};
