/** One assumption about usage: what the template cannot tell. */
export interface UsageRow {
  readonly default: number;
  readonly unit: string;
  /** Beyond this the value is taken for a mistake. */
  readonly max: number;
  readonly sentence: string;
  /** The whole month or nothing else is meant: a cost that depends on this one alone is baseline, not usage. */
  readonly baseline?: boolean;
}

const row = (defaultValue: number, unit: string, max: number, sentence: string): UsageRow => ({
  default: defaultValue,
  unit,
  max,
  sentence,
});

/** Hours of a month, as AWS's calculator and Infracost count them. */
export const HOURS = 730;

const hours = (defaultValue: number, sentence: string): UsageRow => row(defaultValue, 'hours a month', HOURS, sentence);

/** Every assumption there is: the source of the parsing, of the errors and of docs/usage.md. All are for a month and for each resource. */
export const USAGE = {
  'efs.storedGiB': row(
    20,
    'GiB',
    1e6,
    'Live data on a file system in its first storage class (Standard or One Zone), without snapshots.',
  ),
  'efs.snapshotsKept': row(
    3,
    'copies',
    1000,
    'Verified copies kept on the volume. The keeper keeps the last three, and the first of each of the last seven days on which one was made.',
  ),
  'efs.snapshotPercent': row(10, '% of the live data', 100, 'The part of the live data that a snapshot copies.'),
  'efs.infrequentAccessGiB': row(0, 'GiB', 1e6, 'Data in Infrequent Access, beside storedGiB.'),
  'efs.archiveGiB': row(0, 'GiB', 1e6, 'Data in Archive, beside storedGiB.'),
  'efs.readGiB': row(10, 'GiB', 1e7, 'Read; billed with elastic throughput only.'),
  'efs.writtenGiB': row(10, 'GiB', 1e7, 'Written; billed with elastic throughput only.'),
  'efs.infrequentAccessReadGiB': row(0, 'GiB', 1e7, 'Read from Infrequent Access.'),
  'efs.infrequentAccessWrittenGiB': row(0, 'GiB', 1e7, 'Moved to or written in Infrequent Access.'),
  'efs.archiveReadGiB': row(0, 'GiB', 1e7, 'Read from Archive.'),
  'efs.archiveWrittenGiB': row(0, 'GiB', 1e7, 'Moved to or written in Archive.'),
  'backup.changedGiBPerDay': row(
    0.5,
    'GiB a day',
    1e5,
    'Files changed in a day. A changed file is copied whole, a database too; new snapshots on the volume count.',
  ),
  'backup.restoredGiB': row(0, 'GiB', 1e6, 'Restored from AWS Backup.'),
  'fargate.hours': { ...hours(HOURS, 'A service runs this long.'), baseline: true },
  'fargate.spotPercent': row(30, '% of the on-demand price', 100, 'What Fargate Spot costs; AWS publishes no price.'),
  'schedule.taskMinutes': row(5, 'minutes', 1440, 'How long one task started by a schedule runs.'),
  'logs.ingestedGB': row(0.2, 'GB', 1e6, 'Written to a log group.'),
  'logs.compressionPercent': row(15, '% of the bytes ingested', 100, 'What stored logs take after compression.'),
  'logs.scannedGB': row(0, 'GB', 1e6, 'Scanned by Logs Insights.'),
  'kms.requests': row(20_000, 'requests', 1e10, 'Requests to a customer managed key.'),
  'kms.rotations': row(0, 'rotations', 2, 'Rotations a key has behind it; each of the first two adds a key version.'),
  'secrets.apiCalls': row(1000, 'calls', 1e10, 'Reads of a secret.'),
  'nat.processedGB': row(10, 'GB', 1e7, 'Through a NAT gateway.'),
  'endpoint.processedGB': row(1, 'GB', 1e7, 'Through an interface endpoint.'),
  'alb.lcu': row(0.1, 'LCU on average', 1e4, 'Load of an Application Load Balancer.'),
  'rds.backupGB': row(0, 'GB', 1e6, 'Backups beyond the size of the database.'),
  'aurora.storedGB': row(20, 'GB', 128_000, 'Stored by an Aurora cluster.'),
  'aurora.ioRequests': row(1_000_000, 'requests', 1e12, 'I/O requests of an Aurora cluster.'),
  'aurora.awakeHours': hours(
    HOURS,
    'An Aurora Serverless v2 cluster that may pause is awake. A running service keeps connections open and so keeps it awake.',
  ),
  'aurora.averageAcu': row(0.5, 'ACU on average', 256, 'Capacity of each instance while awake, if above its minimum.'),
  'aurora.backupGB': row(0, 'GB', 1e6, 'Backups beyond one day.'),
  'dsql.dpu': row(100_000, 'DPU', 1e12, 'Aurora DSQL.'),
  'dsql.storedGB': row(1, 'GB', 1e6, 'Stored in Aurora DSQL.'),
  's3.storedGB': row(1, 'GB', 51_200, 'Stored in a bucket (Standard).'),
  's3.putRequests': row(1000, 'requests', 1e11, 'PUT, COPY, POST, LIST.'),
  's3.getRequests': row(10_000, 'requests', 1e11, 'GET and others.'),
  's3tables.storedGB': row(20, 'GB', 51_200, 'Stored in a table bucket.'),
  's3tables.objects': row(1000, 'objects', 1e10, 'Objects in a table bucket.'),
  's3tables.putRequests': row(1000, 'requests', 1e11, 'PUT, COPY, POST, LIST.'),
  's3tables.getRequests': row(10_000, 'requests', 1e11, 'GET and others.'),
  's3tables.compactedGB': row(1, 'GB', 1e6, 'Read by compaction.'),
  's3tables.compactedObjects': row(1000, 'objects', 1e10, 'Objects read by compaction.'),
  's3vectors.storedGB': row(1, 'GB', 51_200, 'Vectors, metadata and keys in a vector bucket.'),
  's3vectors.putGB': row(0.1, 'GB', 1e6, 'Vectors written, at least 128 KB each.'),
  's3vectors.queries': row(10_000, 'queries', 1e11, 'Queries of a vector bucket.'),
  's3vectors.processedTB': row(0.01, 'TB', 1e6, 'Processed by queries.'),
  'athena.scannedTB': row(0.01, 'TB', 1e5, 'Scanned by the queries of a workgroup.'),
  'opensearch.storedGB': row(1, 'GB', 1e6, 'Stored by a collection.'),
  'opensearch.awakeHours': hours(
    176,
    'A NextGen collection group that may scale to zero is awake: eight hours on 22 days.',
  ),
  'opensearch.awakeOcu': row(1, 'OCU', 1000, 'Indexing and search together while awake.'),
  'valkey.storedGB': row(0.1, 'GB', 5000, 'Held by a serverless cache on average; at least 0.1 is billed.'),
  'valkey.ecpu': row(1_000_000, 'ECPU', 1e13, 'Work of a serverless cache.'),
  'valkey.snapshotGB': row(0, 'GB', 1e6, 'Snapshots of a cache.'),
  'lambda.requests': row(1000, 'requests', 1e12, 'Calls of a function.'),
  'lambda.milliseconds': row(1000, 'ms', 900_000, 'Duration of a call.'),
  'events.customEvents': row(0, 'events', 1e12, 'Events an application puts on a bus.'),
  'cloudwatch.embeddedMetrics': row(
    0,
    'metrics',
    1e6,
    'Custom metrics written as log lines (embedded metric format) to a log group; no template names them.',
  ),
  'stepfunctions.transitions': row(
    800,
    'transitions',
    1e12,
    'Steps of a state machine. A daily look at two months that match takes about 15.',
  ),
  'ecr.storedGB': row(1, 'GB', 1e6, 'Images in a repository.'),
} as const satisfies { [key: string]: UsageRow };

/** The name of an assumption. */
export type UsageKey = keyof typeof USAGE;
