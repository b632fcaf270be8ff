import { differences, show } from '../compare';
import { Check } from '../examination';

type Tree = Record<string, unknown>;

export const backup: Check = {
  name: 'backup plan',
  kinds: {
    'backup-plan': {
      severity: 'critical',
      title: 'The backup plan is gone or another',
      why: 'Backups are then made at other times, kept otherwise, or not at all; the snapshots on the volume go with the volume.',
    },
    'backup-selection': {
      severity: 'critical',
      title: 'The backup plan does not select the file system',
      why: 'The plan runs every day and copies nothing.',
    },
    'automatic-backup': {
      severity: 'warning',
      title: 'The automatic backup of EFS is on as well',
      why: 'Every changed file is then copied twice, and the second copy is kept 35 days.',
    },
  },
  async run({ live, find }) {
    for (const { id, logicalId, properties } of live.stack.promised('AWS::Backup::BackupPlan')) {
      const plan = await live.backupPlan(id);
      if (!plan) {
        find('backup-plan', id, `${logicalId} does not exist any more.`, live.revert);
        continue;
      }
      const rules = ((properties.BackupPlan as Tree).BackupPlanRule as Tree[]).map(
        ({ TargetBackupVault, ...rule }) => ({
          ...rule,
          TargetBackupVaultName: TargetBackupVault,
        }),
      );
      for (const one of differences(rules, plan.Rules)) {
        find(
          'backup-plan',
          id,
          `${one.path.join('.')} is ${show(one.live)}; promised is ${show(one.promised)}.`,
          `aws backup update-backup-plan --backup-plan-id ${id} ${live.at} --backup-plan '${JSON.stringify({ BackupPlanName: plan.BackupPlanName, Rules: rules })}'`,
        );
      }
    }
    for (const { id, logicalId, properties } of live.stack.promised('AWS::Backup::BackupSelection')) {
      const promised = properties.BackupSelection as Tree;
      if (!(await live.backupPlan(String(properties.BackupPlanId)))) {
        continue;
      }
      const selections = await live.backupSelections(String(properties.BackupPlanId));
      const same = (one: object) =>
        differences({ Resources: promised.Resources, IamRoleArn: promised.IamRoleArn }, one).length === 0;
      if (!selections.some(same)) {
        find(
          'backup-selection',
          id,
          selections.length === 0
            ? 'The plan has no selection.'
            : `No selection of the plan names ${[promised.Resources].flat().map(show).join(', ')} with the role ${show(promised.IamRoleArn)}.`,
          `aws backup create-backup-selection --backup-plan-id ${show(properties.BackupPlanId)} ${live.at} --backup-selection '${JSON.stringify(promised)}'   (${logicalId})`,
        );
      }
    }
    const plans = live.stack.promised('AWS::Backup::BackupPlan').length;
    if ((await live.efs.automaticBackup()) && plans > 0) {
      find(
        'automatic-backup',
        live.efs.id,
        'Its backup policy is ENABLED, beside the plan of the data layer.',
        `aws efs put-backup-policy --file-system-id ${live.efs.id} --backup-policy Status=DISABLED ${live.at}`,
      );
    }
  },
};
