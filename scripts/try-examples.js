// Installs the packed library once, as a user would, compiles every example strictly against its declarations, and
// synthesizes each with CloudFormation's own rules as errors.
const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { install, pack, root } = require('./packed');

const { devDependencies } = require('../package.json');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-examples-'));
const examples = fs
  .readdirSync(path.join(root, 'examples'))
  .filter((name) => fs.existsSync(path.join(root, 'examples', name, 'app.ts')));

/** The runs of an example: without context, but for the one that asks for it. */
const CONTEXTS = {
  'postgres-cut-over': [{ phase: 'prepare' }, { phase: 'cutover' }, { phase: 'complete' }],
};
const CHECKED = {
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  '@aws-cdk/core:strictCfnValidateErrors': true,
};

function templatesIn(directory) {
  return fs
    .readdirSync(directory, { recursive: true })
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => JSON.parse(fs.readFileSync(path.join(directory, file), 'utf8')));
}

function compile() {
  fs.writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        module: 'Node16',
        moduleResolution: 'Node16',
        strict: true,
        noUnusedLocals: true,
        skipLibCheck: true, // jsii has checked the package's declarations
        types: ['node'],
        typeRoots: [path.join(root, 'node_modules', '@types')],
      },
      include: ['*/app.ts'],
    }),
  );
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', folder], { stdio: 'inherit' });
}

function synthesize(name, context, place) {
  const out = path.join(folder, name, `cdk.out.${place}`);
  const { status, stderr } = spawnSync(process.execPath, [path.join(folder, name, 'app.js')], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify({ ...CHECKED, ...context }) },
  });
  if (status !== 0) {
    throw new Error(`examples/${name} ${JSON.stringify(context)} failed:\n${stderr}`);
  }
  const templates = templatesIn(out);
  const resources = templates.reduce((sum, { Resources }) => sum + Object.keys(Resources).length, 0);
  const layers = templates.filter(({ Resources }) =>
    Object.values(Resources).some(({ Type }) => Type === 'AWS::EFS::AccessPoint'),
  );
  if (layers.length === 0) {
    throw new Error(`examples/${name} makes no data layer`);
  }
  console.log(`examples/${name} ${JSON.stringify(context)}: ${templates.length} templates, ${resources} resources`);
}

try {
  const { file } = pack(folder);
  install(folder, file, {
    'aws-cdk-lib': devDependencies['aws-cdk-lib'],
    constructs: devDependencies.constructs,
  });
  for (const name of examples) {
    fs.cpSync(path.join(root, 'examples', name), path.join(folder, name), { recursive: true });
  }
  compile();
  for (const name of examples) {
    (CONTEXTS[name] ?? [{}]).forEach((context, place) => synthesize(name, context, place));
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
