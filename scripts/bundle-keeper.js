// Compresses lib/single-writer/keeper.py into keeper.bundle, the form in which it travels in a task definition. Run it
// after every change of keeper.py; a test compares the two.
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');

const room = path.join(__dirname, '..', 'lib', 'single-writer');
const bundle = zlib.deflateSync(fs.readFileSync(path.join(room, 'keeper.py')), { level: 9 }).toString('base64');
fs.writeFileSync(path.join(room, 'keeper.bundle'), `${bundle}\n`);
console.log(`lib/single-writer/keeper.bundle: ${bundle.length} bytes`);
