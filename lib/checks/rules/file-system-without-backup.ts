import { isBackedUp } from '../backup-selections';
import { asRecord, show } from '../json';
import { Rule } from '../rule';

export const FILE_SYSTEM_WITHOUT_BACKUP: Rule = {
  name: 'FileSystemWithoutBackup',
  finding: 'Nothing in the app backs a file system up.',
  why: 'EFS keeps one version of every file: an overwritten or deleted one is gone, and a corrupted database has nothing to go back to.',
  source: 'Amazon EFS User Guide, Backing up EFS file systems; AWS::EFS::FileSystem BackupPolicy',
  wayOut:
    'Add the file system to an AWS Backup selection, or set BackupPolicy.Status to ENABLED (daily, kept 35 days). Acknowledge it when another stack or an organization policy does.',
  check: ({ app }) =>
    app
      .ofType('AWS::EFS::FileSystem')
      .filter(
        (resource) => asRecord(resource.properties.BackupPolicy).Status !== 'ENABLED' && !isBackedUp(app, resource),
      )
      .map((resource) => ({
        resource,
        problem: `BackupPolicy.Status is ${show(asRecord(resource.properties.BackupPolicy).Status)}, and no AWS::Backup::BackupSelection of the app covers it.`,
        location: 'Properties.BackupPolicy',
      })),
};
