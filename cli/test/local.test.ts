import { execFile, execFileSync, spawn } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { promisify } from 'util';
import { discardRestoredProgram, keeperProgram, listRestoredProgram, Program } from '../src/keeper/source';

const BIN = path.join(__dirname, '..', 'bin', 'efs-data-layer.js');

jest.setTimeout(120_000);

let volume: string;
/** Where a one-off task unpacks the keeper: the container's /tmp. */
let local: string;

beforeEach(() => {
  volume = fs.mkdtempSync(path.join(os.tmpdir(), 'snapshots-'));
  local = fs.mkdtempSync(path.join(os.tmpdir(), 'keeper-'));
  fs.chmodSync(local, 0o777);
});

afterEach(() => {
  [volume, local].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true }));
});

interface Ended {
  code: number;
  out: string;
}

async function end(running: Promise<{ stdout: string; stderr: string }>): Promise<Ended> {
  try {
    const { stdout, stderr } = await running;
    return { code: 0, out: stdout + stderr };
  } catch (error) {
    const failed = error as { code: number; stdout: string; stderr: string };
    return { code: failed.code, out: failed.stdout + failed.stderr };
  }
}

/** The command line on the directory, as a user runs it. */
function cli(...args: string[]): Promise<Ended> {
  const command = [BIN, ...args, '--dir', volume, '--stores', 'webui.db,vector_db/'];
  return end(promisify(execFile)(process.execPath, command, { env: { ...process.env, NODE_NO_WARNINGS: '1' } }));
}

/** Runs SQL in Python, in WAL mode, as the application does. */
function sql(file: string, ...statements: string[]): unknown[][] {
  const script = `
import json, sqlite3, sys
c = sqlite3.connect(sys.argv[1]); c.execute("pragma journal_mode=wal"); rows = []
for s in sys.argv[2:]: rows = c.execute(s).fetchall()
c.commit(); c.close(); print(json.dumps(rows))`;
  return JSON.parse(
    execFileSync('python3', ['-c', script, path.join(volume, file), ...statements], { encoding: 'utf8' }),
  );
}

function makeStores(): void {
  sql('webui.db', 'create table chat (text)', "insert into chat values ('first')");
  fs.mkdirSync(path.join(volume, 'vector_db'));
  sql('vector_db/chroma.sqlite3', 'create table vectors (v)', 'insert into vectors values (1)');
  fs.writeFileSync(path.join(volume, 'vector_db', 'index.bin'), 'old index');
}

async function ids(): Promise<string[]> {
  const { out } = await cli('snapshots', 'list', '--json');
  return out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

describe('on a mounted directory, with real databases', () => {
  test('take, list, verify, restore: the old rows are back and the new ones set aside', async () => {
    makeStores();
    expect((await cli('snapshots', 'take')).code).toBe(0);
    const taken = await ids();
    expect(taken.map((id) => id.split('/')[0]).sort()).toEqual(['vector_db', 'webui.db']);
    expect(await cli('snapshots', 'verify')).toMatchObject({ code: 0 });

    sql('webui.db', "insert into chat values ('second')");
    fs.writeFileSync(path.join(volume, 'vector_db', 'index.bin'), 'new index');
    const restored = await cli('snapshots', 'restore', ...taken);
    expect(restored).toMatchObject({ code: 0 });

    expect(sql('webui.db', 'select text from chat')).toEqual([['first']]);
    expect(fs.readFileSync(path.join(volume, 'vector_db', 'index.bin'), 'utf8')).toBe('old index');
    const aside = fs.readdirSync(path.join(volume, 'set-aside')).sort();
    expect(aside).toHaveLength(2);
    const database = aside.find((name) => name.endsWith('webui.db'))!;
    expect(sql(`set-aside/${database}/webui.db`, 'select count(*) from chat')).toEqual([[2]]);
  });

  test('a damaged copy is told apart and never put in place', async () => {
    makeStores();
    await cli('snapshots', 'take');
    const id = (await ids()).find((one) => one.startsWith('webui.db'))!;
    fs.appendFileSync(path.join(volume, 'snapshots', id, 'files', 'webui.db'), 'x');
    sql('webui.db', "insert into chat values ('second')");
    expect(await cli('snapshots', 'verify')).toMatchObject({ code: 65, out: expect.stringContaining('DAMAGED') });
    expect((await cli('snapshots', 'restore', id)).code).toBe(65);
    expect(sql('webui.db', 'select text from chat')).toEqual([['first'], ['second']]);
  });

  test('an unknown copy is an error that names those there are', async () => {
    makeStores();
    await cli('snapshots', 'take');
    const [id] = await ids();
    const { code, out } = await cli('snapshots', 'restore', 'webui.db/nope');
    expect(code).toBe(64);
    expect(out).toContain(id);
  });

  test('a directory that is not there', async () => {
    fs.rmSync(volume, { recursive: true });
    const { code, out } = await cli('snapshots', 'list');
    expect(code).toBe(64);
    expect(out).toContain(`[--dir ${volume}] It is not a directory.`);
  });
});

describe('the programs of one-off tasks', () => {
  function start({ entryPoint, command }: Program, environment: NodeJS.ProcessEnv = {}) {
    const [python, ...args] = [...entryPoint, ...command];
    const env = {
      ...process.env,
      KEEPER_DIR: volume,
      KEEPER_STORES: 'webui.db,vector_db/',
      KEEPER_LOCAL_DIR: local,
      ...environment,
    };
    return { python, args, env };
  }

  function run(program: Program): Promise<Ended> {
    const { python, args, env } = start(program);
    return end(promisify(execFile)(python, args, { env }));
  }

  test('the keeper runs from the argument of python3 -c', async () => {
    makeStores();
    expect(await run(keeperProgram(['snapshots', 'take']))).toMatchObject({ code: 0 });
    expect(await ids()).toHaveLength(2);
  });

  test('several runs, one after the other', async () => {
    makeStores();
    await run(keeperProgram(['snapshots', 'take']));
    const restores = (await ids()).map((id) => ['snapshots', 'restore', id]);
    expect(await run(keeperProgram(...restores))).toMatchObject({ code: 0 });
    expect(fs.readdirSync(path.join(volume, 'set-aside'))).toHaveLength(2);
  });

  test('several runs end with the first that fails', async () => {
    makeStores();
    const { code, out } = await run(keeperProgram(['snapshots', 'restore', 'nope'], ['snapshots', 'take']));
    expect(code).toBe(64);
    expect(out).toContain('nope');
    expect(fs.existsSync(path.join(volume, 'snapshots'))).toBe(false);
  });

  test('SIGTERM ends the run that is under way, and no other starts', async () => {
    makeStores();
    // The first run waits for a lease that another process holds.
    const holder = spawn(
      'python3',
      [
        '-c',
        'import fcntl, sys; f = open(sys.argv[1], "w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()',
        path.join(volume, '.owner'),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const { python, args, env } = start(keeperProgram(['snapshots', 'take'], ['snapshots', 'take']));
    const task = spawn(python, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => task.stdout.once('data', resolve));
    task.kill('SIGTERM');
    const code = await new Promise((resolve) => task.once('exit', resolve));
    holder.stdin.end();
    expect(code).toBe(143);
    expect(fs.existsSync(path.join(volume, 'snapshots'))).toBe(false);
  });

  test('a restored tree is discarded, and nothing else is', async () => {
    const tree = 'aws-backup-restore_2026-11-25T03-44-54-417Z';
    const link = 'aws-backup-restore_2026-11-25T03-44-55-000Z';
    fs.mkdirSync(path.join(volume, tree, 'open-webui'), { recursive: true });
    fs.mkdirSync(path.join(volume, 'open-webui'));
    fs.symlinkSync('open-webui', path.join(volume, link));
    for (const name of ['open-webui', '..', `${tree}/../open-webui`, link, 'aws-backup-restore_none']) {
      expect(await run(discardRestoredProgram(volume, name))).toMatchObject({ code: 64 });
    }
    expect(fs.readdirSync(volume).sort()).toEqual([tree, link, 'open-webui']);
    expect(await run(discardRestoredProgram(volume, tree))).toMatchObject({ code: 0 });
    expect(fs.readdirSync(volume).sort()).toEqual([link, 'open-webui']);
  });

  test('what AWS Backup restored is listed', async () => {
    const tree = 'aws-backup-restore_2026-11-25T03-44-54-417Z';
    fs.mkdirSync(path.join(volume, tree, 'open-webui'), { recursive: true });
    fs.mkdirSync(path.join(volume, 'open-webui'));
    const { code, out } = await run(listRestoredProgram(volume));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ restored: tree, directories: ['open-webui'] });
  });
});

/** EFS does every file operation as the access point's user: so does the process here. Only root may become another. */
const asWorkloadUser = process.getuid?.() === 0 ? describe : describe.skip;

asWorkloadUser('bring-back as the workload’s user, from a tree AWS Backup restored as root', () => {
  const USER = { uid: 1000, gid: 1000 };
  let root: string;

  beforeEach(() => {
    makeStores();
    root = path.join(volume, 'aws-backup-restore_2026-11-25T03-44-54-417Z');
    const tree = path.join(root, 'open-webui');
    fs.mkdirSync(tree, { recursive: true });
    ['webui.db', 'vector_db'].forEach((name) => fs.renameSync(path.join(volume, name), path.join(tree, name)));
    execFileSync('chown', ['-R', '1000:1000', tree, volume]);
    execFileSync('chown', ['0:0', root]);
    // The tests' own temporary folder is closed to other users.
    fs.chmodSync(os.tmpdir(), fs.statSync(os.tmpdir()).mode | 0o011);
    fs.chmodSync(tree, 0o750);
  });

  function bringBack(): Promise<Ended> {
    const { entryPoint, command } = keeperProgram(['bring-back', path.join(root, 'open-webui')]);
    const [python, ...args] = [...entryPoint, ...command];
    const env = { ...process.env, KEEPER_DIR: volume, KEEPER_STORES: 'webui.db,vector_db/', KEEPER_LOCAL_DIR: local };
    return end(promisify(execFile)(python, args, { env, ...USER }));
  }

  test('a restored directory that others may enter: its stores become snapshots, and go in place', async () => {
    fs.chmodSync(root, 0o755);
    expect(await bringBack()).toMatchObject({ code: 0 });
    const brought = await ids();
    expect(brought).toHaveLength(2);
    expect(fs.existsSync(path.join(root, 'open-webui', 'webui.db'))).toBe(true);
    expect(await cli('snapshots', 'restore', ...brought)).toMatchObject({ code: 0 });
    expect(sql('webui.db', 'select text from chat')).toEqual([['first']]);
    expect(fs.readFileSync(path.join(volume, 'vector_db', 'index.bin'), 'utf8')).toBe('old index');
  });

  test('a restored directory of root alone: nothing is brought back, so --as-root is needed', async () => {
    fs.chmodSync(root, 0o700);
    const { code, out } = await bringBack();
    expect(code).toBe(64);
    expect(out).toContain('is no directory');
    const listed = await end(
      promisify(execFile)('python3', [path.join(__dirname, '..', 'src', 'keeper', 'list-restored.py'), volume], USER),
    );
    expect(JSON.parse(listed.out)).toMatchObject({
      directories: [],
      error: expect.stringContaining('Permission denied'),
    });
  });
});
