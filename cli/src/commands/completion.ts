import { Argument, Command } from 'commander';
import { SCRIPTS } from '../completion/scripts';
import { commandTree } from '../completion/tree';
import { Shell } from './shell';

const HELP = `
Examples:
  source <(efs-data-layer completion bash)                          in ~/.bashrc
  source <(efs-data-layer completion zsh)                           in ~/.zshrc, after compinit
  efs-data-layer completion fish > ~/.config/fish/completions/efs-data-layer.fish`;

/** `efs-data-layer completion bash|zsh|fish` */
export function completionCommand(shell: Shell): Command {
  const command = new Command('completion')
    .description('prints what makes a shell complete the names of commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP);
  return command.action((name: string) => {
    const program = command.parent!;
    shell.io.out(SCRIPTS[name](program.name(), commandTree(program)).trimEnd());
  });
}
