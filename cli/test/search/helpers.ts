import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import * as zlib from 'zlib';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { makeClients } from '../../src/aws/clients';
import { main } from '../../src/main';
import { KEYS, REGION } from './collection';

/** A folder with evidence, removed by the caller. */
export function evidence(files: Record<string, string | Uint8Array>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'evidence-'));
  write(root, files);
  return root;
}

export function write(root: string, files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
}

export const gz = (text: string) => new Uint8Array(zlib.gzipSync(text));

/** Runs the command; time passes only while it waits. */
export async function search(args: string[], more: { keys?: typeof KEYS; cloudFormation?: CloudFormationClient } = {}) {
  const said: string[] = [];
  const notes: string[] = [];
  let time = Date.now();
  let waited = 0;
  const code = await main(['search', 'index', ...args], {
    io: { out: (line) => void said.push(line), note: (line) => void notes.push(line) },
    clock: {
      now: () => time,
      sleep: async (ms) => {
        time += ms;
        waited += ms;
      },
    },
    clients: () => ({
      ...makeClients({ region: REGION }),
      cloudFormation:
        more.cloudFormation ?? new CloudFormationClient({ region: REGION, credentials: more.keys ?? KEYS }),
    }),
  });
  return { code, said, notes, waited, all: [...said, ...notes].join('\n') };
}

/** Reports and findings as teams write them, and things that are no text. */
export const FILES = {
  'reports/monthly/MONTH=2026-10/run=20261101T060000Z/summary.md':
    '# Spend in October\n\nEC2 went up by 12 %.\n\n## Storage\n\nEFS stayed at $6.\n\n```\n# no heading\n```\n',
  'reports/monthly/MONTH=2026-10/run=20261101T060000Z/manifest.json': '{"schemaVersion":1}',
  'reports/monthly/MONTH=2026-10/run=20261101T060000Z/by-team.csv':
    'team,cost,note\nalpha,10,"new, bigger\nnodes"\nbeta,20,\n',
  'reports/notes.txt': 'Remember the reserved instances.',
  'findings/rightsizing/MONTH=2026-10/findings.json': JSON.stringify(
    [
      { title: 'Idle database', resource: { id: 'db-1', region: 'eu-west-1' }, severity: 'high' },
      { title: 'Unattached volume', resource: { id: 'vol-2' }, severity: 'low' },
    ],
    null,
    1,
  ),
  'findings/stream.jsonl': '{"title":"first","n":1}\n\n{"title":"second","n":2}\n',
  'findings/packed.tsv.gz': gz('name\tvalue\nzebra\tstriped\n'),
  'findings/picture.png': 'no text',
  'focus/cost/data.csv': 'not,indexed\n1,2\n',
};

/** Documents in FILES: three sections, two rows, a note, two findings, two lines, one row. */
export const DOCUMENTS = 3 - 1 + 2 + 1 + 2 + 2 + 1;
