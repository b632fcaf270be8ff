import * as fs from 'fs';
import * as path from 'path';
import { Command } from 'commander';
import { ask, EXIT, usageError } from '../errors';
import { countCalls } from '../status/account';
import { requireEvidenceFolder } from '../status/evidence';
import { statusPage } from '../status/page';
import { readStatus, Status } from '../status/status';
import { paint, statusText } from '../status/text';
import { clientsOf, PROFILE, REGION, Shell } from './shell';

interface Options {
  readonly stack: string;
  readonly evidence?: string;
  readonly users?: string;
  readonly watch?: string | true;
  readonly json?: boolean;
  readonly html?: string;
  readonly region?: string;
  readonly profile?: string;
}

const WATCH_SECONDS = 60;
/** To the top, and clear what is below. */
const REDRAW = '\u001b[H\u001b[J';

/** `efs-data-layer status` */
export function statusCommand(shell: Shell): Command {
  return new Command('status')
    .description('what is stored, who owns it, what it costs, and how near each upgrade trigger is; reads only')
    .option('--stack <name>', 'the CloudFormation stack of the data layer', 'EfsDataLayer')
    .option('--evidence <directory>', 'the evidence directory, mounted or a copy: its manifests say what it stores')
    .option('--users <number>', 'people who use Open WebUI, where no snapshot counts them')
    .option('--watch [seconds]', 'again and again, until Ctrl-C')
    .option('--json', 'everything, as JSON')
    .option('--html <file>', 'one page with plots, which loads nothing')
    .option(...REGION)
    .option(...PROFILE)
    .addHelpText(
      'after',
      '\nExamples:\n  efs-data-layer status\n  efs-data-layer status --watch 30\n  efs-data-layer status --html status.html',
    )
    .action((options: Options) => run(shell, options));
}

async function run(shell: Shell, options: Options): Promise<void> {
  const users = options.users === undefined ? undefined : wholeNumber('--users', options.users, 0, 1e7);
  const given = options.watch === true ? WATCH_SECONDS : options.watch;
  const seconds = given === undefined ? undefined : wholeNumber('--watch', String(given), 5, 86_400);
  if (seconds !== undefined && (options.json || options.html)) {
    throw usageError('--watch', 'It goes with the view for a terminal only.', 'Leave out --json and --html.');
  }
  if (options.html !== undefined && !fs.existsSync(path.dirname(path.resolve(options.html)))) {
    throw usageError(
      `--html ${options.html}`,
      'Its directory does not exist.',
      'Name a file in a directory that exists.',
    );
  }
  if (options.evidence !== undefined) {
    requireEvidenceFolder(options.evidence);
  }
  const aws = clientsOf(shell, options);
  const calls = countCalls(aws);
  const read = () => {
    shell.io.status?.(`Reading ${options.stack} …`);
    return ask(`status --stack ${options.stack}`, () =>
      readStatus(aws, { stack: options.stack, evidence: options.evidence, users }, shell.clock.now(), calls),
    ).finally(() => shell.io.status?.(''));
  };
  if (seconds === undefined) {
    return show(shell, await read(), options);
  }
  let shown = false;
  await watch(shell, seconds, async () => {
    const status = await read().catch((error: Error) => {
      // What answered once will answer again; only a login that has ended does not come back by itself.
      if (!shown || /Log in/.test(error.message)) {
        throw error;
      }
      shell.io.note(error.message);
      return undefined;
    });
    if (!status) {
      return;
    }
    shown = true;
    const colour = shell.io.colour === true;
    shell.io.out(`${colour ? REDRAW : ''}${statusText(status, paint(colour))}`);
  });
}

function show(shell: Shell, status: Status, options: Options): void {
  if (options.html !== undefined) {
    fs.writeFileSync(options.html, statusPage(status));
    shell.io.note(`Written: ${options.html}`);
  }
  if (options.json) {
    shell.io.out(JSON.stringify(status, undefined, 2));
  } else if (options.html === undefined) {
    shell.io.out(statusText(status, paint(shell.io.colour === true)));
  }
  shell.exit(EXIT.ok);
}

/** Until Ctrl-C, which ends it at once: nothing was changed. */
async function watch(shell: Shell, seconds: number, once: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    while (!stop.signal.aborted) {
      await once();
      await shell.clock.sleep(seconds * 1000, stop.signal);
    }
  } finally {
    process.removeListener('SIGINT', end);
    process.removeListener('SIGTERM', end);
  }
}

function wholeNumber(option: string, value: string, min: number, max: number): number {
  if (!/^\d{1,10}$/.test(value) || Number(value) < min || Number(value) > max) {
    throw usageError(`${option} ${value}`, 'It is no usable number.', `Pass a whole number from ${min} to ${max}.`);
  }
  return Number(value);
}
