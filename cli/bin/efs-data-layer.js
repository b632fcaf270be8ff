#!/usr/bin/env node
// In the repository the sources run through tsx; the npm package holds only what was compiled from them.
const fs = require('fs');
const path = require('path');

const source = path.join(__dirname, '..', 'src', 'main.ts');
if (fs.existsSync(source)) {
  require('tsx/cjs');
}
const { main } = require(fs.existsSync(source) ? source : '../dist/cli/src/main.js');
main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
