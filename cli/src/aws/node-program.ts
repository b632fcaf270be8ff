import * as fs from 'fs';
import * as path from 'path';
import * as zlib from 'zlib';
import type { Program } from '../keeper/source';
import type { EvidenceRequest } from './verbs';

/** In the npm package, the program stands beside this file; in the repository it is made from the sources. */
function programText(): string {
  const built = path.join(__dirname, 'task.bundle.js');
  if (fs.existsSync(built)) {
    return fs.readFileSync(built, 'utf8');
  }
  const bundler = path.join(__dirname, '..', '..', 'scripts', 'bundle-task.js');
  return (require(bundler) as { bundleTask(): string }).bundleTask();
}

/** The whole program and what it is asked, as entry point and command of a container with Node. */
export function evidenceProgram(request: EvidenceRequest): Program {
  const boot = fs.readFileSync(path.join(__dirname, 'task-boot.js'), 'utf8').replace(/^\/\/.*\n/gm, '');
  const packed = zlib.deflateRawSync(programText(), { level: 9 }).toString('base64');
  return { entryPoint: ['node', '-e', boot, packed], command: [JSON.stringify(request)] };
}
