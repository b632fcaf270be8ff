// Makes the Python wheel of the package in dist/package, installs it in a clean virtual environment, and synthesizes
// the README's first example there, as jsii-rosetta translated it: the template must be the one that TypeScript makes
// with the same version of aws-cdk-lib. Needs Python 3.9 or newer, and the network.
const fs = require('fs');
const path = require('path');
const { example, generate, inFolder, run, sameAsTypeScript } = require('./languages');

inFolder('Python', (folder) => {
  const directory = generate(folder, 'python');
  const file = path.join(
    directory,
    fs.readdirSync(directory).find((name) => name.endsWith('.whl')),
  );
  run(folder, 'python3', ['-m', 'venv', 'clean']);
  const interpreter = path.join(folder, 'clean', 'bin', 'python');
  run(folder, interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', file]);
  const version = (name) =>
    run(folder, interpreter, ['-c', `import importlib.metadata as m; print(m.version('${name}'))`]).trim();
  const versions = { 'aws-cdk-lib': version('aws-cdk-lib'), constructs: version('constructs') };

  // The app of another language has to say synth() itself; TypeScript's does so at its end.
  fs.writeFileSync(path.join(folder, 'app.py'), `${example().translations.python.source}\nstack.node.root.synth()\n`);
  const out = path.join(folder, 'python.out');
  run(folder, interpreter, ['app.py'], { CDK_OUTDIR: out });
  const same = sameAsTypeScript(folder, out, versions);
  return `${path.basename(file)}, ${fs.statSync(file).size} bytes; ${same}`;
});
