/**
 * npm run bench:evidence: ready queries over generated FOCUS 1.2 data, beside hand-written DuckDB on the same files and
 * beside pandas. Options: --rows 1000000 (several, separated by commas), --out docs/bench-evidence.json, --keep (the data).
 * Every figure is a process of its own: seconds and the most memory, as /usr/bin/time has them.
 */
import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { HAND_TUNED } from './evidence-hand-tuned';
import { focusSelect, FOCUS_CSV } from './focus-data';
import { Engine, literal } from '../cli/src/evidence/engine';
import { columnsOf } from '../cli/src/evidence/focus/columns';
import { READY } from '../cli/src/evidence/ready';

const ROOT = path.join(__dirname, '..');
const PYTHON = path.join(ROOT, '.tmp', 'bench-evidence');
const PACKAGES = ['pandas==2.3.3', 'pyarrow==22.0.0'];
/** A copy of what is built: another build meanwhile does not disturb. */
const COMMAND = path.join(ROOT, 'node_modules', '.cache', 'bench-evidence-cli');
const MAIN = path.join(COMMAND, 'cli', 'src', 'main.js');

/** What pandas took for a row of all columns, measured with 1 M rows: where 60 % of the memory is not enough, it is not run. */
const WHOLE_CSV_BYTES_A_ROW = 2_000;

interface Measured {
  /** Wall clock of the process, median. */
  readonly seconds: number;
  /** Processor time of the process, median: what others on the machine do matters less for it. */
  readonly cpuSeconds: number;
  /** Most resident memory of any run. */
  readonly peakMB: number;
  /** From opening DuckDB to the last row, as the process says itself: median, and the shortest. */
  readonly answerSeconds?: number;
  readonly shortestAnswerSeconds?: number;
  readonly runs: number;
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const round = (value: number) => Number(value.toFixed(3));

/** Runs the commands in turn, so that whatever else the machine does meets all of them alike. */
function measure(runs: number, ...commands: string[][]): Measured[] {
  const found = commands.map(() => ({
    wall: [] as number[],
    cpu: [] as number[],
    peak: [] as number[],
    answer: [] as number[],
  }));
  for (let run = 0; run < runs; run++) {
    commands.forEach((command, index) => once(command, found[index]));
  }
  return found.map(({ wall, cpu, peak, answer }) => ({
    seconds: round(median(wall)),
    cpuSeconds: round(median(cpu)),
    peakMB: Math.round(Math.max(...peak)),
    ...(answer.length > 0 && {
      answerSeconds: round(median(answer)),
      shortestAnswerSeconds: round(Math.min(...answer)),
    }),
    runs,
  }));
}

function once(command: string[], found: Record<'wall' | 'cpu' | 'peak' | 'answer', number[]>): void {
  const { status, stderr, error } = spawnSync('/usr/bin/time', ['-f', 'TIME %e %U %S %M', ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, EFS_DATA_LAYER_SCAN_LINE: '1' },
  });
  const figures = /^TIME ([\d.]+) ([\d.]+) ([\d.]+) (\d+)$/m
    .exec(stderr ?? '')
    ?.slice(1)
    .map(Number);
  if (error || status !== 0 || !figures) {
    throw new Error(
      `${command.slice(0, 4).join(' ')} … ended with ${status}: ${error?.message ?? stderr.slice(-2000)}`,
    );
  }
  const [wall, user, system, kilobytes] = figures;
  found.wall.push(wall);
  found.cpu.push(user + system);
  found.peak.push(kilobytes / 1000);
  found.answer.push(...[...stderr.matchAll(/"seconds":([\d.]+)/g)].map(([, text]) => Number(text)));
}

/** pandas in a folder of its own; undefined, and said, when it cannot be had. */
function python(): string | undefined {
  const program = path.join(PYTHON, 'bin', 'python');
  if (!fs.existsSync(program)) {
    spawnSync('python3', ['-m', 'venv', PYTHON], { stdio: 'inherit' });
  }
  const check = `import pandas, pyarrow; assert [pandas.__version__, pyarrow.__version__] == ${JSON.stringify(PACKAGES.map((one) => one.split('==')[1]))}`;
  if (spawnSync(program, ['-c', check]).status !== 0) {
    spawnSync(program, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], { stdio: 'inherit' });
  }
  return spawnSync(program, ['-c', check]).status === 0 ? program : undefined;
}

async function generated(folder: string, rows: number): Promise<string> {
  const csv = path.join(folder, 'costs.csv');
  const engine = await Engine.open();
  await engine.run(`COPY (${focusSelect({ rows })}) TO ${literal(csv)} ${FOCUS_CSV}`);
  engine.close();
  return csv;
}

async function bench(rows: number, folder: string): Promise<Record<string, unknown>> {
  const say = (text: string) => console.error(`${rows} rows: ${text}`);
  say('generating');
  const csv = await generated(folder, rows);
  const own = path.join(folder, '.efs-data-layer');
  const ask = (name: string) => {
    const args = [
      'evidence',
      'query',
      name,
      '--dir',
      folder,
      '--csv',
      ...(name === 'cost-by-tag' ? ['--tag', 'team'] : []),
    ];
    return [
      process.execPath,
      '-e',
      `require(${JSON.stringify(MAIN)}).main(${JSON.stringify(args)}).then((c) => process.exitCode = c)`,
    ];
  };
  const few = rows > 3_000_000 ? 5 : 9;
  say('first query, which converts the CSV');
  const [first] = measure(1, ask('cost-by-month'));
  const cache = path.join(own, 'parquet');
  const parquet = path.join(
    cache,
    fs.readdirSync(cache).find((name) => name.endsWith('.parquet'))!,
  );
  const hand = (sql: string, file: string) => [
    process.execPath,
    path.join(__dirname, 'evidence-hand-tuned.js'),
    sql,
    file,
  ];
  const queries: Record<string, unknown> = {};
  // What either program takes before it does anything: the command loads the AWS clients too.
  const version = `require(${JSON.stringify(MAIN)}).main(['--version'])`;
  const [readyStart, tunedStart] = measure(9, [process.execPath, '-e', version], [process.execPath, '-e', '0']);
  const interpreter = python();
  const pandas = (name: string, file: string, columns: string) => [
    interpreter!,
    path.join(__dirname, 'evidence_pandas.py'),
    name,
    file,
    columns,
  ];
  const fits = rows * WHOLE_CSV_BYTES_A_ROW < os.totalmem() * 0.6;
  for (const { name } of READY) {
    say(name);
    const [ready, tuned] = measure(few, ask(name), hand(HAND_TUNED[name].parquet, parquet));
    queries[name] = {
      ready,
      handTunedParquet: tuned,
      ratioOfCpu: Number(
        ((ready.cpuSeconds - readyStart.cpuSeconds) / (tuned.cpuSeconds - tunedStart.cpuSeconds)).toFixed(2),
      ),
      ratioOfShortest: Number((ready.shortestAnswerSeconds! / tuned.shortestAnswerSeconds!).toFixed(2)),
      ...(interpreter && { pandasParquetColumns: measure(1, pandas(name, parquet, 'columns'))[0] }),
    };
  }
  const notMeasured = `not run: at ${WHOLE_CSV_BYTES_A_ROW} bytes a row it takes about ${Math.round((rows * WHOLE_CSV_BYTES_A_ROW) / 1e9)} GB of ${Math.round(os.totalmem() / 1e9)}`;
  say('over CSV');
  return {
    rows,
    columns: columnsOf('1.2').length,
    csvBytes: fs.statSync(csv).size,
    parquetBytes: fs.statSync(parquet).size,
    startup: { command: readyStart, handTuned: tunedStart },
    firstQueryOverCsv: first,
    queries,
    overCsv: {
      query: 'cost-by-service',
      handTuned: measure(1, hand(HAND_TUNED['cost-by-service'].csv, csv))[0],
      pandasColumns: interpreter
        ? measure(1, pandas('cost-by-service', csv, 'columns'))[0]
        : 'not measured: pandas is not there',
      pandasWhole: interpreter && fits ? measure(1, pandas('cost-by-service', csv, 'whole'))[0] : notMeasured,
    },
  };
}

async function main(): Promise<void> {
  if (!fs.existsSync('/usr/bin/time')) {
    throw new Error('/usr/bin/time is missing: apt-get install time');
  }
  const built = spawnSync('npm', ['run', '--silent', 'build:cli'], { cwd: ROOT, stdio: 'inherit' });
  if (built.status !== 0) {
    throw new Error('npm run build:cli failed');
  }
  fs.rmSync(COMMAND, { recursive: true, force: true });
  fs.cpSync(path.join(ROOT, 'cli', 'dist'), COMMAND, { recursive: true });
  const out = path.resolve(option('out') ?? path.join(ROOT, 'docs', 'bench-evidence.json'));
  for (const rows of (option('rows') ?? '1000000').split(',').map(Number)) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-evidence-'));
    try {
      const result = await bench(rows, folder);
      const known = fs.existsSync(out)
        ? (JSON.parse(fs.readFileSync(out, 'utf8')) as { results: { rows: number }[] })
        : { results: [] };
      const results = [...known.results.filter((one) => one.rows !== rows), result].sort(
        (a, b) => Number(a.rows) - Number(b.rows),
      );
      const machine = {
        cores: os.cpus().length,
        cpu: os.cpus()[0].model,
        memoryGB: Math.round(os.totalmem() / 1e9),
        node: process.version,
      };
      const versions = { duckdb: '1.5.5-r.5', pandas: PACKAGES.join(' ') };
      fs.writeFileSync(
        out,
        `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, versions, results }, null, 2)}\n`,
      );
    } finally {
      if (!process.argv.includes('--keep')) {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    }
  }
}

void main();
