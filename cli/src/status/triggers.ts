import { Alternatives, DEFAULT_WORKLOAD, PriceBook, FALLBACK_REGION } from '../../../lib/bill';
import { UPGRADE_PATHS } from '../../../lib/upgrade-paths';
import { embeddingsReading, searchReading, usersReading } from './counts';
import { Status } from './status';
import { highestOfDays, Point } from './meters';

const DAY = 24 * 3_600_000;
const GIB = 1024 ** 3;

/** A trigger of the decision record as a gauge. */
export interface Gauge {
  readonly name: string;
  readonly unit: string;
  /** Undefined where the record names a need, not a number: then it is a decision, whatever the value. */
  readonly threshold?: number;
  /** Undefined: not measured; `measured` says why. */
  readonly value?: number;
  /** What belongs beside the value. */
  readonly beside?: string;
  /** What is measured, and how. */
  readonly measured: string;
  /** The daily values behind it, where there are any. */
  readonly days: Point[];
  /** The mean of the last seven days against the seven before: 0.5 is half as much again. */
  readonly trend?: number;
  /** Where it leads, and the runbook. */
  readonly to: string;
  readonly runbook?: string;
  /** What that adds to the bill, USD a month, for what is stored and read today. */
  readonly addsUsd?: number;
}

/** A gauge before its way out is known. */
export type Reading = Pick<Gauge, 'value' | 'beside' | 'measured'> & { readonly days?: Point[] };

/** The last seven days against the seven before. */
export function trendOf(days: Point[], now: number): number | undefined {
  const mean = (from: number, to: number) => {
    const some = days.filter(({ at }) => at >= from && at < to);
    return some.length === 0 ? undefined : some.reduce((sum, { value }) => sum + value, 0) / some.length;
  };
  const [last, before] = [mean(now - 7 * DAY, now), mean(now - 14 * DAY, now - 7 * DAY)];
  return last === undefined || !before ? undefined : last / before - 1;
}

/** Every gauge. `told` is how many users there are by whoever asks. */
export function gauges(status: Omit<Status, 'gauges'>, told: number | undefined): Gauge[] {
  const { now, meters, evidence, workloads } = status;
  const users = usersReading(status, told);
  const gib = (status.fileSystem.value?.SizeInBytes?.Value ?? 0) / GIB;
  const scanned = evidence.value?.scans;
  const scanGb = (scanned?.bytes ?? 0) / 1e9;
  const region = PriceBook.regions().includes(status.region) ? status.region : FALLBACK_REGION;
  const workload = { ...DEFAULT_WORKLOAD, gib, scanGb, users: users.value ?? DEFAULT_WORKLOAD.users };
  const usd = (...ids: string[]) => ids.reduce((sum, id) => sum + new Alternatives(region).one(id, workload).usd, 0);
  const target = (name: string) => UPGRADE_PATHS.find((path) => path.name === name)!.target;
  const runbook = (name: string) => `docs/runbooks/${name}.md`;

  const longest = workloads.value
    ?.map(({ keeper }) => keeper?.value?.longestWriteSeconds)
    .filter((seconds) => seconds !== undefined);
  const seconds = longest && longest.length > 0 ? Math.max(...longest) : undefined;
  // Little's law: operations a second times seconds an operation is how many are under way.
  const flight =
    seconds === undefined
      ? []
      : highestOfDays((meters.value?.writes ?? []).map(({ at, value }) => ({ at, value: (value / 900) * seconds })));
  const busiest = meters.value?.processor.find(({ service }) => /openwebui|open-webui/i.test(service))?.days ?? [];
  const month = scanned?.month;
  const reads = (meters.value?.read ?? []).filter(({ at }) => new Date(at).toISOString().slice(0, 7) === month);
  const readGb = reads.reduce((sum, { value }) => sum + value, 0) / 1e9;

  const gauge = (row: Omit<Gauge, 'days'> & { days?: Point[] }): Gauge => {
    const days = row.days ?? [];
    return { ...row, days, trend: row.trend ?? trendOf(days, now) };
  };
  return [
    gauge({
      name: 'Concurrent writes',
      unit: 'at once',
      threshold: 50,
      value: flight[flight.length - 1]?.value,
      measured:
        seconds === undefined
          ? 'Not known without reports of a keeper in the last day.'
          : `The busiest 15 minutes of today: write operations a second on the volume, times the longest write of a keeper in a day (${seconds} s). An upper limit.`,
      days: flight,
      to: target('rds-postgres'),
      runbook: runbook('rds-postgres'),
      addsUsd: usd('rds-postgresql'),
    }),
    gauge({
      name: 'One task is not enough',
      unit: '% of its processor',
      threshold: 80,
      value: busiest[busiest.length - 1]?.value,
      measured: 'The busiest 10 minutes of today of Open WebUI’s service.',
      days: busiest,
      to: target('replicas'),
      runbook: runbook('replicas'),
      addsUsd: usd('rds-postgresql', 'valkey-serverless'),
    }),
    gauge({
      name: 'SQL and vectors together',
      unit: 'embeddings',
      ...embeddingsReading(status),
      to: target('pgvector'),
      runbook: runbook('pgvector'),
      addsUsd: usd('rds-postgresql'),
    }),
    gauge({
      name: 'Evidence scanned',
      unit: 'GB this month',
      threshold: 1000,
      value: scanned && scanGb,
      measured: scanned
        ? `${scanned.queries} queries ${scanned.from}. All reads of the volume this month: ${readGb.toFixed(1)} GB, the most it can be for others.`
        : 'The log of the evidence workload could not be read; pass --evidence with the mounted directory.',
      // The value grows through the month: days are held against days.
      trend: scanned && trendOf(scanned.days.bytes, now),
      to: 'S3 Tables (Iceberg) and Athena',
      addsUsd: usd('s3-tables-athena'),
    }),
    gauge({
      name: 'Full-text search',
      unit: 'queries of evidence this month',
      ...searchReading(status),
      to: 'OpenSearch Serverless',
      addsUsd: usd('opensearch-nextgen'),
    }),
    gauge({
      name: 'Users',
      unit: 'users',
      threshold: 200,
      ...users,
      to: target('aurora-serverless-v2'),
      runbook: runbook('aurora-serverless-v2'),
      addsUsd: usd('aurora-serverless-v2'),
    }),
  ];
}
