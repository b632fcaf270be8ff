import * as fs from 'fs';
import * as path from 'path';
import { Command } from 'commander';
import { BillError, TemplateResources } from '../../../lib/bill';
import { findStacks } from '../bill/sources';
import { composeFile, ComposeFile } from '../compose/compose-file';
import { tasksOf } from '../compose/tasks';
import { toYaml } from '../compose/yaml';
import { usageError } from '../errors';
import { Shell } from './shell';

interface Options {
  readonly out: string;
  readonly data: string;
  readonly user?: string;
}

/** The first line of what this command wrote, and may write over. */
const MARK = '# Made by efs-data-layer compose';

/** `efs-data-layer compose` */
export function composeCommand(shell: Shell): Command {
  return new Command('compose')
    .description(
      'writes a compose.yaml from the synthesized task definitions: the same images, keepers, paths, users, settings and health checks on local directories',
    )
    .argument('[source]', 'a template, an assembly directory, or a stack of cdk.out', 'cdk.out')
    .option('--out <file>', 'the file to write; .env is written beside it', 'compose.yaml')
    .option('--data <directory>', 'where the directories of the volume lie', './data')
    .option('--user <uid:gid>', 'the user of the processes (default: that of the access points, 1000:1000)')
    .addHelpText(
      'after',
      "\nExamples:\n  npx cdk synth -q -c 'data-layer:services=true' && efs-data-layer compose && docker compose up\n  efs-data-layer compose --user $(id -u):$(id -g)",
    )
    .action((source: string, options: Options) => {
      try {
        write(shell, source, options);
      } catch (error) {
        throw error instanceof BillError ? usageError(error.where, error.problem, error.wayOut) : error;
      }
    });
}

function write(shell: Shell, source: string, options: Options): void {
  if (options.user !== undefined && !/^[1-9]\d{0,9}:\d{1,10}$/.test(options.user)) {
    throw usageError(
      `--user ${options.user}`,
      'It is no uid:gid of a user that is not root.',
      'Pass for example 1000:1000.',
    );
  }
  const file = path.resolve(options.out);
  const folder = path.dirname(file);
  if (!fs.existsSync(folder)) {
    throw usageError(`--out ${options.out}`, `There is no directory ${folder}.`, 'Make it, or name another.');
  }
  if (fs.existsSync(file) && !fs.readFileSync(file, 'utf8').startsWith(MARK)) {
    throw usageError(`--out ${options.out}`, 'It exists and was not written by this command.', 'Name another file.');
  }
  const { title, stacks } = findStacks(source === 'cdk.out' ? undefined : source, 'compose');
  const tasks = tasksOf(new TemplateResources(stacks));
  if (tasks.length === 0) {
    throw usageError(
      `compose ${title}`,
      'It has no task definition with a directory on EFS.',
      'Pass the assembly or the template of a data layer, for example cdk.out after cdk synth.',
    );
  }
  // A source without a dot or a slash in front would be the name of a volume.
  const data = path.isAbsolute(options.data) ? options.data : `./${path.normalize(options.data)}`;
  const made = composeFile(tasks, { data, user: options.user });
  makeDirectories(shell, path.resolve(folder, options.data), made, options.user);
  const missing = addVariables(path.join(folder, '.env'), made.variables);
  fs.writeFileSync(file, `${heading(title)}\n${toYaml(made.document)}`);
  shell.io.note(`Written: ${options.out}`);
  if (missing.length > 0) {
    shell.io.note(`Set in ${path.join(path.dirname(options.out), '.env')}: ${missing.join(', ')}.`);
  }
}

function heading(title: string): string {
  return [
    `${MARK} from ${title}. Changes are lost when it is made again.`,
    '# As on ECS: images, entry points with the keeper, paths, settings, health checks, the time to stop, and the order of',
    '# starts. The user is that of the access point: on EFS it is the owner of every file, whoever the process is; here the',
    '# process has to be that user. Not as on ECS: memory and processor have no limit, nothing is started again by itself,',
    '# and a local directory is no NFS: locks and commits are faster, and no host can be cut off.',
    '# Stop one project before another starts on the same directories: the keepers let only one in.',
  ].join('\n');
}

/** Docker would make them as root, and the user could not write. */
function makeDirectories(shell: Shell, data: string, { directories }: ComposeFile, user?: string): void {
  for (const { directory, uid, gid } of directories) {
    const made = path.join(data, directory);
    fs.mkdirSync(path.dirname(made), { recursive: true });
    fs.mkdirSync(made, { recursive: true, mode: 0o750 });
    const [wantedUid, wantedGid] = (user ?? `${uid}:${gid}`).split(':').map(Number);
    if (process.getuid?.() === 0) {
      fs.chownSync(made, wantedUid, wantedGid);
    } else if (process.platform === 'linux' && fs.statSync(made).uid !== wantedUid) {
      shell.io.note(
        `${made} is not owned by ${wantedUid}: run sudo chown ${wantedUid}:${wantedGid} ${made}, or pass --user ${process.getuid!()}:${process.getgid!()}.`,
      );
    }
  }
}

/** Adds what is missing; what somebody has set stays. Returns the names without a value. */
function addVariables(file: string, variables: Map<string, string>): string[] {
  const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const set = new Map([...before.matchAll(/^([A-Za-z_]\w*)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  const added = [...variables].filter(([name]) => !set.has(name)).map(([name, why]) => `# ${why}\n${name}=\n`);
  if (added.length > 0) {
    const gap = before === '' || before.endsWith('\n') ? '' : '\n';
    fs.writeFileSync(file, `${before}${gap}${added.join('')}`, { mode: 0o600 });
    // The mode above counts only for a new file.
    fs.chmodSync(file, 0o600);
  }
  return [...variables.keys()].filter((name) => !set.get(name));
}
