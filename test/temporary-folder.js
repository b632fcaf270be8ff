const fs = require('fs');
const os = require('os');
const path = require('path');

module.exports = () => {
  process.env.TMPDIR = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-tests-'));
};
