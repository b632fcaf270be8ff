import * as fs from 'fs';
import * as path from 'path';
import * as zlib from 'zlib';
import type { Program } from '../keeper/source';

/** The rooms that have a program for a task: `task.ts` in each. */
export type TaskRoom = 'evidence' | 'search';

/** In the npm package, the program stands beside the room's code; in the repository it is made from the sources. */
function programText(room: TaskRoom): string {
  const built = path.join(__dirname, '..', room, 'task.bundle.js');
  if (fs.existsSync(built)) {
    return fs.readFileSync(built, 'utf8');
  }
  const bundler = path.join(__dirname, '..', '..', 'scripts', 'bundle-task.js');
  return (require(bundler) as { bundleTask(room: TaskRoom): string }).bundleTask(room);
}

/** The whole program and what it is asked, as entry point and command of a container with Node. */
export function nodeProgram(room: TaskRoom, request: object): Program {
  const boot = fs.readFileSync(path.join(__dirname, 'node-boot.js'), 'utf8').replace(/^\/\/.*\n/gm, '');
  const packed = zlib.deflateRawSync(programText(room), { level: 9 }).toString('base64');
  return { entryPoint: ['node', '-e', boot, packed], command: [JSON.stringify(request)] };
}
