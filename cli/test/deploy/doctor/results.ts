import { Report } from '../../../src/doctor/finding';
import { Account } from './account';

/** A row of the table: what was broken, what the doctor must call it, and what it said. */
export interface Result {
  /** The type and the property of the template; empty for an event. */
  readonly property: string;
  readonly what: string;
  readonly finding: string;
  readonly found: string[];
}

/** What else is true when one thing is broken: no false alarm. */
export const CONSEQUENCES: Record<string, string[]> = {
  // A role that lost its right to mount has another policy, and one that got more, too.
  'role-policy': ['workload-locked-out'],
  'workload-locked-out': ['role-policy', 'plaintext-mount'],
  'role-mounts-others': ['role-policy'],
  'role-root-access': ['role-policy'],
  // Its lines go to another log group, or stream.
  'task-definition-drift': ['keeper-silent'],
  // Who may not go out does not reach a mount target.
  egress: ['nfs-blocked'],
  // These are changes of the task definition as well.
  'image-not-pinned': ['image-drift'],
  'secret-missing': ['task-definition-drift'],
  'keeper-removed': ['command-drift'],
  // Without its mount the address leads to the task's own disk.
  'mount-point': ['sqlite-url'],
  // The second task's keeper waits and does not report.
  'two-writers': ['keeper-silent'],
};

/** Findings that are neither what was broken nor a consequence of it. */
export function falseAlarms({ finding, found }: Result): string[] {
  return found.filter((one) => one !== finding && !(CONSEQUENCES[finding] ?? []).includes(one));
}

/** Physical ids are others in each account: the runbook names resources by their logical ids. */
function anonymous(text: string, account: Account): string {
  return Object.entries(account.ids)
    .filter(([, id]) => id.length > 8)
    .sort(([, a], [, b]) => b.length - a.length)
    .reduce((so, [logical, id]) => so.split(id).join(`<${logical.replace(/[0-9A-F]{8}$/, '')}>`), text)
    .replace(/EfsDataLayer-(\w+?)(?:[0-9A-F]{8})?-[0-9a-f]{12}/g, '<$1>')
    .replace(/(sgr?|fsap|fs|fsmt|subnet)-[0-9a-f]{8,}/g, '<$1-…>')
    .replace(/ecs-svc\/\d+/g, '<deployment>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<task>')
    .replace(/(Task[0-9A-F]{8}):\d+/g, '$1:<revision>');
}

/** The first finding of each kind, as the runbook shows it. */
export class Examples {
  public readonly byId: Record<string, { what: string; mend: string }> = {};

  public add(report: Report, account: Account, wanted: string): void {
    const found = report.findings.find((one) => one.id === wanted);
    if (found && !this.byId[wanted]) {
      this.byId[wanted] = { what: anonymous(found.what, account), mend: anonymous(found.mend, account) };
    }
  }
}

/** Rows by property and finding, counted. */
export function counted(results: Result[]) {
  const rows = new Map<string, { property: string; what: string; finding: string; seeded: number; caught: number }>();
  for (const one of results) {
    const key = one.property ? `${one.property} ${one.finding}` : one.what;
    const row = rows.get(key) ?? { property: one.property, what: one.what, finding: one.finding, seeded: 0, caught: 0 };
    row.seeded++;
    row.caught += one.found.includes(one.finding) ? 1 : 0;
    rows.set(key, row);
  }
  return [...rows.values()];
}
