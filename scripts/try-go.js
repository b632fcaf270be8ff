// Makes the Go module of dist/package, compiles it with the README's first app (test/languages/main.go) and synthesizes: the
// template must be the one that TypeScript makes with the same version of aws-cdk-lib. Needs Go and the network. Compiling
// aws-cdk-lib takes minutes of processor time the first time, so this is a command of its own.
const fs = require('fs');
const path = require('path');
const { generate, inFolder, need, root, run, sameAsTypeScript } = require('./languages');

const MODULE = 'github.com/efs-data-layer/efs-data-layer-go/efsdatalayer';

inFolder('Go', (folder) => {
  need(['go'], 'See https://go.dev/doc/install');
  const library = path.join(generate(folder, 'go', '--code-only'), 'efsdatalayer');
  const app = path.join(folder, 'app');
  fs.mkdirSync(app);
  fs.copyFileSync(path.join(root, 'test', 'languages', 'main.go'), path.join(app, 'main.go'));
  const [, version] = /aws-cdk-go\/awscdk\/v2 v([\d.]+)/.exec(fs.readFileSync(path.join(library, 'go.mod'), 'utf8'));
  run(app, 'go', ['mod', 'init', 'chat']);
  run(app, 'go', ['mod', 'edit', `-require=${MODULE}@v0.0.0`, `-replace=${MODULE}=${library}`]);
  run(app, 'go', ['mod', 'tidy']);
  run(app, 'go', ['build', '-o', 'chat', '.']);
  const out = path.join(folder, 'go.out');
  run(app, path.join(app, 'chat'), [], { CDK_OUTDIR: out });
  const [, constructs] = /constructs-go\/constructs\/v10 v([\d.]+)/.exec(
    fs.readFileSync(path.join(app, 'go.mod'), 'utf8'),
  );
  return sameAsTypeScript(folder, out, { 'aws-cdk-lib': version, constructs });
});
