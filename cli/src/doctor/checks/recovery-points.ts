import { Check } from '../examination';

/** A daily plan, its start window and its completion window, and an hour. */
const DAILY_HOURS = 24 + 1 + 4 + 1;

export const recoveryPoints: Check = {
  name: 'recovery points',
  kinds: {
    'recovery-point-missing': {
      severity: 'critical',
      title: 'There is no completed recovery point',
      why: 'When the file system is lost, everything is.',
    },
    'recovery-point-old': {
      severity: 'critical',
      title: 'The newest recovery point is too old',
      why: 'The plan makes one a day: what changed since this one is lost with the file system.',
    },
  },
  async run({ live, find, notYet }) {
    if (live.stack.promised('AWS::Backup::BackupPlan').length === 0) {
      return;
    }
    const points = await live.recoveryPoints(live.efs.arn);
    const made = points.filter((one) => one.Status === 'COMPLETED').map((one) => one.CreationDate!.getTime());
    const hours = (since: number) => (live.clock.now() - since) / 3_600_000;
    const [vault] = live.stack.ids('AWS::Backup::BackupVault');
    const [plan] = live.stack.promised('AWS::Backup::BackupSelection');
    const role = String(
      (plan?.properties.BackupSelection as { IamRoleArn?: unknown })?.IamRoleArn ?? '<role of AWS Backup>',
    );
    const now = `aws backup start-backup-job --backup-vault-name ${vault ?? 'Default'} --resource-arn ${live.efs.arn} --iam-role-arn ${role} ${live.at}   (and see why the last failed: aws backup list-backup-jobs --by-resource-arn ${live.efs.arn} ${live.at})`;
    if (made.length === 0) {
      const { CreationTime } = await live.efs.fileSystem();
      if (hours(CreationTime!.getTime()) < DAILY_HOURS) {
        return notYet('the file system is younger than its first daily backup');
      }
      const others = points.map((one) => one.Status).join(', ');
      find('recovery-point-missing', live.efs.id, others ? `There are only: ${others}.` : 'There is none.', now);
      return;
    }
    const age = hours(Math.max(...made));
    if (age > DAILY_HOURS) {
      find(
        'recovery-point-old',
        live.efs.id,
        `It is ${Math.round(age)} hours old; a daily plan allows ${DAILY_HOURS}.`,
        now,
      );
    }
  },
};
