import { GetMetricDataCommand, MetricDataQuery, MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { pages } from '../aws/pages';
import { ReadClients } from './account';
import { StatusService } from './deployment';
import { SizeAt } from './keeper';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
export const METER_DAYS = 30;

/** A value at the beginning of its period. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** What CloudWatch has metered, free of charge, of the volume and the services. */
export interface Meters {
  /** All classes, daily averages. */
  readonly stored: SizeAt[];
  /** Bytes a day. */
  readonly read: Point[];
  readonly written: Point[];
  /** Write operations in 15 minutes, of 14 days. */
  readonly writes: Point[];
  readonly burstCredits?: number;
  /** The highest of the last day, in percent. */
  readonly ioLimit?: number;
  /** Processor of each service: the highest 10 minutes of each day, in percent. */
  readonly processor: { readonly service: string; readonly days: Point[] }[];
}

/** CloudWatch keeps 15-minute values for 63 days and rounds the beginning of a request down to the period. */
export async function readMeters(
  aws: ReadClients,
  fileSystemId: string,
  services: StatusService[],
  now: number,
): Promise<Meters> {
  const volume = (id: string, name: string, stat: string, period: number, more: { [name: string]: string } = {}) =>
    query(id, 'AWS/EFS', name, stat, period, { FileSystemId: fileSystemId, ...more });
  const queries = [
    volume('stored', 'StorageBytes', 'Average', DAY, { StorageClass: 'Total' }),
    volume('read', 'DataReadIOBytes', 'Sum', DAY),
    volume('written', 'DataWriteIOBytes', 'Sum', DAY),
    ...services.map(({ cluster, name }, at) =>
      query(`cpu${at}`, 'AWS/ECS', 'CPUUtilization', 'Average', DAY / 144, { ClusterName: cluster, ServiceName: name }),
    ),
  ];
  const recent = [
    volume('writes', 'DataWriteIOBytes', 'SampleCount', 15 * MINUTE),
    volume('credits', 'BurstCreditBalance', 'Minimum', 15 * MINUTE),
    volume('iolimit', 'PercentIOLimit', 'Maximum', 15 * MINUTE),
  ];
  const [long, short] = await Promise.all([
    get(aws, queries, now - METER_DAYS * DAY, now),
    get(aws, recent, now - 14 * DAY, now),
  ]);
  const of = (id: string) => points([...long, ...short].filter(({ Id }) => Id === id));
  const lastDay = (id: string) => of(id).filter(({ at }) => at > now - DAY);
  const credits = lastDay('credits');
  return {
    stored: of('stored').map(({ at, value }) => ({ at, bytes: value })),
    read: of('read'),
    written: of('written'),
    writes: of('writes'),
    burstCredits: credits[credits.length - 1]?.value,
    ioLimit: lastDay('iolimit').reduce<number | undefined>((most, { value }) => Math.max(most ?? 0, value), undefined),
    processor: services.map(({ name }, at) => ({ service: name, days: highestOfDays(of(`cpu${at}`)) })),
  };
}

function query(
  Id: string,
  Namespace: string,
  MetricName: string,
  Stat: string,
  period: number,
  dimensions: { [name: string]: string },
): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  return { Id, MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period: period / 1000, Stat } };
}

async function get(
  aws: ReadClients,
  queries: MetricDataQuery[],
  from: number,
  to: number,
): Promise<MetricDataResult[]> {
  return pages(async (NextToken) => {
    const page = await aws.cloudWatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: queries,
        StartTime: new Date(from),
        EndTime: new Date(to),
        ScanBy: 'TimestampAscending',
        NextToken,
      }),
    );
    return { items: page.MetricDataResults, token: page.NextToken };
  });
}

function points(results: MetricDataResult[]): Point[] {
  return results
    .flatMap(({ Timestamps = [], Values = [] }) =>
      Timestamps.map((at, index) => ({ at: at.getTime(), value: Values[index] })),
    )
    .sort((a, b) => a.at - b.at);
}

/** The highest point of each day. */
export function highestOfDays(all: Point[]): Point[] {
  const days = new Map<number, number>();
  for (const { at, value } of all) {
    const day = Math.floor(at / DAY) * DAY;
    days.set(day, Math.max(days.get(day) ?? 0, value));
  }
  return [...days].map(([at, value]) => ({ at, value }));
}
