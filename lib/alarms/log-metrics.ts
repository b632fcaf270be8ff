/**
 * What is counted in the logs, without a paid agent: metric filters over the lines of the keeper (JSON, one object a
 * line) and of the applications. Filters that publish the same metric are billed as one metric.
 */

/** A metric that comes from log lines. */
export interface LogMetric {
  /** The metric's name in the namespace of the data layer. */
  readonly name: string;
  /** Patterns in the syntax of CloudWatch Logs; a line that any of them matches counts. */
  readonly patterns: string[];
  /** 1, or the field of the line that is the value. */
  readonly value: string;
  /** Lines of the keeper exist only where it guards a directory. */
  readonly keeperOnly: boolean;
}

/** From how many seconds of waiting on an owner is not the usual handover or a dead host's lease. */
export const LONG_WAIT_SECONDS = 60;

const event = (...names: string[]) => names.map((name) => `($.keeper = "${name}")`).join(' || ');
const count = (name: string, patterns: string[], keeperOnly = true): LogMetric => ({
  name,
  patterns,
  value: '1',
  keeperOnly,
});

/** Every metric that comes from log lines. */
export const LOG_METRICS = {
  leaseConflicts: count('LeaseConflicts', [
    // busy: gave up on an owner that lives; lost: killed its application; strays: a former owner wrote after the takeover.
    `{ ${event('busy', 'lost', 'strays')} || (($.keeper = "waiting") && ($.waited_s >= ${LONG_WAIT_SECONDS})) }`,
  ]),
  takeovers: count('Takeovers', [`{ ${event('takeover')} && ($.previous = "held") }`]),
  damage: count(
    'Damage',
    [
      `{ ${event('damaged')} }`,
      // What SQLite says: SQLITE_CORRUPT, a damaged schema, SQLITE_NOTADB.
      '?"disk image is malformed" ?"malformed database schema" ?"file is not a database"',
    ],
    false,
  ),
  databaseLocked: count('DatabaseLocked', ['"database is locked"'], false),
  queuePool: count('QueuePoolLimit', ['"QueuePool limit"'], false),
  snapshotAge: {
    name: 'SnapshotAgeSeconds',
    patterns: [`{ ($.keeper = "heartbeat") && ($.snapshot_age_s >= 0) }`],
    value: '$.snapshot_age_s',
    keeperOnly: true,
  },
  heartbeat: {
    name: 'HeartbeatSeconds',
    patterns: [`{ ($.keeper = "heartbeat") && ($.heartbeat_s >= 0) }`],
    value: '$.heartbeat_s',
    keeperOnly: true,
  },
} satisfies { [key: string]: LogMetric };
