import { asRecord, asRecords, Json } from './json';
import { AppTemplate, Resource } from './template';

/** Whether a selection of AWS Backup in the app covers a file system. */
export function isBackedUp(app: AppTemplate, fileSystem: Resource): boolean {
  const tags = new Map(
    asRecords(fileSystem.properties.FileSystemTags).map(({ Key, Value }) => [String(Key), String(Value)]),
  );
  return app
    .ofType('AWS::Backup::BackupSelection')
    .map(({ properties }) => asRecord(properties.BackupSelection))
    .some((selection) => selects(app, selection, fileSystem, tags));
}

/** ListOfTags adds resources; Conditions narrow Resources down; NotResources take out (AWS Backup API, BackupSelection). */
function selects(app: AppTemplate, selection: Json, fileSystem: Resource, tags: Map<string, string>): boolean {
  if (named(app, selection.NotResources, fileSystem)) {
    return false;
  }
  const byTag = asRecords(selection.ListOfTags).some(
    ({ ConditionKey, ConditionValue }) => tags.get(tagName(ConditionKey)) === ConditionValue,
  );
  return byTag || (named(app, selection.Resources, fileSystem) && holds(asRecord(selection.Conditions), tags));
}

function named(app: AppTemplate, resources: unknown, fileSystem: Resource): boolean {
  return (Array.isArray(resources) ? resources : []).some(
    (resource) => app.references(resource).some(({ key }) => key === fileSystem.key) || isEveryFileSystem(resource),
  );
}

/** "*", or a pattern for all file systems: arn:aws:elasticfilesystem:*:*:file-system/*, whatever its middle is made of. */
function isEveryFileSystem(resource: unknown): boolean {
  return resource === '*' || /elasticfilesystem:.*file-system\/\*"?/.test(JSON.stringify(resource));
}

function holds(conditions: Json, tags: Map<string, string>): boolean {
  return Object.entries(conditions).every(([operator, parameters]) =>
    asRecords(parameters).every(({ ConditionKey, ConditionValue }) => {
      const value = tags.get(tagName(ConditionKey));
      const matches = value !== undefined && pattern(String(ConditionValue), operator).test(value);
      return operator.startsWith('StringNot') ? !matches : matches;
    }),
  );
}

function tagName(conditionKey: unknown): string {
  return String(conditionKey).replace(/^aws:ResourceTag\//, '');
}

function pattern(text: string, operator: string): RegExp {
  const literal = text.replace(/[.+^${}()|[\]\\?*]/g, '\\$&');
  return new RegExp(`^${operator.endsWith('Like') ? literal.replace(/\\\*/g, '.*') : literal}$`);
}
