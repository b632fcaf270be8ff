import * as fs from 'fs';
import * as path from 'path';
import * as zlib from 'zlib';
import { CliError } from '../errors';

/** The same place in the repository and in the npm package, whose folder `dist` has the repository's layout. */
export const KEEPER = path.join(__dirname, '..', '..', '..', 'lib', 'single-writer', 'keeper.py');

/** Where keeper.py is on this machine. */
export function keeperPath(): string {
  if (!fs.existsSync(KEEPER)) {
    throw new CliError('keeper.py', `It is not at ${KEEPER}.`, 'Install the package efs-data-layer-cli again.');
  }
  return KEEPER;
}

/** A Python program as the argument of `python3 -c`. */
function embedded(file: string): string {
  const packed = zlib.deflateSync(fs.readFileSync(file, 'utf8'), { level: 9 }).toString('base64');
  return `import base64,zlib;exec(compile(zlib.decompress(base64.b64decode("${packed}")),"${path.basename(file)}","exec"))`;
}

/** A Python program and its arguments, as entry point and command of a container. */
export interface Program {
  readonly entryPoint: string[];
  readonly command: string[];
}

/** The keeper and its modules as the construct embeds them; the first line of the file is their checksum. */
function keeperBundle(): string {
  keeperPath();
  return fs.readFileSync(path.join(path.dirname(KEEPER), 'keeper.bundle'), 'utf8').split('\n')[1];
}

/** Unpacks the bundle, its first argument, into a directory of the container. */
const UNPACK = [
  'import base64,json,os,sys,zlib',
  'd=os.environ.get("KEEPER_LOCAL_DIR","/tmp/keeper")',
  'os.makedirs(d,exist_ok=True)',
  '[open(d+"/"+n,"w",encoding="utf-8").write(t) for n,t in json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))).items()]',
  'PROGRAM=d+"/keeper.py"',
].join(';');

/** The keeper with one list of arguments; with several lists, one run after the other until one fails. */
export function keeperProgram(...runs: string[][]): Program {
  const boot =
    runs.length === 1
      ? `${UNPACK};os.execv(sys.executable,[sys.executable,PROGRAM]+sys.argv[2:])`
      : `${UNPACK}\n${fs.readFileSync(path.join(__dirname, 'sequence.py'), 'utf8')}`;
  return {
    entryPoint: ['python3', '-c', boot, keeperBundle()],
    command: runs.flatMap((run, index) => (index === 0 ? run : [';', ...run])),
  };
}

/** The movers, the keeper whose lease they take among them; the first line of the file is their checksum. */
const MOVER_BUNDLE = path.join(path.dirname(KEEPER), '..', 'stores', 'mover.bundle');

/** A mover with its arguments. It reads the target's coordinates from the container's environment. */
export function moverProgram(mover: 'mover.py' | 'vector_mover.py', args: string[]): Program {
  const boot = fs.readFileSync(path.join(__dirname, 'move.py'), 'utf8');
  const bundle = fs.readFileSync(MOVER_BUNDLE, 'utf8').split('\n')[1];
  return { entryPoint: ['python3', '-c', boot, bundle], command: [mover, ...args] };
}

/** Deletes one restored tree. */
export function discardRestoredProgram(root: string, name: string): Program {
  const program = embedded(path.join(__dirname, 'discard-restored.py'));
  return { entryPoint: ['python3', '-c', program], command: [root, name] };
}

/** Lists what AWS Backup restored below a directory. */
export function listRestoredProgram(root: string): Program {
  return { entryPoint: ['python3', '-c', embedded(path.join(__dirname, 'list-restored.py'))], command: [root] };
}
