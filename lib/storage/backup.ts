import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** How long a daily backup is kept. */
export const BACKUP_RETENTION_DAYS = 7;

/**
 * An own AWS Backup plan: daily, kept seven days. EFS's automatic policy is switched off beside it, because it is
 * fixed at 35 days and every changed file is copied whole.
 */
export class VolumeBackup extends Construct {
  /** The vault that holds the recovery points. */
  public readonly vault: backup.BackupVault;
  /** The daily plan. */
  public readonly plan: backup.BackupPlan;

  constructor(scope: Construct, id: string, fileSystemArn: string) {
    super(scope, id);

    // The vault outlives the stack in every stage: a vault with recovery points cannot be deleted, and these
    // expire by themselves after seven days.
    this.vault = new backup.BackupVault(this, 'Vault', { removalPolicy: RemovalPolicy.RETAIN });
    this.plan = new backup.BackupPlan(this, 'Plan', {
      backupVault: this.vault,
      backupPlanRules: [
        new backup.BackupPlanRule({
          ruleName: 'Daily',
          // 16:00 UTC is 02:00 in Sydney, 11:00 in Virginia.
          scheduleExpression: events.Schedule.cron({ hour: '16', minute: '0' }),
          startWindow: Duration.hours(1),
          completionWindow: Duration.hours(4),
          deleteAfter: Duration.days(BACKUP_RETENTION_DAYS),
        }),
      ],
    });

    const role = new iam.Role(this, 'Role', {
      description: 'AWS Backup: copies the data layer volume into its vault',
      assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [
        iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup'),
      ],
    });
    // Recovery points are expired with the role that made them: without it they would stay, and be billed.
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
      reason:
        'The policy AWS maintains for the AWS Backup service principal. Only that service can assume the role, and it has no restore rights.',
    });
    this.plan.addSelection('Volume', {
      resources: [backup.BackupResource.fromArn(fileSystemArn)],
      role,
      disableDefaultBackupPolicy: true,
    });
  }
}
