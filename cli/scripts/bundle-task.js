// The program of a one-off task as one file, without DuckDB: small enough for a task definition.
const path = require('path');

exports.bundleTask = function bundleTask(room) {
  const { outputFiles } = require('esbuild').buildSync({
    entryPoints: [path.join(__dirname, '..', 'src', room, 'task.ts')],
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    // Modules, of which only what is used is taken: with the AWS signer's other form the program would not fit.
    mainFields: ['module', 'main'],
    external: ['@duckdb/node-api'],
    write: false,
  });
  return outputFiles[0].text;
};
