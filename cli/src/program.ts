import { Command } from 'commander';
import { migrateCommand } from './commands/migrate';
import { compareCommand } from './commands/compare';
import { billCommand } from './commands/bill';
import { pricesCommand } from './commands/prices';
import { restoreBackupCommand } from './commands/restore-backup';
import { searchCommand } from './commands/search';
import { Shell } from './commands/shell';
import { snapshotsCommand } from './commands/snapshots';

/** The command line: one line and one file for each command. */
export function createProgram(shell: Shell, version: string): Command {
  const program = new Command('efs-data-layer')
    .description('Looks after a data layer on Amazon EFS')
    .version(version)
    .addCommand(compareCommand(shell))
    .addCommand(snapshotsCommand(shell))
    .addCommand(restoreBackupCommand(shell))
    .addCommand(billCommand(shell))
    .addCommand(pricesCommand(shell))
    .addCommand(migrateCommand(shell))
    .addCommand(searchCommand(shell));
  return program;
}
