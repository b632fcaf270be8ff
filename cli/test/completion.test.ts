import { execFileSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { main } from '../src/main';

async function script(shell: string): Promise<string> {
  const out: string[] = [];
  expect(await main(['completion', shell], { io: { out: (line) => out.push(line), note: () => {} } })).toBe(0);
  return `${out.join('\n')}\n`;
}

/** What bash offers after the words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'completion-'));
  const file = path.join(folder, 'script');
  fs.writeFileSync(file, await script('bash'));
  const typed = ['efs-data-layer', ...words].map((word) => `'${word}'`).join(' ');
  const run = `source ${file}; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _efs_data_layer; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = execFileSync('bash', ['-c', run], { encoding: 'utf8' }).trim().split('\n');
  fs.rmSync(folder, { recursive: true });
  return answer;
}

test('bash completes commands, commands of commands, and options', async () => {
  expect(await offered('do')).toEqual(['doctor']);
  expect(await offered('snapshots', 're')).toEqual(['restore', 'release']);
  expect(await offered('doctor', 'EfsDataLayer', '--p')).toEqual(['--print-policy', '--profile']);
  expect(await offered('snapshots', 'list', '--st')).toEqual(['--stack', '--stores']);
});

test('zsh and fish get every command', async () => {
  expect(await script('zsh')).toMatch(/^#compdef efs-data-layer\n[^]*'snapshots list'\) compadd -- '--dir'/);
  const fish = await script('fish');
  expect(fish).toContain("complete -c efs-data-layer -f -n '__fish_use_subcommand' -a doctor");
  expect(fish).toMatch(/__fish_seen_subcommand_from snapshots; and not __fish_seen_subcommand_from list .*' -a verify/);
});

test('another shell is refused with those there are', async () => {
  const notes: string[] = [];
  const code = await main(['completion', 'tcsh'], { io: { out: () => {}, note: (line) => notes.push(line) } });
  expect([code, notes.join('\n')]).toEqual([64, expect.stringContaining('bash, zsh, fish')]);
});
