import { spawn } from 'child_process';
import * as fs from 'fs';
import { CliError, usageError } from '../errors';
import { keeperPath } from './source';

/**
 * Runs the keeper on a mounted volume, with its output as it comes. Resolves to its exit code.
 * Ctrl-C reaches it through the terminal's process group; here it is only waited for.
 */
export async function runLocally(directory: string, stores: string | undefined, args: string[]): Promise<number> {
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw usageError(`--dir ${directory}`, 'It is not a directory.', 'Pass the mount path of the volume.');
  }
  const ignore = () => {};
  process.on('SIGINT', ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn('python3', [keeperPath(), ...args], {
        stdio: 'inherit',
        env: { ...process.env, KEEPER_DIR: directory, ...(stores && { KEEPER_STORES: stores }) },
      });
      child.on('error', (error) =>
        reject(
          new CliError('python3', `It cannot be started: ${error.message}.`, 'Install Python 3.9 or newer as python3.'),
        ),
      );
      child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 128 + 15)));
    });
  } finally {
    process.off('SIGINT', ignore);
  }
}
