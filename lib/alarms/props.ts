import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as sns from 'aws-cdk-lib/aws-sns';

/**
 * Thresholds of the alarms. Each prop is a kind of alarm, each key a name and each value a threshold: `{ Warning: 300,
 * Critical: 60 }` makes two alarms of a kind, `{}` none. Every alarm costs $0.10 a month after the account's first ten,
 * every metric that comes from logs $0.30 after the first ten (aws.amazon.com/cloudwatch/pricing, price list of 2025-09-23).
 */
export interface AlarmThresholds {
  /**
   * Burst credits left, in GiB. 180 GiB last half an hour at the burst rate of 100 MiB/s.
   *
   * @default - { Low: 180 }
   */
  readonly burstCreditGiB?: { readonly [name: string]: number };

  /**
   * How near the volume is to the I/O limit of General Purpose mode, in percent, for 15 minutes.
   *
   * @default - { High: 80 }
   */
  readonly percentIoLimit?: { readonly [name: string]: number };

  /**
   * Stored, in GiB, all storage classes, with the snapshots on the volume.
   *
   * @default - { Large: 20 }
   */
  readonly storedGiB?: { readonly [name: string]: number };

  /**
   * Minutes in a row, 2 to 60, in which more than one task of a single-writer service reported. One alarm for each
   * service. A deployment may show two tasks within one minute.
   *
   * @default - { TwoTasks: 3 }
   */
  readonly overlapMinutes?: { readonly [name: string]: number };

  /**
   * Lines in five minutes in which a keeper met another owner: it waited for a minute or more, gave up, lost its lease,
   * or found files of a former owner.
   *
   * @default - { Any: 1 }
   */
  readonly leaseConflicts?: { readonly [name: string]: number };

  /**
   * Takeovers in five minutes: the last owner did not stop cleanly, and the keeper made the files safe.
   *
   * @default - { AfterCrash: 1 }
   */
  readonly takeovers?: { readonly [name: string]: number };

  /**
   * Age of the oldest newest snapshot of the stores, in hours.
   *
   * @default - { Old: 36 }
   */
  readonly snapshotAgeHours?: { readonly [name: string]: number };

  /**
   * Whole hours, 1 to 168, in which no backup was completed. Nothing while backup is off.
   *
   * @default - { Old: 36 }
   */
  readonly backupAgeHours?: { readonly [name: string]: number };

  /**
   * Loads of FOCUS tables that failed, timed out or were aborted, in five minutes. An alarm for each of the three.
   * Nothing without AnalyticsStore.s3Tables.
   *
   * @default - { Any: 1 }
   */
  readonly failedLoads?: { readonly [name: string]: number };

  /**
   * Whole hours, 1 to 168, in which no load of FOCUS tables succeeded. The default is two daily loads; a slower
   * loadSchedule needs a larger number, or {}. Nothing without AnalyticsStore.s3Tables.
   *
   * @default - { Old: 50 }
   */
  readonly loadAgeHours?: { readonly [name: string]: number };

  /**
   * Lines in five minutes that say a database or a store is damaged.
   *
   * @default - { Any: 1 }
   */
  readonly damage?: { readonly [name: string]: number };

  /**
   * Lines in five minutes with "database is locked".
   *
   * @default - { Any: 1 }
   */
  readonly databaseLocked?: { readonly [name: string]: number };

  /**
   * Lines in five minutes with "QueuePool limit".
   *
   * @default - { Any: 1 }
   */
  readonly queuePool?: { readonly [name: string]: number };

  /**
   * Writes under way at once, for 45 minutes: write operations a second, times the longest a keeper's write took
   * (Little's law, from above). The decision record moves to PostgreSQL above 50.
   *
   * @default - { Trigger: 50 }
   */
  readonly writesInFlight?: { readonly [name: string]: number };

  /**
   * Processor of Open WebUI, in percent, for 30 minutes: one task is not enough. Nothing before it runs as a service.
   *
   * @default - { Trigger: 80 }
   */
  readonly cpuPercent?: { readonly [name: string]: number };
}

/** Alarms, who hears of them, and a dashboard. */
export interface AlarmsProps extends AlarmThresholds {
  /**
   * A topic that every alarm notifies when it goes off and when it is over.
   *
   * @default - none: alarms are seen in the console and on the dashboard
   */
  readonly topic?: sns.ITopic;

  /**
   * A target of EventBridge that gets every change of state of these alarms, for example a Lambda function or a queue.
   * EventBridge takes no money for events of AWS services.
   *
   * @default - none
   */
  readonly eventTarget?: events.IRuleTarget;

  /**
   * More actions when an alarm goes off.
   *
   * @default - none
   */
  readonly actions?: cloudwatch.IAlarmAction[];

  /**
   * A dashboard. The account's first three, of up to 50 metrics each, are free; each other costs $3 a month
   * (aws.amazon.com/cloudwatch/pricing, read 2026-09).
   *
   * @default true
   */
  readonly dashboard?: boolean;
}
