import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

/**
 * Processor time and memory of 1, 10 and 100 data layers in one app against as many hand-written stacks with the same
 * resources, in turn. CloudFormation's rules and cdk-nag are off: they cost both the same. The results go to
 * docs/bench-synth.json and into docs/bench-synth.md. Usage: npm run bench:layers -- [rounds]
 */
const ROOT = path.join(__dirname, '..');
const ROUNDS = Math.max(1, Number.parseInt(process.argv[2] ?? '5', 10) || 5);
const COUNTS = [1, 10, 100];
const KINDS = ['ours', 'hand-written'] as const;
const AIM = 1.2;

interface Run {
  readonly constructMs: number;
  readonly synthMs: number;
  readonly heapMiB: number;
  readonly resources: number;
}

function run(kind: string, count: number): Run {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-layers-'));
  try {
    const program = path.join(__dirname, 'layers-run.ts');
    const args = ['--expose-gc', '--import', 'tsx', program, kind, String(count)];
    const env = { ...process.env, CDK_VALIDATION: 'false', CDK_OUTDIR: out };
    return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env }).trim());
  } finally {
    fs.rmSync(out, { recursive: true, force: true });
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

const rows = COUNTS.map((count) => {
  const runs = { ours: [] as Run[], 'hand-written': [] as Run[] };
  for (let round = 0; round < ROUNDS; round++) {
    (round % 2 ? [...KINDS].reverse() : KINDS).forEach((kind) => runs[kind].push(run(kind, count)));
  }
  const of = (kind: (typeof KINDS)[number]) => ({
    constructMs: Math.round(median(runs[kind].map((one) => one.constructMs))),
    synthMs: Math.round(median(runs[kind].map((one) => one.synthMs))),
    heapMiB: Number(median(runs[kind].map((one) => one.heapMiB)).toFixed(1)),
    resources: runs[kind][0].resources,
  });
  const [ours, handWritten] = [of('ours'), of('hand-written')];
  const total = (one: typeof ours) => one.constructMs + one.synthMs;
  return { count, ours, handWritten, ratio: Number((total(ours) / total(handWritten)).toFixed(2)) };
});
const [first, last] = [rows[0], rows[rows.length - 1]];
const perLayer = ({ count, ours }: typeof first) => (ours.constructMs + ours.synthMs) / count;
const growth = Number((perLayer(last) / perLayer(first)).toFixed(2));
const result = { rounds: ROUNDS, node: process.version, cpus: os.cpus().length, aim: AIM, rows, growth };
fs.writeFileSync(path.join(ROOT, 'docs', 'bench-synth.json'), `${JSON.stringify(result, null, 2)}\n`);

const cell = (one: typeof first.ours) => `${one.constructMs} + ${one.synthMs} ms, ${one.heapMiB} MiB`;
const table = [
  '| data layers in one app | ours: construct + synth, heap | hand-written | ratio of the times |',
  '| --- | --- | --- | --- |',
  ...rows.map(
    ({ count, ours, handWritten, ratio }) => `| ${count} | ${cell(ours)} | ${cell(handWritten)} | ${ratio} |`,
  ),
].join('\n');
const file = path.join(ROOT, 'docs', 'bench-synth.md');
const marks = ['<!-- results -->', '<!-- end of results -->'];
const document = fs.readFileSync(file, 'utf8');
const [before, after] = [document.indexOf(marks[0]) + marks[0].length, document.indexOf(marks[1])];
const text = `Processor time, median of ${ROUNDS} rounds in turn, Node ${process.version}. Aim: a ratio of at most ${AIM}. Of 100 data layers each costs ${growth} times what a single one does.`;
fs.writeFileSync(file, `${document.slice(0, before)}\n\n${text}\n\n${table}\n\n${document.slice(after)}`);
console.log(`${text}\n${table}`);
