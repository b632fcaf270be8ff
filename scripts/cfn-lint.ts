import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { createApp } from '../bin/app';

/** The templates the app can make, one per flag that changes the topology. */
const VARIANTS: Record<string, Record<string, unknown>> = {
  default: {},
  services: { 'data-layer:services': true, 'data-layer:focusExport': 's3://exports/focus/cost' },
  dev: { 'data-layer:stage': 'dev', 'data-layer:allowDestroy': true, 'data-layer:backup': false },
  rds: {
    'data-layer:services': true,
    'data-layer:relational': 'rds-postgres',
    'data-layer:monthlyBudgetUsd': 100,
    'data-layer:relationalPhase': 'cutover',
  },
  aurora: {
    'data-layer:services': true,
    'data-layer:relational': 'aurora-serverless-v2',
    'data-layer:monthlyBudgetUsd': 100,
    'data-layer:relationalPhase': 'prepare',
    'data-layer:vectors': 's3-vectors',
  },
  external: {
    'data-layer:services': true,
    'data-layer:relational': 'external',
    'data-layer:monthlyBudgetUsd': 100,
    'data-layer:relationalPhase': 'complete',
    'data-layer:relationalHost': 'db.example.com',
    'data-layer:relationalSecret': 'arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf',
    'data-layer:vectors': 'qdrant',
    'data-layer:qdrantUrl': 'http://qdrant.internal:6333',
  },
  replicas: {
    'data-layer:services': true,
    'data-layer:relational': 'rds-postgres',
    'data-layer:monthlyBudgetUsd': 100,
    'data-layer:relationalPhase': 'complete',
    'data-layer:vectors': 'pgvector',
    'data-layer:cache': 'valkey-serverless',
    'data-layer:replicas': 2,
  },
  balanced: {
    'data-layer:services': true,
    'data-layer:certificateArn': 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000',
    'data-layer:allowedCidrs': '203.0.113.0/24',
    'data-layer:domainName': 'chat.example.com',
    'data-layer:hostedZoneId': 'Z0123456789',
  },
  x86: { 'data-layer:architecture': 'x86_64', 'data-layer:costCenter': 'finops' },
};

const out = fs.mkdtempSync(path.join(os.tmpdir(), 'cfn-lint-'));
try {
  const templates = Object.entries(VARIANTS).flatMap(([name, context]) => {
    const assembly = createApp({ outdir: path.join(out, name), context }).synth();
    return assembly.stacks.map((stack) => stack.templateFullPath);
  });
  const cfnLint = path.join(__dirname, '..', '.venv', 'bin', 'cfn-lint');
  // W3005: CDK writes a DependsOn that a reference already implies. Nothing else is ignored.
  const { status, error } = spawnSync(
    cfnLint,
    ['--regions', 'us-east-1', 'ap-southeast-2', 'eu-west-1', '--ignore-checks', 'W3005', '--', ...templates],
    { stdio: 'inherit' },
  );
  if (error) {
    console.error(`cfn-lint cannot run (${error.message}). Run: npm run setup`);
  }
  console.log(`cfn-lint: ${templates.length} templates, ${status === 0 ? 'no findings' : 'see above'}`);
  process.exitCode = status ?? 1;
} finally {
  fs.rmSync(out, { recursive: true, force: true });
}
