import { jsonLines, LogLine, ReadClients } from './account';
import { StatusWorkload } from './deployment';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How far back events are read: as long as the data layer keeps its logs by default. */
export const HISTORY_DAYS = 30;

/** A keeper that said nothing for this long does not run: it reports every five minutes. */
const SILENT_MS = 11 * 60_000;

/** The size of a workload at a time. */
export interface SizeAt {
  readonly at: number;
  readonly bytes: number;
}

/** What a keeper counted in the copy of a snapshot, for the triggers. */
export interface CountAt {
  readonly at: number;
  readonly store: string;
  /** Bytes that the snapshot copied: of Chroma without the indexes that it builds anew. */
  readonly bytes: number;
  readonly users?: number;
  /** Users seen in the 30 days before. */
  readonly activeUsers?: number;
  readonly embeddings?: number;
}

/** What a keeper's lines say of its directory. */
export interface KeeperState {
  /** Databases and directories that it guards, with their WAL; without snapshots and uploads. */
  readonly bytes?: number;
  readonly sizes: SizeAt[];
  /** Bytes in 30 days, by a straight line through the sizes. Undefined with less than a day of them. */
  readonly growthBytes?: number;
  /** The last time at which a report had another size than the one before: writes in place are not seen. */
  readonly lastChange?: number;
  readonly snapshotAgeSeconds?: number;
  /** The owner: the task, since when, and whether it still reports. */
  readonly lease?: { readonly task: string; readonly since: number; readonly alive: boolean };
  readonly lastTakeover?: { readonly at: number; readonly seconds: number };
  /** The longest write and fsync of the last day, in seconds. */
  readonly longestWriteSeconds?: number;
  /** The last count of each store and day; empty from a keeper that does not count yet. */
  readonly counts: CountAt[];
  /** Lines of the last day that need somebody. */
  readonly trouble: string[];
}

const TROUBLE = [
  'busy',
  'lost',
  'strays',
  'damaged',
  'refused',
  'failed',
  'snapshot-failed',
  'snapshot-skipped',
  'powerless',
];

const number = (value: unknown) => (typeof value === 'number' ? value : undefined);

/** Reads what the keeper of a workload has said: reports of a day, everything else of thirty days. */
export async function readKeeper(aws: ReadClients, { logGroup }: StatusWorkload, now: number): Promise<KeeperState> {
  const [events, reports] = await Promise.all([
    jsonLines(aws, logGroup!, '{ ($.keeper = "*") && ($.keeper != "heartbeat") }', now - HISTORY_DAYS * DAY),
    jsonLines(aws, logGroup!, '{ $.keeper = "heartbeat" }', now - DAY),
  ]);
  // Patterns are the service's; what they let through is looked at again.
  return keeperState(
    events.filter(({ fields }) => typeof fields.keeper === 'string' && fields.keeper !== 'heartbeat'),
    reports.filter(({ fields }) => fields.keeper === 'heartbeat'),
    now,
  );
}

/** What lines mean. */
export function keeperState(events: LogLine[], reports: LogLine[], now: number): KeeperState {
  const named = (name: string) => events.filter(({ fields }) => fields.keeper === name);
  const last = reports[reports.length - 1];
  const size = (line: LogLine) => (number(line.fields.database_bytes) ?? 0) + (number(line.fields.wal_bytes) ?? 0);
  const sizes = sizesOf(named('snapshot'), reports, size);
  const changed = reports.filter((line, at) => at > 0 && size(line) !== size(reports[at - 1]));
  const leased = named('leased').pop();
  const takeover = named('takeover')
    .filter(({ fields }) => fields.previous === 'held')
    .pop();
  const released = named('released').pop();
  const age = number(last?.fields.snapshot_age_s);
  return {
    bytes: last ? size(last) : sizes[sizes.length - 1]?.bytes,
    sizes,
    growthBytes: growth(sizes),
    lastChange: changed[changed.length - 1]?.at,
    // The report is some minutes old.
    snapshotAgeSeconds: age === undefined ? undefined : age + Math.round((now - last.at) / 1000),
    lease: leased && {
      task: leased.stream.split('/').pop()!,
      since: leased.at,
      alive: !(released && released.at >= leased.at) && now - Math.max(leased.at, last?.at ?? 0) < SILENT_MS,
    },
    lastTakeover: takeover && { at: takeover.at, seconds: number(takeover.fields.takeover_s) ?? 0 },
    longestWriteSeconds: reports.reduce<number | undefined>(
      (longest, { fields }) => Math.max(longest ?? 0, number(fields.heartbeat_s) ?? 0),
      undefined,
    ),
    counts: countsOf(named('snapshot')),
    trouble: events
      .filter(({ at, fields }) => at > now - DAY && TROUBLE.includes(String(fields.keeper)))
      .map(({ fields }) => `${String(fields.keeper)}: ${String(fields.message ?? '')}`.replace(/: $/, '')),
  };
}

/** Daily sizes: of the stores together as their snapshots saw them, and the latest report. */
function sizesOf(snapshots: LogLine[], reports: LogLine[], size: (line: LogLine) => number): SizeAt[] {
  const latest = new Map<string, number>();
  const byDay = new Map<number, SizeAt>();
  for (const { at, fields } of snapshots) {
    latest.set(String(fields.store), number(fields.bytes) ?? 0);
    const bytes = [...latest.values()].reduce((sum, each) => sum + each, 0);
    byDay.set(Math.floor(at / DAY), { at, bytes });
  }
  const last = reports[reports.length - 1];
  if (last) {
    byDay.set(Math.floor(last.at / DAY), { at: last.at, bytes: size(last) });
  }
  return [...byDay.values()].sort((a, b) => a.at - b.at);
}

function countsOf(snapshots: LogLine[]): CountAt[] {
  const counts = new Map<string, CountAt>();
  for (const { at, fields } of snapshots) {
    const { users, active_users_30d: activeUsers, embeddings } = fields;
    if (number(users ?? embeddings) !== undefined) {
      const store = String(fields.store);
      counts.set(`${store} ${Math.floor(at / DAY)}`, {
        at,
        store,
        bytes: number(fields.bytes) ?? 0,
        users: number(users),
        activeUsers: number(activeUsers),
        embeddings: number(embeddings),
      });
    }
  }
  return [...counts.values()];
}

/** Least squares, as bytes in 30 days. */
export function growth(sizes: SizeAt[]): number | undefined {
  if (sizes.length < 2 || sizes[sizes.length - 1].at - sizes[0].at < DAY) {
    return undefined;
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(sizes.map(({ at }) => at)), mean(sizes.map(({ bytes }) => bytes))];
  const above = sizes.reduce((sum, { at, bytes }) => sum + (at - x) * (bytes - y), 0);
  const below = sizes.reduce((sum, { at }) => sum + (at - x) ** 2, 0);
  return (above / below) * 30 * DAY;
}
