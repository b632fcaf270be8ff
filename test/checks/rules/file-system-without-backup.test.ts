import { check, compliant, compliantBut, Resources } from '../helpers';

const FOUND = ['FileSystemWithoutBackup Fs'];

/** Without the automatic policy, tagged, and with a selection of AWS Backup. */
const selecting = (BackupSelection?: Record<string, unknown>): Resources =>
  compliantBut(
    'Fs',
    (fs) => {
      fs.BackupPolicy = { Status: 'DISABLED' };
      fs.FileSystemTags = [{ Key: 'backup', Value: 'daily' }];
    },
    BackupSelection && { Selection: { Type: 'AWS::Backup::BackupSelection', Properties: { BackupSelection } } },
  );
const ALL = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':elasticfilesystem:*:*:file-system/*']] };
const EQUALS = (ConditionValue: string) => ({
  StringEquals: [{ ConditionKey: 'aws:ResourceTag/backup', ConditionValue }],
});

test('compliant: the automatic policy', () => {
  expect(check(compliant())).toEqual([]);
});
test.each<[string, Record<string, unknown>]>([
  ['named', { Resources: [{ 'Fn::GetAtt': ['Fs', 'Arn'] }] }],
  ['named inside an ARN', { Resources: [{ 'Fn::Sub': 'arn:aws:elasticfilesystem:eu-west-1:1:file-system/${Fs}' }] }],
  ['everything', { Resources: ['*'] }],
  ['every file system', { Resources: [ALL] }],
  ['a tag', { ListOfTags: [{ ConditionType: 'STRINGEQUALS', ConditionKey: 'backup', ConditionValue: 'daily' }] }],
  ['everything with a tag', { Resources: ['*'], Conditions: EQUALS('daily') }],
  [
    'everything with a tag that begins so',
    {
      Resources: ['*'],
      Conditions: { StringLike: [{ ConditionKey: 'aws:ResourceTag/backup', ConditionValue: 'd*' }] },
    },
  ],
])('compliant: a selection of %s', (_name, selection) => {
  expect(check(selecting(selection))).toEqual([]);
});
test('non-compliant: nothing', () => {
  expect(check(compliantBut('Fs', (fs) => delete fs.BackupPolicy))).toEqual(FOUND);
  expect(check(selecting())).toEqual(FOUND);
});
test.each<[string, Record<string, unknown>]>([
  ['of something else', { Resources: ['arn:aws:rds:*:*:db:*'] }],
  ['with another value of the tag', { Resources: ['*'], Conditions: EQUALS('weekly') }],
  ['by another tag', { ListOfTags: [{ ConditionKey: 'backup', ConditionValue: 'weekly' }] }],
  ['that takes it out', { Resources: ['*'], NotResources: [{ 'Fn::GetAtt': ['Fs', 'Arn'] }] }],
  [
    'that asks for one more tag',
    {
      Resources: ['*'],
      Conditions: {
        StringEquals: [
          { ConditionKey: 'aws:ResourceTag/backup', ConditionValue: 'daily' },
          { ConditionKey: 'aws:ResourceTag/stage', ConditionValue: 'prod' },
        ],
      },
    },
  ],
  [
    'that takes its tag out',
    {
      Resources: ['*'],
      Conditions: { StringNotEquals: [{ ConditionKey: 'aws:ResourceTag/backup', ConditionValue: 'daily' }] },
    },
  ],
])('non-compliant: a selection %s', (_name, selection) => {
  expect(check(selecting(selection))).toEqual(FOUND);
});
