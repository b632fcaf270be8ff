import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { AlarmThresholds } from './props';

const { IGNORE, BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;

/**
 * Every kind of alarm as data: the construct, the alarm's description and docs/runbooks/alarms.md are made from it, so
 * that they cannot disagree.
 */
export interface AlarmKind {
  /** In the console and as the heading of the runbook. */
  readonly title: string;
  /** Thresholds by name when the prop is not set. */
  readonly defaults: { readonly [name: string]: number };
  /** What the thresholds count. */
  readonly unit: string;
  /** What is measured, for people. */
  readonly measured: string;
  readonly comparison: '<' | '>' | '>=';
  /** Seconds of one period, and how many periods in a row must breach. */
  readonly periodSeconds: number;
  readonly periods: number;
  /** What counts when there is no data, and why. */
  readonly missing: cloudwatch.TreatMissingData;
  readonly whyMissing: string;
  /** What it means when it goes off. */
  readonly meaning: string;
  /** What to do, in order. */
  readonly steps: string[];
}

const LOGS =
  'Look at the lines: `aws logs tail <log group> --since 1h --filter-pattern keeper` (the log group is named in the task definition).';
const NO_LINE = 'No line means that it did not happen.';

/** One line of a log in five minutes is enough. */
const AT_ONE_LINE = {
  comparison: '>=',
  periodSeconds: 300,
  periods: 1,
  missing: NOT_BREACHING,
  whyMissing: NO_LINE,
} as const;

/** Kinds whose number is how many periods in a row must breach; the threshold itself is one job, one task or one load. */
export const COUNTS_PERIODS = ['overlapMinutes', 'backupAgeHours', 'loadAgeHours'];

/** By the prop that sets its thresholds. */
export const ALARM_KINDS: { readonly [prop in keyof Required<AlarmThresholds>]: AlarmKind } = {
  overlapMinutes: {
    title: 'Two tasks of one writer',
    defaults: { TwoTasks: 3 },
    unit: 'minutes in a row',
    measured:
      'AWS/ECS CPUUtilization of the service, SampleCount over one minute: every running task reports once. It is free; Container Insights is not needed.',
    comparison: '>',
    periodSeconds: 60,
    periods: 3,
    missing: NOT_BREACHING,
    whyMissing: 'A service without a task reports nothing, and cannot overlap.',
    meaning:
      'ECS runs two tasks of a service whose files take one writer. The second waits at the lease; nothing is written twice as long as both run under a keeper.',
    steps: [
      'See who they are: `aws ecs list-tasks --cluster <cluster> --service-name <service>`.',
      'A deployment that hangs: wait for it or stop the older task. Otherwise somebody raised the desired count: set it to 1.',
      'Stop the task that does not hold the lease: `python3 /tmp/keeper/keeper.py status` in a task (ECS Exec) names the owner.',
      'Deploy again: the template sets 0 % / 100 % and a desired count of 1.',
    ],
  },
  leaseConflicts: {
    title: 'A keeper met another owner',
    defaults: { Any: 1 },
    unit: 'lines in 5 minutes',
    measured: 'Lines of the keeper: busy, lost, strays, or waiting for 60 s and more.',
    ...AT_ONE_LINE,
    meaning:
      'A second owner wanted a directory, or a host was cut off and its application was killed. The lease did its work; the cause is outside.',
    steps: [
      LOGS,
      '`waiting` after a crash of a host is the lease of the dead one: it runs out by itself, and `leased` follows.',
      '`busy`: the other owner lives. Find it by the `holder` of the line and stop it.',
      '`lost`: the volume did not answer for 60 s. The next start takes over. If it comes back, look at burst credits and the I/O limit.',
      '`strays`: files of a former owner were put aside; the line names where.',
    ],
  },
  takeovers: {
    title: 'Takeover after a crash',
    defaults: { AfterCrash: 1 },
    unit: 'takeovers in 5 minutes',
    measured: 'Lines of the keeper: takeover.',
    ...AT_ONE_LINE,
    meaning:
      'The last owner did not say that it stopped: its task was killed or its host died. Every store was copied, recovered and checked before the application started.',
    steps: [
      'Once, and `running` follows: nothing to do. What was committed is there.',
      'Find why the task ended: `aws ecs describe-tasks` of the stopped task, stoppedReason and exitCode (137 is a kill, often memory).',
      'Again and again: raise the memory, and look whether the application stops within 110 s of SIGTERM.',
    ],
  },
  damage: {
    title: 'A database is damaged',
    defaults: { Any: 1 },
    unit: 'lines in 5 minutes',
    measured:
      'Lines with "disk image is malformed", "malformed database schema" or "file is not a database", and the keeper’s line damaged.',
    ...AT_ONE_LINE,
    meaning:
      'SQLite refuses a file, or a store failed the keeper’s check. A store that failed lies in set-aside/ and every start is refused until somebody decides.',
    steps: [
      LOGS,
      'Restore the newest snapshot that verifies: [restore.md](restore.md). The keeper’s line names the command.',
      'Keep the damaged files: they show what happened.',
      'Look for a second writer: the alarms on overlap and on lease conflicts.',
    ],
  },
  snapshotAgeHours: {
    title: 'Snapshot too old',
    defaults: { Old: 36 },
    unit: 'hours',
    measured:
      'The keeper’s heartbeat line, every five minutes: snapshot_age_s, the age of the oldest of its stores’ newest snapshots. Nothing before the first snapshot.',
    comparison: '>',
    periodSeconds: 900,
    periods: 2,
    missing: IGNORE,
    whyMissing: 'The line comes only while the application runs; a stop neither ages a snapshot nor makes one.',
    meaning: 'The daily verified copy on the volume was not made. A restore would lose more than a day.',
    steps: [
      'Look for `snapshot-failed` and `snapshot-skipped` in the log: the line says why.',
      'Take one by hand while the application is stopped: `efs-data-layer snapshots take --help`.',
    ],
  },
  backupAgeHours: {
    title: 'No backup was completed',
    defaults: { Old: 36 },
    unit: 'hours',
    measured: 'AWS/Backup NumberOfBackupJobsCompleted of the vault, sum over each hour.',
    comparison: '<',
    periodSeconds: 3600,
    periods: 36,
    missing: BREACHING,
    whyMissing:
      'AWS Backup reports nothing when no job ends, which is the case to find. In the first hours of a new stack the alarm is therefore on until the first backup.',
    meaning: 'The copy outside the volume is missing. It is what is left when the file system is deleted.',
    steps: [
      'See the jobs: `aws backup list-backup-jobs --by-backup-vault-name <vault>`, statusMessage.',
      'Start one: `aws backup start-backup-job` with the vault, the file system’s ARN and the role of the plan.',
    ],
  },
  failedLoads: {
    title: 'A load of FOCUS tables failed',
    defaults: { Any: 1 },
    unit: 'executions in 5 minutes',
    measured:
      'AWS/States ExecutionsFailed, ExecutionsTimedOut and ExecutionsAborted of the load’s state machine, sum over 5 minutes: an alarm for each. Only with S3 Tables.',
    comparison: '>=',
    periodSeconds: 300,
    periods: 1,
    missing: NOT_BREACHING,
    whyMissing: 'Between two loads nothing runs, so nothing is counted.',
    meaning:
      'A run of the state machine ended without success. Months that were loaded before stay as they are; a month that it was at is marked loading, and the saved queries leave it out.',
    steps: [
      'See the run and why it ended: `aws stepfunctions list-executions --state-machine-arn <arn>`, then `aws stepfunctions describe-execution --execution-arn <arn>`, error and cause.',
      'What each cause means: [s3-tables.md](s3-tables.md#the-load).',
      'The next run repairs what Athena or S3 refused for a while. Sooner: `aws stepfunctions start-execution --state-machine-arn <arn> --input \'{"months": ["2026-09"]}\'` with the months of the failed run.',
      'Aborted: somebody stopped it; CloudTrail’s StopExecution says who.',
    ],
  },
  loadAgeHours: {
    title: 'No load of FOCUS tables succeeded',
    defaults: { Old: 50 },
    unit: 'hours',
    measured:
      'AWS/States ExecutionsSucceeded of the load’s state machine, sum over each hour. Only with S3 Tables. 50 hours are two daily loads in a row; a slower loadSchedule needs a larger number, or `{}`.',
    comparison: '<',
    periodSeconds: 3600,
    periods: 50,
    missing: BREACHING,
    whyMissing:
      'A load that was never started reports nothing, which is the case to find. After the first deployment the alarm is therefore on until the first load has succeeded.',
    meaning:
      'The tables are as old as the last load that succeeded. Either no load was started, or every one failed: then the alarms on failed loads are on or were.',
    steps: [
      'See the schedule: `aws scheduler list-schedules`, then `aws scheduler get-schedule --name <name>`; State must be ENABLED. `efs-data-layer doctor` finds one that was changed or switched off.',
      'See the runs: `aws stepfunctions list-executions --state-machine-arn <arn>`. None: the schedule’s role may not start it any more. Failed ones: the alarms on failed loads.',
      "Start one: `aws stepfunctions start-execution --state-machine-arn <arn> --input '{}'`; it compares the current month and the one before.",
    ],
  },
  burstCreditGiB: {
    title: 'Burst credits run out',
    defaults: { Low: 180 },
    unit: 'GiB',
    measured: 'AWS/EFS BurstCreditBalance, minimum over 15 minutes.',
    comparison: '<',
    periodSeconds: 900,
    periods: 1,
    missing: NOT_BREACHING,
    whyMissing: 'Without clients nothing is used, and credits grow.',
    meaning:
      'At zero the volume falls back to its baseline: 50 KiB/s for each GiB stored in Standard, at least 1 MiB/s. Commits take long, and a keeper may lose its lease.',
    steps: [
      'See what reads and writes: the dashboard’s throughput. A copy, an index build, a scan of the evidence?',
      'Stop or slow it: credits come back by themselves.',
      'If the load is the usual one: Elastic throughput is paid by the GB, a relational store takes the load off the volume ([rds-postgres.md](rds-postgres.md)). `efs-data-layer compare` prices both.',
    ],
  },
  percentIoLimit: {
    title: 'Near the I/O limit',
    defaults: { High: 80 },
    unit: 'percent',
    measured: 'AWS/EFS PercentIOLimit, maximum over 5 minutes.',
    comparison: '>',
    periodSeconds: 300,
    periods: 3,
    missing: NOT_BREACHING,
    whyMissing: 'Without clients there is no I/O.',
    meaning: 'General Purpose mode allows a number of operations a second. At 100 % every operation waits.',
    steps: [
      'Many small operations: thousands of small files, or many commits. Find the workload on the dashboard.',
      'Move the one that does it: databases to PostgreSQL, vectors to a vector store.',
    ],
  },
  storedGiB: {
    title: 'More stored than planned',
    defaults: { Large: 20 },
    unit: 'GiB',
    measured: 'AWS/EFS StorageBytes, Total, which EFS meters about every 15 minutes. It includes the snapshots.',
    comparison: '>',
    periodSeconds: 3600,
    periods: 1,
    missing: IGNORE,
    whyMissing: 'What is stored does not go away because nobody measured it.',
    meaning:
      '20 GiB in Standard are $6.00 a month in us-east-1. For vectors it is also the sign to look at S3 Vectors.',
    steps: [
      '`efs-data-layer status` shows the size of each workload and the projected cost.',
      'Remove kept snapshots that are not needed: `efs-data-layer snapshots list`, then release.',
      'Vectors grow: [s3-vectors.md](s3-vectors.md).',
    ],
  },
  databaseLocked: {
    title: 'database is locked',
    defaults: { Any: 1 },
    unit: 'lines in 5 minutes',
    measured: 'Lines of the applications with "database is locked".',
    ...AT_ONE_LINE,
    meaning: 'A write waited for another for 30 s and gave up. Either one transaction is long, or there are too many.',
    steps: [
      'Once, during an import or a migration: nothing to do.',
      'A second process on the file: the alarm on overlap. Never open the database from a shell while the task runs.',
      'Often: the trigger for [rds-postgres.md](rds-postgres.md).',
    ],
  },
  queuePool: {
    title: 'QueuePool limit',
    defaults: { Any: 1 },
    unit: 'lines in 5 minutes',
    measured: 'Lines of the applications with "QueuePool limit".',
    ...AT_ONE_LINE,
    meaning: 'All connections to the database were in use for 30 s: requests arrive faster than they are answered.',
    steps: [
      'Slow volume: burst credits and the I/O limit.',
      'Many users at once: the trigger for [rds-postgres.md](rds-postgres.md), then [replicas.md](replicas.md).',
    ],
  },
  writesInFlight: {
    title: 'Trigger: concurrent writes',
    defaults: { Trigger: 50 },
    unit: 'writes at once',
    measured:
      'Write operations a second on the volume (AWS/EFS DataWriteIOBytes, SampleCount) times the longest write of a keeper (heartbeat_s): Little’s law, from above, because the longest write stands for all.',
    comparison: '>',
    periodSeconds: 900,
    periods: 3,
    missing: NOT_BREACHING,
    whyMissing: 'Nothing was written, or no keeper runs.',
    meaning: 'The decision record moves relational data to PostgreSQL above 50 concurrent writes.',
    steps: [
      'Rule out a slow volume first: burst credits and the I/O limit.',
      '`efs-data-layer status` shows the trend, [rds-postgres.md](rds-postgres.md) the way.',
    ],
  },
  cpuPercent: {
    title: 'Trigger: one task is not enough',
    defaults: { Trigger: 80 },
    unit: 'percent',
    measured: 'AWS/ECS CPUUtilization of Open WebUI, average over 10 minutes.',
    comparison: '>',
    periodSeconds: 600,
    periods: 3,
    missing: NOT_BREACHING,
    whyMissing: 'A service without a task uses nothing.',
    meaning: 'SQLite takes one task, and that one is busy.',
    steps: [
      'A bigger task first: `openWebUi.cpu`.',
      'More than one task: [replicas.md](replicas.md), which needs PostgreSQL, a vector store and a cache.',
    ],
  },
};

/** Where the runbook of a kind stands. */
export function runbookOf(prop: string): string {
  return `docs/runbooks/alarms.md#${prop.toLowerCase()}`;
}
