import { Command } from 'commander';
import { migrateCommand } from './commands/migrate';
import { compareCommand } from './commands/compare';
import { composeCommand } from './commands/compose';
import { billCommand } from './commands/bill';
import { completionCommand } from './commands/completion';
import { doctorCommand } from './commands/doctor';
import { evidenceCommand } from './commands/evidence';
import { pricesCommand } from './commands/prices';
import { restoreBackupCommand } from './commands/restore-backup';
import { searchCommand } from './commands/search';
import { Shell } from './commands/shell';
import { snapshotsCommand } from './commands/snapshots';
import { statusCommand } from './commands/status';

/** The command line: one line and one file for each command. */
export function createProgram(shell: Shell, version: string): Command {
  const program = new Command('efs-data-layer')
    .description('Looks after a data layer on Amazon EFS')
    .version(version)
    .addCommand(doctorCommand(shell))
    .addCommand(statusCommand(shell))
    .addCommand(snapshotsCommand(shell))
    .addCommand(restoreBackupCommand(shell))
    .addCommand(migrateCommand(shell))
    .addCommand(evidenceCommand(shell, version))
    .addCommand(searchCommand(shell))
    .addCommand(billCommand(shell))
    .addCommand(compareCommand(shell))
    .addCommand(pricesCommand(shell))
    .addCommand(composeCommand(shell))
    .addCommand(completionCommand(shell));
  return program;
}
