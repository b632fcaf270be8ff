import { Command } from 'commander';

/** A command with what may follow it. */
export interface Node {
  /** Its names from the program on: ['snapshots', 'list']. Empty for the program. */
  readonly path: string[];
  readonly summary: string;
  readonly children: Node[];
  readonly options: { readonly name: string; readonly summary: string; readonly takesValue: boolean }[];
}

/** The whole program, as the argument parser knows it. */
export function commandTree(command: Command, path: string[] = []): Node {
  return {
    path,
    summary: command.description(),
    children: command.commands.map((child) => commandTree(child, [...path, child.name()])),
    options: [
      ...command.options
        .filter((option) => option.long)
        .map((option) => ({
          name: option.long!,
          summary: option.description,
          takesValue: option.required || option.optional,
        })),
      { name: '--help', summary: 'display help for command', takesValue: false },
    ],
  };
}

/** Every command, the program first. */
export function allNodes(node: Node): Node[] {
  return [node, ...node.children.flatMap(allNodes)];
}
