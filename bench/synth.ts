import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

/**
 * How long `cdk synth` takes and how much memory, for the data layer's app, for the same stack without cdk-nag, and
 * for a minimal hand-written app with the same resources. They run in turn, in one session, through the same command
 * with the same cdk.json, so that a noisy machine disturbs all alike. Usage: npm run bench:synth -- [rounds]
 */
const ROOT = path.join(__dirname, '..');
const ROUNDS = Math.max(1, Number.parseInt(process.argv[2] ?? '5', 10) || 5);
const AIM = 1.2;

const APPS = {
  'data layer': 'node --import tsx bin/data-layer.ts',
  'without cdk-nag': 'node --import tsx bench/data-layer.ts',
  'hand-written': 'node --import tsx bench/hand-written.ts',
};
type Name = keyof typeof APPS;

interface Run {
  readonly seconds: number;
  /** Processor time of all node processes: on a machine with other work it disturbs less than the wall clock. */
  readonly cpuSeconds: number;
  /** The peak of each node process, largest first: the app and the cdk command. */
  readonly peakMiB: number[];
}

interface Template {
  readonly Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

const out = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-synth-'));

function synth(name: Name, ...command: string[]): Run {
  const usage = path.join(out, 'usage');
  fs.rmSync(usage, { force: true });
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command[0], command.slice(1), {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...process.env,
      BENCH_USAGE: usage,
      NODE_OPTIONS: `--require ${path.join(__dirname, 'usage.js')}`,
      CDK_DISABLE_VERSION_CHECK: '1',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) {
    throw new Error(`${name}: synth failed\n${stderr}`);
  }
  const processes = fs
    .readFileSync(usage, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  return {
    seconds,
    cpuSeconds: processes.reduce((sum, [, microseconds]) => sum + microseconds / 1e6, 0),
    peakMiB: processes.map(([kib]) => kib / 1024).sort((x, y) => y - x),
  };
}

const cdk = (name: Name) =>
  synth(
    name,
    process.execPath,
    require.resolve('aws-cdk/bin/cdk'),
    'synth',
    '--quiet',
    '--no-notices',
    '--app',
    APPS[name],
    '--output',
    path.join(out, name),
  );

function template(name: Name): Template {
  const file = fs.readdirSync(path.join(out, name)).find((entry) => entry.endsWith('.template.json'))!;
  return JSON.parse(fs.readFileSync(path.join(out, name, file), 'utf8'));
}

function census({ Resources }: Template): string {
  const types = Object.values(Resources)
    .map(({ Type }) => Type)
    .sort();
  return [...new Set(types)].map((type) => `${types.filter((other) => other === type).length} ${type}`).join('\n');
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function report(name: Name, runs: Run[]): void {
  const seconds = runs.map((run) => run.seconds);
  console.log(
    `${name.padEnd(15)} ${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}), processor ${median(runs.map((run) => run.cpuSeconds)).toFixed(2)} s, ` +
      `peak memory of its largest process ${median(runs.map((run) => run.peakMiB[0])).toFixed(0)} MiB, ` +
      `of all together at most ${median(runs.map((run) => run.peakMiB.reduce((sum, peak) => sum + peak, 0))).toFixed(0)} MiB`,
  );
}

try {
  const names = Object.keys(APPS) as Name[];
  names.forEach((name) => cdk(name)); // fills tsx's cache and the page cache; not counted
  if (census(template('data layer')) !== census(template('hand-written'))) {
    throw new Error(
      `The two apps no longer make the same resources. Data layer:\n${census(template('data layer'))}\n\nHand-written:\n${census(template('hand-written'))}`,
    );
  }
  const runs = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<Name, Run[]>;
  for (let round = 0; round < ROUNDS; round++) {
    // The order turns with every round: no app always runs on what another left warm.
    names.forEach((_, place) => {
      const name = names[(round + place) % names.length];
      runs[name].push(cdk(name));
    });
  }

  console.log(`cdk synth, median of ${ROUNDS} rounds in turn, Node ${process.version}, ${os.cpus().length} CPUs`);
  names.forEach((name) => report(name, runs[name]));
  const of = (name: Name, value: (run: Run) => number) => median(runs[name].map(value));
  const ratio = (name: Name, value: (run: Run) => number) => of(name, value) / of('hand-written', value);
  const wall = ratio('data layer', (run) => run.seconds);
  console.log(
    `ratio to hand-written: ${wall.toFixed(2)} (aim: at most ${AIM}${wall > AIM ? ', MISSED' : ''}); ` +
      `by processor time ${ratio('data layer', (run) => run.cpuSeconds).toFixed(2)}; ` +
      `without cdk-nag ${ratio('without cdk-nag', (run) => run.seconds).toFixed(2)}`,
  );

  const { Resources } = template('data layer');
  const tasks = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::ECS::TaskDefinition');
  const [bytes, id] = tasks
    .map(([id, { Properties }]) => [Buffer.byteLength(JSON.stringify(Properties)), id] as const)
    .sort(([a], [b]) => b - a)[0];
  console.log(`resources in the default template: ${Object.keys(Resources).length}`);
  console.log(`largest task definition: ${id}, ${bytes} bytes of 65536`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  fs.rmSync(out, { recursive: true, force: true });
}
