import { execFileSync, spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { readSource, SourceStack } from '../../../lib/bill';
import { CliError, usageError } from '../errors';
import { Io } from '../io';

/** Files that decide what is installed. When they differ, the installed packages are not those of the ref. */
const LOCK_FILES = ['package-lock.json', 'yarn.lock', 'pnpm-lock.yaml'];

/**
 * Checks a git ref out into a temporary worktree, runs its app there as the CDK CLI would, and reads what it wrote.
 * The packages installed here are used, so the ref must have the same lock file.
 */
export function assemblyOfRef(ref: string, io: Io): SourceStack[] {
  const where = `--against-ref ${ref}`;
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  let commit: string;
  let root: string;
  try {
    root = git('rev-parse', '--show-toplevel');
    commit = git('rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`);
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr ?? (error as Error).message).trim();
    throw usageError(where, `git does not find it (${reason}).`, 'Pass a branch, tag or commit; fetch it first in CI.');
  }
  const below = path.relative(fs.realpathSync(root), fs.realpathSync(process.cwd()));
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'bill-ref-'));
  const tree = path.join(temporary, 'tree');
  try {
    io.note(`Synthesizing ${ref} (${commit.slice(0, 12)}) in a temporary worktree`);
    git('worktree', 'add', '--detach', '--force', tree, commit);
    requireSamePackages(where, root, tree);
    linkPackages(root, tree, below);
    return synthesize(where, path.join(tree, below), path.join(temporary, 'cdk.out'));
  } finally {
    spawnSync('git', ['worktree', 'remove', '--force', tree]);
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

function requireSamePackages(where: string, root: string, tree: string): void {
  const read = (file: string) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined);
  const different = LOCK_FILES.find((name) => read(path.join(root, name)) !== read(path.join(tree, name)));
  if (different !== undefined) {
    throw usageError(
      where,
      `Its ${different} is not the one here, so it needs other packages than those installed.`,
      'Synthesize it yourself (git worktree add, npm ci, cdk synth) and pass the result with --diff.',
    );
  }
}

/** node_modules of the repository's root, and of the app's folder when it has its own. */
function linkPackages(root: string, tree: string, below: string): void {
  for (const folder of new Set(['', below])) {
    const installed = path.join(root, folder, 'node_modules');
    const link = path.join(tree, folder, 'node_modules');
    if (fs.existsSync(installed) && fs.existsSync(path.dirname(link)) && !fs.existsSync(link)) {
      fs.symlinkSync(installed, link, 'dir');
    }
  }
}

function synthesize(where: string, directory: string, out: string): SourceStack[] {
  const file = path.join(directory, 'cdk.json');
  if (!fs.existsSync(file)) {
    throw usageError(
      where,
      `It has no cdk.json in ${path.basename(directory)}.`,
      'Run this where the app’s cdk.json is.',
    );
  }
  const { app, context } = JSON.parse(fs.readFileSync(file, 'utf8')) as { app?: string; context?: object };
  if (typeof app !== 'string') {
    throw usageError(where, 'Its cdk.json has no "app".', 'Synthesize it yourself and pass the result with --diff.');
  }
  const looked = path.join(directory, 'cdk.context.json');
  const lookups = fs.existsSync(looked) ? (JSON.parse(fs.readFileSync(looked, 'utf8')) as object) : {};
  const ran = spawnSync(app, {
    cwd: directory,
    shell: true,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: out,
      // As the CDK CLI does: paths of constructs in the templates, by which resources are told apart.
      CDK_CONTEXT_JSON: JSON.stringify({
        ...context,
        ...lookups,
        'aws:cdk:enable-path-metadata': true,
        'aws:cdk:enable-asset-metadata': true,
      }),
    },
  });
  if (ran.status !== 0) {
    throw new CliError(
      where,
      `Its app failed (${app}):\n${`${ran.stdout}${ran.stderr}`.trim().split('\n').slice(-20).join('\n')}\n`,
      'Correct it, or synthesize it yourself and pass the result with --diff.',
    );
  }
  return readSource(out);
}
