import { DescribeScalableTargetsCommand, ScalableTarget } from '@aws-sdk/client-application-auto-scaling';
import {
  BackupPlan,
  BackupSelection,
  GetBackupPlanCommand,
  GetBackupSelectionCommand,
  ListBackupSelectionsCommand,
  ListRecoveryPointsByResourceCommand,
  ListRestoreJobsCommand,
  RecoveryPointByResource,
  RestoreJobsListMember,
} from '@aws-sdk/client-backup';
import { DescribeLogGroupsCommand, FilterLogEventsCommand, LogGroup } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeSecurityGroupRulesCommand, SecurityGroupRule } from '@aws-sdk/client-ec2';
import { GetScheduleCommand, GetScheduleCommandOutput } from '@aws-sdk/client-scheduler';
import { DescribeSecretCommand, DescribeSecretCommandOutput } from '@aws-sdk/client-secrets-manager';
import { Clients } from '../aws/clients';
import { Clock } from '../io';
import { Calls } from './calls';
import { Memory, StackFacts } from './facts';
import { LiveCache } from './live-cache';
import { LiveEcs } from './live-ecs';
import { LiveEfs } from './live-efs';
import { LiveElb } from './live-elb';
import { LiveIam } from './live-iam';
import { LiveRds } from './live-rds';
import { pages } from '../aws/pages';

/** What is in the account now. Each thing is asked for once, however many checks look at it. */
export class Live {
  public readonly efs: LiveEfs;
  public readonly ecs: LiveEcs;
  public readonly iam: LiveIam;
  public readonly rds: LiveRds;
  public readonly cache: LiveCache;
  public readonly elb: LiveElb;
  private readonly memory = new Memory();

  constructor(
    public readonly aws: Clients,
    public readonly calls: Calls,
    public readonly clock: Clock,
    public readonly stack: StackFacts,
  ) {
    this.efs = new LiveEfs(aws.efs, calls, stack, this.memory);
    this.ecs = new LiveEcs(aws, calls, stack, this.memory);
    this.iam = new LiveIam(aws.iam, calls, stack, this.memory);
    this.rds = new LiveRds(aws.rds, calls, stack, this.memory);
    this.cache = new LiveCache(aws.elastiCache, calls, stack, this.memory);
    this.elb = new LiveElb(aws.elb, calls, stack, this.memory);
  }

  /** For commands. */
  public get at(): string {
    return `--region ${this.stack.region}`;
  }

  /**
   * Makes a drifted resource what the template says, also one that was deleted. A plain deploy does not: CloudFormation
   * compares templates. Pass the flags the stack was deployed with.
   */
  public get revert(): string {
    return `npx cdk deploy ${this.stack.stack.StackName} --revert-drift`;
  }

  /** The rules of security groups. */
  public securityGroupRules(groups: string[]): Promise<SecurityGroupRule[]> {
    const wanted = [...new Set(groups)].sort();
    return this.memory.once(`rules ${wanted.join()}`, () =>
      wanted.length === 0
        ? Promise.resolve([])
        : pages(async (NextToken) => {
            const answer = await this.calls.ask('ec2:DescribeSecurityGroupRules', () =>
              this.aws.ec2.send(
                new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: wanted }], NextToken }),
              ),
            );
            return { items: answer.SecurityGroupRules, token: answer.NextToken };
          }),
    );
  }

  public logGroup(name: string): Promise<LogGroup | undefined> {
    return this.memory.once(`log group ${name}`, async () => {
      const answer = await this.calls.ask('logs:DescribeLogGroups', () =>
        this.aws.logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name })),
      );
      return answer.logGroups?.find((one) => one.logGroupName === name);
    });
  }

  /**
   * Lines of the streams with a prefix that fit a filter, oldest first. None when the group does not exist. CloudWatch
   * Logs reads everything between the two times, so they should not be far apart.
   */
  public async logLines(
    logGroupName: string,
    logStreamNamePrefix: string,
    filterPattern: string,
    startTime: number,
    endTime?: number,
  ): Promise<{ stream: string; at: number; text: string }[]> {
    const events = await pages(async (nextToken) => {
      const answer = await this.calls.find('logs:FilterLogEvents', /^ResourceNotFoundException$/, undefined, () =>
        this.aws.logs.send(
          new FilterLogEventsCommand({
            ...{ logGroupName, logStreamNamePrefix, filterPattern },
            ...{ startTime, endTime, nextToken },
          }),
        ),
      );
      return { items: answer?.events, token: answer?.nextToken };
    });
    return events
      .map((event) => ({ stream: event.logStreamName ?? '', at: event.timestamp ?? 0, text: event.message ?? '' }))
      .filter((line) => line.stream.startsWith(logStreamNamePrefix));
  }

  public backupPlan(id: string): Promise<BackupPlan | undefined> {
    return this.memory.once(`plan ${id}`, async () => {
      const answer = await this.calls.find(
        'backup:GetBackupPlan',
        /^ResourceNotFoundException$/,
        this.stack.madeAt(id),
        () => this.aws.backup.send(new GetBackupPlanCommand({ BackupPlanId: id })),
      );
      return answer?.DeletionDate ? undefined : answer?.BackupPlan;
    });
  }

  public backupSelections(BackupPlanId: string): Promise<BackupSelection[]> {
    return this.memory.once(`selections ${BackupPlanId}`, async () => {
      const ids = await pages(async (NextToken) => {
        const answer = await this.calls.ask('backup:ListBackupSelections', () =>
          this.aws.backup.send(new ListBackupSelectionsCommand({ BackupPlanId, NextToken })),
        );
        return { items: answer.BackupSelectionsList, token: answer.NextToken };
      });
      const selections = await Promise.all(
        ids.map(({ SelectionId }) =>
          this.calls.ask('backup:GetBackupSelection', () =>
            this.aws.backup.send(new GetBackupSelectionCommand({ BackupPlanId, SelectionId })),
          ),
        ),
      );
      return selections.flatMap(({ BackupSelection }) => (BackupSelection ? [BackupSelection] : []));
    });
  }

  public recoveryPoints(ResourceArn: string): Promise<RecoveryPointByResource[]> {
    return this.memory.once('recovery points', () =>
      pages(async (NextToken) => {
        const answer = await this.calls.ask('backup:ListRecoveryPointsByResource', () =>
          this.aws.backup.send(new ListRecoveryPointsByResourceCommand({ ResourceArn, NextToken })),
        );
        return { items: answer.RecoveryPoints, token: answer.NextToken };
      }),
    );
  }

  public restoreJobs(since: Date): Promise<RestoreJobsListMember[]> {
    return this.memory.once('restore jobs', () =>
      pages(async (NextToken) => {
        const answer = await this.calls.ask('backup:ListRestoreJobs', () =>
          this.aws.backup.send(
            new ListRestoreJobsCommand({
              ByResourceType: 'EFS',
              ByStatus: 'COMPLETED',
              ByCreatedAfter: since,
              NextToken,
            }),
          ),
        );
        return { items: answer.RestoreJobs, token: answer.NextToken };
      }),
    );
  }

  public scalableTargets(ResourceIds: string[]): Promise<ScalableTarget[]> {
    return this.memory.once('scalable targets', () =>
      pages(async (NextToken) => {
        const answer = await this.calls.ask('application-autoscaling:DescribeScalableTargets', () =>
          this.aws.autoScaling.send(
            new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs', ResourceIds, NextToken }),
          ),
        );
        return { items: answer.ScalableTargets, token: answer.NextToken };
      }),
    );
  }

  public schedule(name: string): Promise<GetScheduleCommandOutput | undefined> {
    return this.memory.once(`schedule ${name}`, () =>
      this.calls.find('scheduler:GetSchedule', /^ResourceNotFoundException$/, this.stack.madeAt(name), () =>
        this.aws.scheduler.send(new GetScheduleCommand({ Name: name })),
      ),
    );
  }

  public secret(SecretId: string): Promise<DescribeSecretCommandOutput | undefined> {
    return this.memory.once(`secret ${SecretId}`, () =>
      this.calls.find('secretsmanager:DescribeSecret', /^ResourceNotFoundException$/, undefined, () =>
        this.aws.secrets.send(new DescribeSecretCommand({ SecretId })),
      ),
    );
  }
}
