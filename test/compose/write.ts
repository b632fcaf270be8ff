// Synthesizes the deploy app and writes its compose.yaml into a directory: tsx test/compose/write.ts DIRECTORY
import * as path from 'path';
import { createApp } from '../../bin/app';
import { main } from '../../cli/src/main';

const [directory] = process.argv.slice(2);
const outdir = path.join(directory, 'cdk.out');
createApp({ outdir, context: { 'data-layer:services': true } }).synth();
process.env.CDK_VALIDATION = 'false';
void main(['compose', outdir, '--out', path.join(directory, 'compose.yaml')]).then((code) => process.exit(code));
