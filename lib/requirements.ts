import * as fs from 'fs';
import { createRequire } from 'module';
import * as path from 'path';

/**
 * What the package needs around it, checked before anything else is loaded: a peer that is missing or too old would
 * otherwise show as "Cannot find module" or "undefined is not a function" somewhere inside. Imports nothing but Node's
 * own modules, for that reason.
 */
interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly peerDependencies: Record<string, string>;
}

const ROOT = path.join(__dirname, '..');
const { engines, peerDependencies } = manifestIn(ROOT);
const PEERS = Object.keys(peerDependencies);

function manifestIn(directory: string): Manifest {
  return JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8'));
}

/** [major, minor, patch] of "2.270.0", "^2.270.0" or ">= 20"; what is not written counts as 0. */
function numbers(version: string): number[] {
  const [, ...parts] = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version) ?? [];
  return [0, 1, 2].map((place) => Number(parts[place] ?? 0));
}

function isOlder(version: string, floor: string): boolean {
  const [ours, least] = [numbers(version), numbers(floor)];
  const place = [0, 1, 2].find((index) => ours[index] !== least[index]);
  return place !== undefined && ours[place] < least[place];
}

/** The directory of a package as a file would find it, or undefined. */
function directoryOf(name: string, from: string): string | undefined {
  try {
    return path.dirname(createRequire(from).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function fail(problem: string, wayOut: string): never {
  throw new Error(`efs-data-layer cannot be loaded: ${problem} ${wayOut}`);
}

const install = () => `npm install ${PEERS.map((name) => `"${name}@${peerDependencies[name]}"`).join(' ')}`;

if (isOlder(process.versions.node, engines.node)) {
  fail(
    `it needs Node ${engines.node}, and this is Node ${process.versions.node} (${process.execPath}).`,
    'Install Node 22 or 24: https://nodejs.org.',
  );
}
for (const name of PEERS) {
  const range = peerDependencies[name];
  const directory = directoryOf(name, __filename);
  if (directory === undefined) {
    fail(`${name} is not installed where ${ROOT} can find it.`, `Run: ${install()}`);
  }
  const { version } = manifestIn(directory);
  if (isOlder(version, range) || numbers(version)[0] !== numbers(range)[0]) {
    fail(`it needs ${name} ${range}, and ${directory} is version ${version}.`, `Run: ${install()}`);
  }
}

const own = directoryOf('constructs', __filename)!;
const ofCdk = directoryOf('constructs', path.join(directoryOf('aws-cdk-lib', __filename)!, 'package.json'));
if (ofCdk !== undefined && ofCdk !== own) {
  fail(
    `there are two copies of constructs, ${own} (${manifestIn(own).version}) and ${ofCdk} (${manifestIn(ofCdk).version}), and aws-cdk-lib uses the second.`,
    'Keep one: declare constructs in one place, then run npm dedupe; "npm ls constructs" shows who asks for which.',
  );
}
