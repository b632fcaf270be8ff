import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { Template, TemplateResource } from './flag-sets';

/** Logs, which nobody needs after an update. */
const NOT_DATA = new Set([
  // Its index is made from evidence files, which stay, and is filled anew by `search index`.
  'AWS::OpenSearchServerless::Collection',
  'AWS::Logs::LogGroup',
]);

/** Hold data, which the resource schemas do not say of them. */
const DATA_TOO = new Set([
  'AWS::S3Tables::TableBucket',
  'AWS::S3Tables::Namespace',
  'AWS::S3Tables::Table',
  'AWS::S3Vectors::VectorBucket',
  'AWS::S3Vectors::Index',
  'AWS::DSQL::Cluster',
]);

/**
 * Hold no data and must not be replaced either. An access point leads to a directory: another path is an empty one. A
 * second mount target in a zone is refused. A service is replaced by starting the new one first: a second writer.
 */
const WAY_TO_DATA = new Set(['AWS::EFS::AccessPoint', 'AWS::EFS::MountTarget', 'AWS::ECS::Service']);

const stateful = new Map<string, boolean>();

/** Whether a type holds data: CloudFormation's resource schemas, with what is known better here. */
export function holdsData(type: string): boolean {
  if (!stateful.has(type)) {
    const [spec] = loadAwsServiceSpecSync().lookup('resource', 'cloudFormationType', 'equals', type);
    stateful.set(type, !NOT_DATA.has(type) && (DATA_TOO.has(type) || spec?.isStateful === true));
  }
  return stateful.get(type)!;
}

/** Whether an update must keep resources of a type as they are. */
export function guarded(type: string): boolean {
  return WAY_TO_DATA.has(type) || holdsData(type);
}

/** What may change between two templates of one stack. */
export interface Allowed {
  /** A flag differs: a store that is not chosen any more leaves the stack, its data stays. */
  readonly stores?: boolean;
  /** Both keys of dev are turned: data may be deleted. */
  readonly destroy?: boolean;
}

const STRENGTH = ['Delete', 'Snapshot', 'RetainExceptOnCreate', 'Retain'];
const strength = (policy: string | undefined) => STRENGTH.indexOf(policy ?? 'Delete');

/** Whether what a resource holds outlives it. */
function outlives({ DeletionPolicy }: TemplateResource): boolean {
  return strength(DeletionPolicy) > 0;
}

/**
 * What an update would do to data that it must not, in words; empty when it is safe. CloudFormation's own rules decide,
 * as `cdk diff` has them: which property cannot be updated, and what refers to a resource that is replaced.
 */
export function unsafeChanges(before: Template, after: Template, allowed: Allowed = {}): string[] {
  const problems: string[] = [];
  const { resources } = fullDiff(structuredClone(before) as object, structuredClone(after) as object);
  resources.forEachDifference((id, change) => {
    const old = before.Resources[id];
    if (!old || !guarded(old.Type)) {
      return;
    }
    const name = `${old.Type} ${id}`;
    switch (change.changeImpact) {
      case ResourceImpact.WILL_REPLACE:
      case ResourceImpact.MAY_REPLACE: {
        const causes = Object.entries(change.propertyUpdates)
          .filter(([, { changeImpact }]) => changeImpact === change.changeImpact)
          .map(([property]) => property);
        const verb = change.changeImpact === ResourceImpact.MAY_REPLACE ? 'may be' : 'is';
        problems.push(`${name} ${verb} replaced (${causes.join(', ') || 'its type'}).`);
        break;
      }
      case ResourceImpact.WILL_DESTROY:
      case ResourceImpact.WILL_ORPHAN:
        if (!allowed.stores) {
          problems.push(`${name} leaves the stack: its logical id is not kept.`);
        } else if (holdsData(old.Type) && !outlives(old) && !allowed.destroy) {
          problems.push(`${name} is deleted (DeletionPolicy ${old.DeletionPolicy ?? 'not set'}).`);
        }
        break;
    }
  });
  if (!allowed.destroy) {
    problems.push(...weakened(before, after));
  }
  return problems.sort();
}

/** Policies that protect less than they did. */
function weakened(before: Template, after: Template): string[] {
  return Object.entries(before.Resources).flatMap(([id, old]) => {
    const now = after.Resources[id];
    return now && holdsData(old.Type)
      ? (['DeletionPolicy', 'UpdateReplacePolicy'] as const)
          .filter((attribute) => strength(now[attribute]) < strength(old[attribute]))
          .map(
            (attribute) => `${old.Type} ${id}: ${attribute} was ${old[attribute]}, is ${now[attribute] ?? 'not set'}.`,
          )
      : [];
  });
}
