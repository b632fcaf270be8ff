// docs/API.md, made by jsii-docgen from dist/package (npm run build makes it). With --check it writes nothing and fails
// when the file is not what the code says.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.join(__dirname, '..');
const built = path.join(root, 'dist', 'package');
const target = path.join(root, 'docs', 'API.md');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-api-'));

try {
  // jsii-docgen looks for the peers below the package itself.
  fs.mkdirSync(path.join(folder, 'node_modules'));
  for (const peer of ['aws-cdk-lib', 'constructs']) {
    fs.symlinkSync(path.join(root, 'node_modules', peer), path.join(folder, 'node_modules', peer));
  }
  for (const file of ['.jsii', 'package.json', 'README.md', 'lib']) {
    fs.cpSync(path.join(built, file), path.join(folder, file), { recursive: true });
  }
  const generated = path.join(folder, 'API.md');
  execFileSync(path.join(root, 'node_modules', '.bin', 'jsii-docgen'), ['--output', generated], { cwd: folder });
  const text = fs.readFileSync(generated, 'utf8');
  if (!process.argv.includes('--check')) {
    fs.writeFileSync(target, text);
  } else if (!fs.existsSync(target) || fs.readFileSync(target, 'utf8') !== text) {
    throw new Error('docs/API.md is not what the code says. Run: npm run docs:api');
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
