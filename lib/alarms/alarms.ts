import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as events from 'aws-cdk-lib/aws-events';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { EfsDataLayer } from '../efs-data-layer';
import { StopFirstService } from '../single-writer';
import type { Workload } from '../workloads';
import { Writers } from '../workloads';
import { DataLayerDashboard } from './dashboard';
import { requireAlarms } from './inputs';
import { ALARM_KINDS, COUNTS_PERIODS, runbookOf } from './kinds';
import { LOG_METRICS, LogMetric } from './log-metrics';
import { AlarmsProps, AlarmThresholds } from './props';

const GIB = 1024 ** 3;

/** How the number that a user writes becomes the threshold of the metric. */
const FACTOR: { readonly [kind: string]: number } = { burstCreditGiB: GIB, storedGiB: GIB, snapshotAgeHours: 3600 };

const COMPARISON = {
  '<': cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
  '>': cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
  '>=': cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
};

/** A pattern has at most 2,048 characters, and the ARN of an alarm in a stack with a long name up to 250. */
const ALARMS_OF_A_RULE = 5;

type Kind = keyof AlarmThresholds;

/** The metric from log lines that a kind of alarm reads. */
const READS: { readonly [kind in Kind]?: LogMetric } = {
  leaseConflicts: LOG_METRICS.leaseConflicts,
  takeovers: LOG_METRICS.takeovers,
  damage: LOG_METRICS.damage,
  snapshotAgeHours: LOG_METRICS.snapshotAge,
  databaseLocked: LOG_METRICS.databaseLocked,
  queuePool: LOG_METRICS.queuePool,
  writesInFlight: LOG_METRICS.heartbeat,
};

/** Alarms over the data layer, who hears of them, and a dashboard. Made by EfsDataLayer with its prop alarms. */
export class DataLayerAlarms extends Construct {
  /** Every alarm. Those of a service are added when it is made. */
  public readonly alarms: cloudwatch.Alarm[] = [];
  /** The dashboard. Undefined when it is switched off. */
  public readonly dashboard?: cloudwatch.Dashboard;
  /**
   * Those of this stack. Another stack's would make the two depend on each other.
   *
   * @internal
   */
  public readonly _onDashboard: cloudwatch.Alarm[] = [];
  private readonly layout?: DataLayerDashboard;
  private readonly data: EfsDataLayer;
  private readonly props: AlarmsProps;
  private readonly told = new Map<Stack, cloudwatch.Alarm[]>();
  private readonly namespace: string;

  /**
   * @param scope the data layer
   * @param id the construct's id
   * @param data the data layer
   * @param props thresholds and actions
   */
  constructor(scope: Construct, id: string, data: EfsDataLayer, props: AlarmsProps = {}) {
    super(scope, id);
    requireAlarms(this, props);
    this.data = data;
    this.props = props;
    // One for each data layer: the dimensions of a metric filter come from the line, and the line does not know it.
    const within = data.node.path.slice(Stack.of(data).node.path.length + 1).replace(/[^\w./#:-]+/g, '-');
    this.namespace = `efs-data-layer/${Stack.of(data).stackName}/${within}`;
    this.filterLogs();
    this.watchVolume();
    this.watchLoad();
    if (props.dashboard ?? true) {
      this.layout = new DataLayerDashboard(this, data, this);
      this.dashboard = this.layout.dashboard;
    }
    data.openWebUi._whenRunning((service) => this.watchService(service, 'Open WebUI', data.openWebUi, true));
    data.knowledge._whenRunning((service) => this.watchService(service, 'Knowledge', data.knowledge, false));
  }

  /**
   * Lines in which a keeper met another owner.
   *
   * @param props statistic, period and the rest
   */
  public metricLeaseConflicts(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.leaseConflicts, 'Sum', props);
  }

  /**
   * Takeovers after an owner that did not stop cleanly.
   *
   * @param props statistic, period and the rest
   */
  public metricTakeovers(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.takeovers, 'Sum', props);
  }

  /**
   * Lines that say a database or a store is damaged.
   *
   * @param props statistic, period and the rest
   */
  public metricDamage(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.damage, 'Sum', props);
  }

  /**
   * Lines with "database is locked".
   *
   * @param props statistic, period and the rest
   */
  public metricDatabaseLocked(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.databaseLocked, 'Sum', props);
  }

  /**
   * Lines with "QueuePool limit".
   *
   * @param props statistic, period and the rest
   */
  public metricQueuePoolLimit(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.queuePool, 'Sum', props);
  }

  /**
   * Age of the oldest of the stores' newest snapshots, in seconds.
   *
   * @param props statistic, period and the rest
   */
  public metricSnapshotAge(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.snapshotAge, 'Maximum', props);
  }

  /**
   * The longest write and fsync of a keeper, in seconds, as its heartbeat line says it every five minutes.
   *
   * @param props statistic, period and the rest
   */
  public metricHeartbeat(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.logMetric(LOG_METRICS.heartbeat, 'Maximum', props);
  }

  /**
   * Writes under way at once: write operations a second times the longest write of a keeper. By Little's law that is
   * the mean number in flight, from above, because the longest write stands for all.
   *
   * @param props period and the rest
   */
  public metricWritesInFlight(props: cloudwatch.MathExpressionOptions = {}): cloudwatch.MathExpression {
    return new cloudwatch.MathExpression({
      label: 'Writes in flight',
      period: Duration.minutes(15),
      ...props,
      expression: 'writes / PERIOD(writes) * seconds',
      usingMetrics: { writes: this.data.metricWriteOperations(), seconds: this.metricHeartbeat() },
    });
  }

  private logMetric({ name }: LogMetric, statistic: string, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({ namespace: this.namespace, metricName: name, statistic, ...props }).attachTo(this);
  }

  /** A metric is made from lines only where an alarm reads it: each costs money. */
  private filterLogs(): void {
    const wanted = Object.entries(READS)
      .filter(([kind]) => Object.keys(this._thresholds(kind as Kind)).length > 0)
      .map(([, metric]) => metric);
    for (const [name, workload] of Object.entries({ OpenWebUi: this.data.openWebUi, Knowledge: this.data.knowledge })) {
      const metrics = wanted.filter(({ keeperOnly }) => !keeperOnly || workload.writers === Writers.ONE);
      for (const metric of metrics) {
        metric.patterns.forEach((pattern, at) => {
          new logs.MetricFilter(this, `${name}${metric.name}${at || ''}`, {
            logGroup: workload.logGroup,
            filterPattern: logs.FilterPattern.literal(pattern),
            metricNamespace: this.namespace,
            metricName: metric.name,
            metricValue: metric.value,
          });
        });
      }
    }
  }

  private watchVolume(): void {
    this.add('burstCreditGiB', this.data.metricBurstCreditBalance());
    this.add('percentIoLimit', this.data.metricPercentIoLimit());
    this.add('storedGiB', this.data.metricStorageBytes());
    if (this.data.volume.backup.plan) {
      this.add('backupAgeHours', this.data.volume.backup.metricJobsCompleted());
    }
    this.add('damage', this.metricDamage());
    this.add('databaseLocked', this.metricDatabaseLocked());
    this.add('queuePool', this.metricQueuePoolLimit());
    if ([this.data.openWebUi, this.data.knowledge].some(({ writers }) => writers === Writers.ONE)) {
      this.add('leaseConflicts', this.metricLeaseConflicts());
      this.add('takeovers', this.metricTakeovers());
      this.add('snapshotAgeHours', this.metricSnapshotAge());
      this.add('writesInFlight', this.metricWritesInFlight());
    }
  }

  /** Each way to end without success by itself: a metric that was never published cannot hide another. */
  private watchLoad(): void {
    const load = this.data.stores.s3Tables?.load;
    if (!load) {
      return;
    }
    const ways = { Failed: load.metricFailed(), TimedOut: load.metricTimedOut(), Aborted: load.metricAborted() };
    for (const [way, metric] of Object.entries(ways)) {
      this.add('failedLoads', metric, new Construct(this, way), `${metric.metricName}: `);
    }
    this.add('loadAgeHours', load.metricSucceeded());
  }

  /** In the service's scope, which may be in another stack than the data layer: that stack knows the service's name. */
  private watchService(service: StopFirstService, name: string, workload: Workload, frontDoor: boolean): void {
    if (workload.writers === Writers.ONE) {
      this.add('overlapMinutes', service.metricRunningTasks(), service, `${name}: `);
    }
    if (frontDoor) {
      this.add('cpuPercent', service.metricCpuUtilization(), service, `${name}: `);
    }
    this.layout?.addService(service, name, frontDoor);
  }

  /**
   * The thresholds of a kind, by name.
   *
   * @internal
   */
  public _thresholds(kind: Kind): { readonly [name: string]: number } {
    return this.props[kind] ?? ALARM_KINDS[kind].defaults;
  }

  private add(
    kind: Kind,
    metric: cloudwatch.Metric | cloudwatch.MathExpression,
    scope: Construct = this,
    subject = '',
  ): void {
    const { title, comparison, periodSeconds, periods, missing, meaning, unit } = ALARM_KINDS[kind];
    for (const [name, value] of Object.entries(this._thresholds(kind))) {
      const counts = COUNTS_PERIODS.includes(kind);
      const alarm = new cloudwatch.Alarm(scope, `${kind[0].toUpperCase()}${kind.slice(1)}${name}`, {
        metric: metric.with({ period: Duration.seconds(periodSeconds) }),
        comparisonOperator: COMPARISON[comparison],
        threshold: counts ? 1 : value * (FACTOR[kind] ?? 1),
        evaluationPeriods: counts ? value : periods,
        treatMissingData: missing,
        alarmDescription: `${subject}${title} (${name}: ${value} ${unit}). ${meaning} Runbook: ${runbookOf(kind)}`,
      });
      this.alarms.push(alarm);
      if (Stack.of(alarm) === Stack.of(this)) {
        this._onDashboard.push(alarm);
      }
      this.notify(alarm);
    }
  }

  private notify(alarm: cloudwatch.Alarm): void {
    const { topic, actions: more = [], eventTarget } = this.props;
    if (topic) {
      alarm.addAlarmAction(new actions.SnsAction(topic));
      alarm.addOkAction(new actions.SnsAction(topic));
    }
    alarm.addAlarmAction(...more);
    if (!eventTarget) {
      return;
    }
    const stack = Stack.of(alarm);
    const told = this.told.get(stack) ?? [];
    this.told.set(stack, told);
    told.push(alarm);
    if (told.length % ALARMS_OF_A_RULE !== 1) {
      return;
    }
    const first = told.length - 1;
    new events.Rule(stack === Stack.of(this) ? this : alarm, `StateChanges${first || ''}`, {
      description: 'Alarms of the data layer that change their state',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: Lazy.list({
          produce: () => told.slice(first, first + ALARMS_OF_A_RULE).map(({ alarmArn }) => alarmArn),
        }),
      },
      targets: [eventTarget],
    });
  }
}
