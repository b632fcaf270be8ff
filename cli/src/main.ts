import * as fs from 'fs';
import * as path from 'path';
import { Command, CommanderError } from 'commander';
import { makeClients } from './aws/clients';
import { Shell } from './commands/shell';
import { CliError, EXIT } from './errors';
import { processIo, realClock } from './io';
import { createProgram } from './program';

/** The package's own version: package.json is beside src in the repository, beside dist in the package. */
function version(): string {
  for (let directory = __dirname; ; directory = path.dirname(directory)) {
    const file = path.join(directory, 'package.json');
    if (fs.existsSync(file) || directory === path.dirname(directory)) {
      return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version;
    }
  }
}

/** Commander must not end the process: commands have things to take back. */
function neverExit(command: Command, write: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeErr: write });
  command.commands.forEach((child) => neverExit(child, write));
}

/** Runs the command line. Resolves to the exit code; never rejects. */
export async function main(args: string[], given: Partial<Omit<Shell, 'exit'>> = {}): Promise<number> {
  let exitCode: number = EXIT.ok;
  const shell: Shell = {
    io: processIo,
    clock: realClock,
    clients: makeClients,
    ...given,
    exit: (code) => {
      exitCode = code;
    },
  };
  const program = createProgram(shell, version());
  neverExit(program, (text) => shell.io.note(text.trimEnd()));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    if (error instanceof CliError) {
      shell.io.note(error.message);
      return error.exitCode;
    }
    shell.io.note(`This is a defect of efs-data-layer, please report it: ${(error as Error).stack}`);
    return EXIT.failed;
  }
}
