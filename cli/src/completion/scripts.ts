import { allNodes, Node } from './tree';

const quote = (text: string) => `'${text.replace(/'/g, `'\\''`)}'`;

/** What may follow a command, as one list of words. */
function wordsAfter(node: Node): string[] {
  return [...node.children.map((child) => child.path[child.path.length - 1]), ...node.options.map((one) => one.name)];
}

/** `snapshots list`, from the words before the cursor: each is taken when it is a command below the ones before it. */
function followPath(program: Node, words: string, variable: string): string {
  const known = allNodes(program)
    .slice(1)
    .map((node) => quote([node.path.slice(0, -1).join(' '), node.path[node.path.length - 1]].join(' ')));
  return [
    `  local ${variable}= word`,
    `  for word in ${words}; do`,
    `    case "$${variable} $word" in`,
    `      ${known.join('|')}) ${variable}="\${${variable}:+$${variable} }$word" ;;`,
    '    esac',
    '  done',
  ].join('\n');
}

function cases(program: Node, variable: string, line: (words: string[]) => string): string {
  const rows = allNodes(program).map((node) => `    ${quote(node.path.join(' '))}) ${line(wordsAfter(node))} ;;`);
  return [`  case "$${variable}" in`, ...rows, '  esac'].join('\n');
}

function bash(name: string, program: Node): string {
  const own = `_${name.replace(/-/g, '_')}`;
  return `${own}() {
${followPath(program, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"', 'at')}
  local words=
${cases(program, 'at', (words) => `words=${quote(words.join(' '))}`)}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${own} ${name}
`;
}

function zsh(name: string, program: Node): string {
  const own = `_${name.replace(/-/g, '_')}`;
  return `#compdef ${name}
${own}() {
${followPath(program, '"${(@)words[2,CURRENT-1]}"', 'at')}
${cases(program, 'at', (words) => `compadd -- ${words.map(quote).join(' ')}`)}
  _files
}
compdef ${own} ${name}
`;
}

function fish(name: string, program: Node): string {
  const lines = allNodes(program).flatMap((node) => {
    const siblings = node.children.map((child) => child.path[child.path.length - 1]).join(' ');
    const seen = node.path.map((one) => `__fish_seen_subcommand_from ${one}`);
    const here = node.path.length === 0 ? ['__fish_use_subcommand'] : seen;
    const when = siblings && node.path.length > 0 ? [...here, `not __fish_seen_subcommand_from ${siblings}`] : here;
    return [
      ...node.children.map(
        (child) =>
          `complete -c ${name} -f -n ${quote(when.join('; and '))} -a ${child.path[child.path.length - 1]} -d ${quote(child.summary)}`,
      ),
      ...node.options.map(
        ({ name: option, summary, takesValue }) =>
          `complete -c ${name} -n ${quote(here.join('; and '))} -l ${option.slice(2)}${takesValue ? ' -r' : ''} -d ${quote(summary)}`,
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** The scripts by the names of their shells. */
export const SCRIPTS: Readonly<Record<string, (name: string, program: Node) => string>> = { bash, zsh, fish };
