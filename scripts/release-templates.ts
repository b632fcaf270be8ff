// Keeps the templates of a release for the upgrade tests: npm run release:templates
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

process.env.CDK_VALIDATION = 'false';

import { templateOf } from '../test/upgrade-safety/flag-sets';
import { pairwise } from '../test/upgrade-safety/pairwise';
import { essence, RELEASES } from '../test/upgrade-safety/release';

const { version } = require('../package.json') as { version: string };
const folder = path.join(RELEASES, version);
const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'release-templates-'));
try {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const sets = pairwise(outdir);
  sets.forEach((flags, at) => {
    const template = templateOf(flags, outdir);
    if (!template) {
      throw new Error(`The app refuses the flag set ${JSON.stringify(flags)}.`);
    }
    const file = path.join(folder, `${String(at + 1).padStart(2, '0')}.json`);
    fs.writeFileSync(file, `${JSON.stringify({ flags, template: essence(template) })}\n`);
  });
  console.log(`${sets.length} flag sets of ${version} in ${path.relative(process.cwd(), folder)}`);
} finally {
  fs.rmSync(outdir, { recursive: true, force: true });
}
