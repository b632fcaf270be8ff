import { App, Stack } from 'aws-cdk-lib';
import { EfsDataLayer } from '../lib';
import { handWrittenStack } from './hand-written-stack';

/**
 * One measurement in a process of its own, printed as JSON: n stacks in one app, made and then synthesized. Loading the
 * modules is not counted, and the first stack of a kind, which loads the services' modules, is made before the clock
 * starts. Usage: layers-run.ts ours|hand-written n
 */
const make = {
  ours: (app: App, id: string) => void new EfsDataLayer(new Stack(app, id), 'DataLayer'),
  'hand-written': handWrittenStack,
}[process.argv[2] as 'ours' | 'hand-written'];
const count = Number(process.argv[3]);

make(new App(), 'Warm');
global.gc?.();
const before = process.memoryUsage().heapUsed;
const milliseconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

const construct = process.cpuUsage();
const app = new App();
for (let place = 0; place < count; place++) {
  make(app, `Layer${place}`);
}
const constructMs = milliseconds(process.cpuUsage(construct));
global.gc?.();
const heapMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;

const synth = process.cpuUsage();
const { stacks } = app.synth();
const synthMs = milliseconds(process.cpuUsage(synth));
const resources = stacks.reduce((sum, { template }) => sum + Object.keys(template.Resources).length, 0);
console.log(JSON.stringify({ constructMs, synthMs, heapMiB, resources }));
