import * as fs from 'fs';
import * as path from 'path';
import { LOG_METRICS, LogMetric } from '../../lib/alarms/log-metrics';
import { matches } from './filter-pattern';

/** Lines of a keeper that ran, held to what it writes by test/keeper/test_alarm_lines.py. */
const KEEPER: { scenario: string; line: Record<string, unknown> }[] = fs
  .readFileSync(path.join(__dirname, 'keeper-lines.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const hits = ({ patterns }: LogMetric, line: string) => patterns.some((pattern) => matches(pattern, line));
const matched = (metric: LogMetric) =>
  KEEPER.filter(({ line }) => hits(metric, JSON.stringify(line))).map(
    ({ scenario, line }) => `${scenario}: ${line.keeper}`,
  );

test('a conflict is a keeper that gave up, lost its lease or found a former owner’s files', () => {
  expect(matched(LOG_METRICS.leaseConflicts)).toEqual([
    'two_owners: busy',
    'owner_without_keeper: busy',
    'strays: strays',
    'lost_lease: lost',
  ]);
});

test('waiting is a conflict from a minute on', () => {
  const waiting = KEEPER.find(({ line }) => line.keeper === 'waiting')!.line;
  const after = (waited_s: number) => hits(LOG_METRICS.leaseConflicts, JSON.stringify({ ...waiting, waited_s }));
  expect([0, 15, 59.9, 60, 75].map(after)).toEqual([false, false, false, true, true]);
});

test('a takeover counts after an owner that held the lease, not when a directory gets its first keeper', () => {
  expect(KEEPER.filter(({ line }) => line.keeper === 'takeover')).toHaveLength(4);
  expect(matched(LOG_METRICS.takeovers)).toEqual(['crash: takeover', 'strays: takeover']);
});

test('damage is the keeper’s line, and what SQLite says in a line of any application', () => {
  expect(matched(LOG_METRICS.damage)).toEqual(['damage: damaged']);
  const says = (line: string) => hits(LOG_METRICS.damage, line);
  expect(says('sqlite3.DatabaseError: database disk image is malformed')).toBe(true);
  expect(says('sqlite3.DatabaseError: malformed database schema (t)')).toBe(true);
  expect(says('sqlite3.DatabaseError: file is not a database')).toBe(true);
  expect(says('400 Bad Request: malformed JSON')).toBe(false);
});

test('what the applications say', () => {
  const locked = 'sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked';
  const pool = 'sqlalchemy.exc.TimeoutError: QueuePool limit of size 4 overflow 10 reached, connection timed out';
  expect([locked, pool].map((line) => hits(LOG_METRICS.databaseLocked, line))).toEqual([true, false]);
  expect([locked, pool].map((line) => hits(LOG_METRICS.queuePool, line))).toEqual([false, true]);
  expect(matched(LOG_METRICS.databaseLocked)).toEqual([]);
  expect(matched(LOG_METRICS.queuePool)).toEqual([]);
});

test.each([LOG_METRICS.snapshotAge, LOG_METRICS.heartbeat])('$name is a number of the heartbeat line', (metric) => {
  expect(matched(metric)).toEqual(['reports: heartbeat']);
  const { line } = KEEPER.find(({ line: { keeper } }) => keeper === 'heartbeat')!;
  expect(typeof line[metric.value.replace('$.', '')]).toBe('number');
});

test('before the first snapshot the line has no age, and no metric is made of it', () => {
  const { snapshot_age_s: age, ...line } = KEEPER.find(({ line: { keeper } }) => keeper === 'heartbeat')!.line;
  expect(age).toBeGreaterThan(0);
  expect(hits(LOG_METRICS.snapshotAge, JSON.stringify(line))).toBe(false);
});

test('lines of an undisturbed run match nothing', () => {
  const lines = KEEPER.filter(({ scenario }) => scenario === 'usual_run').map(({ line }) => JSON.stringify(line));
  expect(lines.length).toBeGreaterThan(4);
  expect(Object.values(LOG_METRICS).filter((metric) => lines.some((line) => hits(metric, line)))).toEqual([]);
});
