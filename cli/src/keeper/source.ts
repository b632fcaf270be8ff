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

/** A Python program as the argument of `python3 -c`, compressed: a task definition is limited to 64 KiB. */
export function embedded(file: string): string {
  const packed = zlib.deflateSync(fs.readFileSync(file, 'utf8'), { level: 9 }).toString('base64');
  return `import base64,zlib;exec(compile(zlib.decompress(base64.b64decode("${packed}")),"${path.basename(file)}","exec"))`;
}

/** A Python program and its arguments, as entry point and command of a container. */
export interface Program {
  readonly entryPoint: string[];
  readonly command: string[];
}

/** The keeper with one list of arguments; with several lists, one run after the other until one fails. */
export function keeperProgram(...runs: string[][]): Program {
  const program = embedded(keeperPath());
  if (runs.length === 1) {
    return { entryPoint: ['python3', '-c', program], command: runs[0] };
  }
  const sequence = fs.readFileSync(path.join(__dirname, 'sequence.py'), 'utf8');
  return {
    entryPoint: ['python3', '-c', `PROGRAM = ${JSON.stringify(program)}\n${sequence}`],
    command: runs.flatMap((run, index) => (index === 0 ? run : [';', ...run])),
  };
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
