import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { EfsDataLayer } from '../efs-data-layer';
import { StopFirstService } from '../single-writer';
import type { DataLayerAlarms } from './alarms';
import { ALARM_KINDS } from './kinds';

const FULL = 24;
const THIRD = 8;
const HEIGHT = 6;

function heading(text: string): cloudwatch.TextWidget {
  return new cloudwatch.TextWidget({ markdown: text, width: FULL, height: 2 });
}

function graph(
  title: string,
  left: cloudwatch.IMetric[],
  options: Partial<cloudwatch.GraphWidgetProps> = {},
): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, width: THIRD, height: HEIGHT, leftYAxis: { min: 0 }, ...options });
}

/** Lines at the thresholds of the alarms, in the unit of the metric. */
function lines(thresholds: { readonly [name: string]: number }, factor: number): cloudwatch.HorizontalAnnotation[] {
  return Object.entries(thresholds).map(([label, value]) => ({ label, value: value * factor }));
}

/**
 * The dashboard, from top to bottom as one asks when something is wrong: is an alarm on, is the data safe, is the volume
 * quick enough, what do the applications say, and is it time for a bigger service.
 */
export class DataLayerDashboard {
  public readonly dashboard: cloudwatch.Dashboard;
  private readonly running: cloudwatch.GraphWidget;
  private readonly processor: cloudwatch.GraphWidget;

  constructor(scope: Construct, data: EfsDataLayer, alarms: DataLayerAlarms) {
    const limits = (kind: keyof typeof ALARM_KINDS, factor = 1) => lines(alarms._thresholds(kind), factor);
    const day = Duration.days(1);
    this.running = graph('Running tasks (1 each)', [], {
      leftAnnotations: [{ value: 1, label: 'One writer' }],
      statistic: 'SampleCount',
    });
    this.processor = graph('Processor of Open WebUI, %', [], { leftAnnotations: limits('cpuPercent') });
    const backups = data.volume.backup.plan ? [data.volume.backup.metricJobsCompleted({ period: day })] : [];
    const volume = data.fileSystem.fileSystemId;
    this.dashboard = new cloudwatch.Dashboard(scope, 'Dashboard', {
      defaultInterval: day,
      widgets: [
        [heading(`# Data layer ${data.node.path}, ${volume}\nRunbooks: docs/runbooks/alarms.md`)],
        [new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: alarms._onDashboard, width: FULL, height: 4 })],
        [heading('## Is the data safe?\nOne writer each, no conflicts, a snapshot and a backup of today.')],
        [
          this.running,
          graph('Conflicts, takeovers, damage', [
            alarms.metricLeaseConflicts({ label: 'Lease conflicts' }),
            alarms.metricTakeovers({ label: 'Takeovers' }),
            alarms.metricDamage({ label: 'Damage' }),
          ]),
          graph('Snapshot age, s; backups a day', [alarms.metricSnapshotAge({ label: 'Snapshot age' })], {
            right: backups,
            rightYAxis: { min: 0 },
            leftAnnotations: limits('snapshotAgeHours', 3600),
          }),
        ],
        [heading('## Is the volume quick enough?\nBelow the line of burst credits the volume slows to its baseline.')],
        [
          graph('Burst credits, bytes', [data.metricBurstCreditBalance()], {
            leftAnnotations: limits('burstCreditGiB', 1024 ** 3),
          }),
          graph('I/O limit, %', [data.metricPercentIoLimit()], { leftAnnotations: limits('percentIoLimit') }),
          graph('Read and written, bytes', [data.metricReadBytes(), data.metricWrittenBytes()]),
        ],
        [heading('## What do the applications say?\nLines of the logs, and how long a keeper’s write takes.')],
        [
          graph('database is locked', [alarms.metricDatabaseLocked()]),
          graph('QueuePool limit', [alarms.metricQueuePoolLimit()]),
          graph('Longest write of a keeper, s', [alarms.metricHeartbeat()]),
        ],
        ...this.loads(data),
        [heading('## Is it time for a bigger service?\nThe lines are the triggers of the decision record.')],
        [
          graph('Writes in flight', [alarms.metricWritesInFlight()], { leftAnnotations: limits('writesInFlight') }),
          this.processor,
          graph('Stored, bytes', [data.metricStorageBytes()], { leftAnnotations: limits('storedGiB', 1024 ** 3) }),
        ],
      ],
    });
  }

  /** Only with S3 Tables: how the loads ended. */
  private loads(data: EfsDataLayer): cloudwatch.IWidget[][] {
    const load = data.stores.s3Tables?.load;
    if (!load) {
      return [];
    }
    return [
      [heading('## Are the FOCUS tables loaded?\nOnce a day, and every load succeeds.')],
      [
        graph('Loads that succeeded', [load.metricSucceeded({ label: 'Succeeded' })]),
        graph('Loads that did not', [
          load.metricFailed({ label: 'Failed' }),
          load.metricTimedOut({ label: 'Timed out' }),
          load.metricAborted({ label: 'Aborted' }),
        ]),
        graph('How long a load takes, ms', [load.metricTime({ statistic: 'Maximum' })]),
      ],
    ];
  }

  /** A service in another stack is left out: this stack would need that one's names, and that one this one's. */
  public addService(service: StopFirstService, name: string, frontDoor: boolean): void {
    if (service.service.stack !== this.dashboard.stack) {
      return;
    }
    this.running.addLeftMetric(service.metricRunningTasks({ label: name }));
    if (frontDoor) {
      this.processor.addLeftMetric(service.metricCpuUtilization({ label: name }));
    }
  }
}
