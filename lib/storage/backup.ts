import { Duration, Names, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { stackPart } from '../stack-part';

/** How long a daily backup is kept. */
export const BACKUP_RETENTION_DAYS = 7;

/**
 * An own AWS Backup plan: daily, kept seven days. EFS's automatic policy is switched off beside it, because it is
 * fixed at 35 days and every changed file is copied whole.
 */
export class VolumeBackup extends Construct {
  /** The vault that holds the recovery points. */
  public readonly vault: backup.BackupVault;
  /** The daily plan. Undefined when backup is off. */
  public readonly plan?: backup.BackupPlan;

  /**
   * @param scope the volume
   * @param id the construct's id
   * @param fileSystemArn what is copied
   * @param enabled whether the plan runs
   */
  constructor(scope: Construct, id: string, fileSystemArn: string, enabled: boolean) {
    super(scope, id);

    // The vault and the role stay in the template while backup is off, and in the account when the stack goes: a vault
    // with recovery points cannot be deleted, and without the role that made them they would never expire. Both are
    // free. The name carries a part of the stack's id: a name that only the path decides would collide with the vault
    // that an earlier deployment left behind.
    const name = `efs-data-layer-${Names.nodeUniqueId(this.node).slice(-8)}-${stackPart(this)}`;
    // Nobody deletes a recovery point or shortens its life, whatever an identity policy says: it expires. AWS gives its own
    // vault for automatic EFS backups such a policy (docs.aws.amazon.com/efs/latest/ug/awsbackup.html, read 2026-11).
    this.vault = new backup.BackupVault(this, 'Vault', {
      backupVaultName: name,
      blockRecoveryPointDeletion: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const role = new iam.Role(this, 'Role', {
      description: 'AWS Backup: copies the data layer volume into its vault',
      assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup')],
    });
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
      reason:
        'The policy AWS maintains for the AWS Backup service principal. Only that service can assume the role, and it has no restore rights.',
    });

    if (enabled) {
      this.plan = this.createPlan(name, fileSystemArn, role);
    }
  }

  /**
   * Backup jobs that were completed into the vault.
   *
   * @param props statistic, period and the rest
   */
  public metricJobsCompleted(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'AWS/Backup',
      metricName: 'NumberOfBackupJobsCompleted',
      statistic: 'Sum',
      period: Duration.hours(1),
      dimensionsMap: { BackupVaultName: this.vault.backupVaultName },
      ...props,
    }).attachTo(this);
  }

  private createPlan(name: string, fileSystemArn: string, role: iam.IRole): backup.BackupPlan {
    const plan = new backup.BackupPlan(this, 'Plan', {
      backupPlanName: name,
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
    plan.addSelection('Volume', {
      resources: [backup.BackupResource.fromArn(fileSystemArn)],
      role,
      disableDefaultBackupPolicy: true,
    });
    return plan;
  }
}
