import { Match } from 'aws-cdk-lib/assertions';
import { dataLayer } from '../helpers';

describe('backup', () => {
  test('daily, kept seven days, of this file system', () => {
    const { template } = dataLayer();
    template.hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: {
        BackupPlanRule: [{ ScheduleExpression: 'cron(0 16 * * ? *)', Lifecycle: { DeleteAfterDays: 7 } }],
      },
    });
    template.hasResourceProperties('AWS::Backup::BackupSelection', {
      BackupSelection: { Resources: [Match.anyValue()] },
    });
    template.hasResource('AWS::Backup::BackupVault', { DeletionPolicy: 'Retain' });
  });
  test('switched off, the plan goes; vault and role stay, or switching it on again would collide with what was retained', () => {
    const on = dataLayer().template.toJSON().Resources;
    const off = dataLayer({ backup: false }).template.toJSON().Resources;
    const gone = Object.keys(on).filter((id) => !(id in off));
    expect(gone.map((id) => on[id].Type).sort()).toEqual(['AWS::Backup::BackupPlan', 'AWS::Backup::BackupSelection']);
  });
  test('what stays behind has no name that the next deployment of the same app would want', () => {
    const { template } = dataLayer();
    const [vault] = Object.values(template.findResources('AWS::Backup::BackupVault'));
    expect(JSON.stringify(vault.Properties.BackupVaultName)).toContain('AWS::StackId');
    const [role] = Object.values(template.findResources('AWS::IAM::Role', { DeletionPolicy: 'Retain' }));
    expect(role.Properties.RoleName).toBeUndefined();
  });
  test('a recovery point can be deleted by nobody; it expires', () => {
    dataLayer().template.hasResourceProperties('AWS::Backup::BackupVault', {
      AccessPolicy: {
        Statement: [
          {
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Action: ['backup:DeleteRecoveryPoint', 'backup:UpdateRecoveryPointLifecycle'],
            Resource: '*',
          },
        ],
      },
    });
  });
  test('a string is no boolean', () => {
    expect(() => dataLayer({ backup: 'false' as unknown as boolean })).toThrow(/backup is "false" \(string\)/);
  });
});
