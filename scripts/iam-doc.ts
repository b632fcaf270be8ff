// Writes the list of docs/iam.md, every role and what it may do, from the templates: npm run docs:iam
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { Statement } from '../cli/src/doctor/iam/evaluate';
import { completed, factors, FlagSet, runbookSets, Template, templateOf } from '../test/upgrade-safety/flag-sets';
import { Naming, Resources, Role, rolesOf } from './iam/roles';

export const IAM_DOC = path.join(__dirname, '..', 'docs', 'iam.md');
const SECTION = /(<!-- roles: [^>]*-->\n)[^]*(<!-- \/roles -->)/;

/** The most that the default stores run, against which every other choice is listed. */
const BASE: FlagSet = { services: 'true', focusExport: 's3://exports/focus/cost' };

/** Ids without the hash that CDK puts at their end; a stack's own ARN is what its names are made of. */
const naming: Naming = (name, attribute) => {
  const pseudo = /^AWS::(\w+)$/.exec(name)?.[1];
  if (pseudo === 'Partition') {
    return 'aws';
  }
  if (pseudo === 'StackId') {
    return 'arn:aws:cloudformation:<Region>:<AccountId>:stack/<Stack>/1-2-3-4-<StackId>';
  }
  const bare = pseudo ?? withoutHash(name);
  return `<${attribute ? `${bare}.${attribute}` : bare}>`;
};

const withoutHash = (id: string) => id.replace(/[0-9A-F]{8}$/, '');

/** What else to look at: the steps of the runbooks, then each value of each flag beside the base, with what it needs. */
function* choices(): Generator<[string, FlagSet]> {
  for (const flags of runbookSets()) {
    yield [
      Object.keys(flags)
        .filter((name) => !(name in BASE) && !SECRETS.test(name))
        .map((name) => `${name}=${flags[name]}`)
        .join(' '),
      { ...BASE, ...flags },
    ];
  }
  for (const [name, values] of factors()) {
    for (const value of values.filter((one) => one !== undefined && !(name in BASE))) {
      const flags = completed({ ...BASE, [name]: value! });
      if (flags && flags[name] === value) {
        // Only from its second phase on does a task read a database's secret.
        yield [`${name}=${value}`, flags.relationalPhase ? { ...flags, relationalPhase: 'cutover' } : flags];
      }
    }
  }
}

/** Flags whose value says nothing to a reader. */
const SECRETS = /(Secret|Url)$/;

const roles = (template: Template): Role[] =>
  rolesOf(template as unknown as Resources, naming).sort((one, other) => (one.id < other.id ? -1 : 1));

const texts = (value: unknown): string[] => [value].flat().map(String);
const code = (value: string) => `\`${value}\``;

function line(statement: Statement): string {
  const { Effect, Action, NotAction, Resource, NotResource, Condition } = statement;
  const actions = Action ? texts(Action).map(code).join(', ') : `all but ${texts(NotAction).map(code).join(', ')}`;
  const on = Resource ? texts(Resource).map(code).join(', ') : `all but ${texts(NotResource).map(code).join(', ')}`;
  const conditions = Object.entries((Condition ?? {}) as Record<string, Record<string, unknown>>).flatMap(
    ([operator, keys]) =>
      Object.entries(keys).map(([key, wanted]) => `${operator} ${code(key)} ${texts(wanted).map(code).join(' or ')}`),
  );
  return `- ${Effect} ${actions} on ${on}${conditions.length > 0 ? `, if ${conditions.join(' and ')}` : ''}`;
}

function may(role: Role): string[] {
  return [...role.managed.map((arn) => `- managed policy ${code(arn)}`), ...role.statements.map(line)];
}

function assumedBy(role: Role): string {
  return role.trust
    .flatMap(({ Principal }) => Object.values(Principal as Record<string, unknown>).flatMap(texts))
    .map(code)
    .join(', ');
}

/** The whole list as Markdown. */
export function rolesSection(): string {
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'iam-doc-'));
  try {
    const base = roles(templateOf(BASE, outdir)!);
    const known = new Map(base.map((role) => [role.id, new Set(may(role))]));
    const lines = base.flatMap((role) => [
      `### ${withoutHash(role.id)}`,
      '',
      `Assumed by ${assumedBy(role)}.${role.description ? ` ${role.description}.` : ''}`,
      '',
      ...(may(role).length > 0 ? may(role) : ['- nothing']),
      '',
    ]);
    for (const [name, flags] of choices()) {
      const template = templateOf(flags, outdir);
      const added = (template ? roles(template) : []).flatMap((role) => {
        const fresh = may(role).filter((one) => !known.get(role.id)?.has(one));
        const isNew = !known.has(role.id);
        known.set(role.id, new Set([...(known.get(role.id) ?? []), ...fresh]));
        return fresh.length > 0 || isNew
          ? [`${withoutHash(role.id)}${isNew ? `, assumed by ${assumedBy(role)}` : ''}:`, '', ...fresh, '']
          : [];
      });
      if (added.length > 0) {
        lines.push(`### Added by ${code(name)}`, '', ...added);
      }
    }
    return lines.join('\n');
  } finally {
    fs.rmSync(outdir, { recursive: true, force: true });
  }
}

/** The document with the list in its place. */
export function withRoles(document: string): string {
  if (!SECTION.test(document)) {
    throw new Error(`${IAM_DOC} has no place for the roles.`);
  }
  return document.replace(SECTION, (_all, start: string, end: string) => `${start}\n${rolesSection()}\n${end}`);
}

if (require.main === module) {
  fs.writeFileSync(IAM_DOC, withRoles(fs.readFileSync(IAM_DOC, 'utf8')));
}
