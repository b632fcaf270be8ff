import { CliError, usageError } from '../errors';

/** What list-restored.py prints of one aws-backup-restore_* directory. */
export interface RestoredTree {
  readonly restored: string;
  readonly directories: string[];
  readonly error?: string;
}

export function parseRestoredTrees(lines: string[]): RestoredTree[] {
  return lines.flatMap((line) => {
    try {
      const tree = JSON.parse(line) as RestoredTree;
      return typeof tree.restored === 'string' ? [tree] : [];
    } catch {
      return [];
    }
  });
}

/** The time AWS Backup writes into the name, UTC: aws-backup-restore_2026-05-14T17-27-00-417720408Z. */
function timeOf(tree: RestoredTree): number {
  const [, date, hours, minutes, seconds] = /_(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})/.exec(tree.restored) ?? [];
  return date ? Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`) : NaN;
}

/** Two clocks of AWS may differ a little. */
const SLACK_MS = 60_000;

/** The tree a restore job left: the one with the workload's directory made since the job was. Never a guess. */
export function pickRestoredTree(trees: RestoredTree[], workload: string, since: Date): string {
  const recent = trees.filter((tree) => timeOf(tree) >= since.getTime() - SLACK_MS);
  const unreadable = recent.find((tree) => tree.error);
  if (unreadable) {
    throw new CliError(
      unreadable.restored,
      `It cannot be read with the workload's user: ${unreadable.error}.`,
      `Run the command again with --restored-directory ${unreadable.restored} --as-root.`,
    );
  }
  const found = recent.filter((tree) => tree.directories.includes(workload));
  if (found.length !== 1) {
    throw usageError(
      `--workload ${workload}`,
      `${found.length} restored trees of since ${since.toISOString()} hold it.`,
      trees.length > 0
        ? `Choose with --restored-directory: ${trees.map((tree) => `${tree.restored} (${tree.directories.join(', ')})`).join('; ')}.`
        : 'There is no aws-backup-restore_* on the file system: look at the restore job in AWS Backup.',
    );
  }
  return found[0].restored;
}
