import * as fs from 'fs';
import * as path from 'path';
import * as ts from 'typescript';

/**
 * docs/architecture.md: the rooms of the repository and who imports whom, drawn from the imports. A room is a folder of
 * lib/ or cli/src/, or one file beside them. `internal.ts` of a room is what other rooms may use and users may not.
 */
const ROOT = path.join(__dirname, '..');
export const ARCHITECTURE_DOC = path.join(ROOT, 'docs', 'architecture.md');
const MARKS = ['<!-- picture: made by npm run docs:architecture -->', '<!-- /picture -->'];
const DOORS = ['index.ts', 'internal.ts'];

export interface Import {
  readonly from: string;
  readonly to: string;
}

function sources(folder: string): string[] {
  return fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => path.join(folder, file))
    .sort();
}

/** Every import of one file of the repository by another, type imports too. */
export function imports(): Import[] {
  return ['lib', 'bin', 'cli/src'].flatMap(sources).flatMap((from) =>
    ts
      .preProcessFile(fs.readFileSync(path.join(ROOT, from), 'utf8'))
      .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      .map(({ fileName }) => path.join(path.dirname(from), fileName))
      .map((target) => [`${target}.ts`, path.join(target, 'index.ts')].find((to) => fs.existsSync(path.join(ROOT, to))))
      .filter((to) => to !== undefined)
      .map((to) => ({ from, to })),
  );
}

/** The room a file is in: lib/storage, cli/bill, lib (its own files), bin. */
export function roomOf(file: string): string {
  const [top, ...rest] = file.split('/');
  const inside = top === 'cli' ? rest.slice(1) : rest;
  return inside.length > 1 ? `${top}/${inside[0]}` : top;
}

/** Imports that reach past the door of another room of the library. Files that lie in no room are open to all. */
export function trespasses(): Import[] {
  return imports().filter(({ from, to }) => {
    if (from === 'lib/index.ts') {
      return false; // the list of the public names
    }
    const room = roomOf(to);
    return room.startsWith('lib/') && room !== roomOf(from) && !DOORS.includes(path.relative(room, to));
  });
}

/** A mermaid graph: an arrow means "imports", its number how many imports. */
export function picture(): string {
  const counts = new Map<string, number>();
  for (const { from, to } of imports()) {
    const [a, b] = [roomOf(from), roomOf(to)];
    if (a !== b) {
      counts.set(`${a} ${b}`, (counts.get(`${a} ${b}`) ?? 0) + 1);
    }
  }
  const rooms = [...new Set([...counts.keys()].flatMap((pair) => pair.split(' ')))].sort();
  const id = (room: string) => room.replace(/[^a-z]/g, '_');
  const group = (top: string, title: string) => [
    `  subgraph ${top}_package["${title}"]`,
    ...rooms.filter((room) => room.split('/')[0] === top).map((room) => `    ${id(room)}["${room}"]`),
    '  end',
  ];
  return [
    'flowchart TD',
    ...group('bin', 'the deploy app'),
    ...group('lib', 'efs-data-layer, the library'),
    ...group('cli', 'efs-data-layer-cli'),
    ...[...counts].sort().map(([pair, count]) => {
      const [a, b] = pair.split(' ').map(id);
      return `  ${a} -->|${count}| ${b}`;
    }),
  ].join('\n');
}

/** The document with the picture as the code has it. */
export function withPicture(document: string): string {
  const [before, after] = [document.indexOf(MARKS[0]) + MARKS[0].length, document.indexOf(MARKS[1])];
  return `${document.slice(0, before)}\n\n\`\`\`mermaid\n${picture()}\n\`\`\`\n\n${document.slice(after)}`;
}

if (require.main === module) {
  fs.writeFileSync(ARCHITECTURE_DOC, withPicture(fs.readFileSync(ARCHITECTURE_DOC, 'utf8')));
}
