// The packed library with the oldest peers that its package.json admits and with the newest that are published: both
// must load, and make the same kinds of resources. The oldest is what was found by trying: with an older aws-cdk-lib
// Validations, the templates a plugin is given or its acknowledgements differ.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { install, installed, pack } = require('./packed');

const { peerDependencies } = require('../package.json');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-peers-'));
const APP = `
const { App, Stack, Validations } = require('aws-cdk-lib');
const ecs = require('aws-cdk-lib/aws-ecs');
const { CacheStore, DataLayerStack, EfsSafetyChecks, MonthlyBudget, RelationalStore, VectorStore } = require('efs-data-layer');
const app = new App();
new DataLayerStack(app, 'Default', { services: true });
new DataLayerStack(app, 'Rds', {
  services: true,
  dataLayer: { relational: RelationalStore.rdsPostgres(), vectors: VectorStore.pgvector(), cache: CacheStore.valkeyServerless() },
});
new DataLayerStack(app, 'Aurora', {
  services: true,
  dataLayer: { relational: RelationalStore.auroraServerlessV2(), vectors: VectorStore.s3Vectors() },
});
Validations.of(app).addPlugins(new EfsSafetyChecks(app), new MonthlyBudget({ limitUsd: 1000 }));
const types = app.synth().stacks.flatMap(({ template }) => Object.values(template.Resources).map(({ Type }) => Type));
console.log(JSON.stringify(types.sort()));
`;

/** The kinds of resources the app makes with these versions, and which they were. */
function tryWith(name, peers, file) {
  const project = path.join(folder, name);
  fs.mkdirSync(project);
  install(project, file, peers);
  fs.writeFileSync(path.join(project, 'app.js'), APP);
  const types = execFileSync(process.execPath, ['app.js'], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: path.join(project, 'cdk.out') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const versions = installed(project)
    .filter(({ place }) => Object.keys(peers).some((peer) => place === `node_modules/${peer}`))
    .map(({ place, version }) => `${path.basename(place)} ${version}`);
  console.log(`${name}: ${versions.join(', ')}: ${JSON.parse(types).length} resources`);
  return types;
}

try {
  const { file } = pack(folder);
  const names = Object.keys(peerDependencies);
  const oldest = Object.fromEntries(names.map((name) => [name, peerDependencies[name].replace('^', '')]));
  const newest = Object.fromEntries(names.map((name) => [name, peerDependencies[name]]));
  if (tryWith('oldest', oldest, file) !== tryWith('newest', newest, file)) {
    throw new Error('The oldest and the newest peers make different resources.');
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
