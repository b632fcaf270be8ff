import { Check } from '../examination';

const DAYS = 30;

export const restoredDirectories: Check = {
  name: 'restored directories',
  kinds: {
    'restored-directory': {
      severity: 'notice',
      title: 'AWS Backup restored a directory onto the volume',
      why: 'AWS Backup never overwrites: what it restores lies in aws-backup-restore_<time> at the root, is billed as storage and copied into every backup until it is removed. No read-only call can list a directory, so this is said for 30 days after a restore.',
    },
  },
  async run({ live, find }) {
    const since = new Date(live.clock.now() - DAYS * 86_400_000);
    for (const job of await live.restoreJobs(since)) {
      if (job.CreatedResourceArn === live.efs.arn) {
        const at = (job.CompletionDate ?? job.CreationDate!).toISOString();
        find(
          'restored-directory',
          live.efs.id,
          `The restore job ${job.RestoreJobId} was completed at ${at}.`,
          `npx efs-data-layer restore-backup --stack ${live.stack.stack.StackName} --workload open-webui --list ${live.at}   (then again with --discard and the name, when it is not needed any more)`,
        );
      }
    }
  },
};
