import { columns, usd } from '../bill/format';
import { ageText, bytesText, numberText, percentText, readingText } from './format';
import { Status, WorkloadStatus } from './status';
import { Gauge } from './triggers';

const BAR = 24;
const GIB = 1024 ** 3;
/** Of the decision record, and of the alarm storedGiB: what $6 a month buy in us-east-1. */
const PLANNED_GIB = 20;
/** Backups and snapshots are daily. */
const OLD_HOURS = 36;

/** Colours that every terminal has. They say nothing that the words do not. */
export interface Paint {
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  soft(text: string): string;
  strong(text: string): string;
}

const code = (number: number) => (text: string) => `\u001b[${number}m${text}\u001b[0m`;
const plain = (text: string) => text;

export function paint(colour: boolean): Paint {
  return colour
    ? { good: code(32), warn: code(33), bad: code(31), soft: code(2), strong: code(1) }
    : { good: plain, warn: plain, bad: plain, soft: plain, strong: plain };
}

/** A bar of a value and its limit. */
function bar(value: number, limit: number, colours: Paint): string {
  const part = Math.min(value / limit, 1);
  const full = Math.round(part * BAR);
  const tone = part >= 1 ? colours.bad : part >= 0.7 ? colours.warn : colours.good;
  return `${tone('█'.repeat(full))}${colours.soft('·'.repeat(BAR - full))}`;
}

/** The whole view. */
export function statusText(status: Status, colours: Paint): string {
  return [
    colours.strong(`${status.stack}  ${status.fileSystemId}  ${status.region}`) +
      colours.soft(`  ${new Date(status.now).toISOString().slice(0, 16).replace('T', ' ')} UTC`),
    '',
    ...workloadLines(status, colours),
    '',
    ...volumeLines(status, colours),
    '',
    ...costLines(status, colours),
    '',
    ...gaugeLines(status.gauges, colours),
    ...problemLines(status, colours),
  ].join('\n');
}

function workloadLines(status: Status, colours: Paint): string[] {
  const { workloads, now } = status;
  const heading = colours.strong('Workloads');
  if (workloads.problem !== undefined) {
    return [heading, `  ${colours.warn(workloads.problem)}`];
  }
  const ago = (at: number | undefined, none: string) => (at === undefined ? none : `${ageText((now - at) / 1000)} ago`);
  const rows = workloads.value.map((workload) => {
    const keeper = workload.keeper?.value;
    if (workload.name === 'evidence') {
      const evidence = status.evidence.value;
      const bytes = evidence?.bytes;
      return [
        workload.name,
        bytes === undefined ? 'see volume' : bytesText(bytes),
        '',
        ago(evidence?.lastCollected, 'none in 30 days'),
        '',
        'many writers',
        '',
      ];
    }
    if (!keeper) {
      return [
        workload.name,
        workload.keeper ? 'denied' : 'see volume',
        '',
        '',
        '',
        workload.kept ? '' : 'no keeper',
        '',
      ];
    }
    return [
      workload.name,
      keeper.bytes === undefined ? 'no report' : bytesText(keeper.bytes),
      keeper.growthBytes === undefined
        ? 'not yet'
        : `${keeper.growthBytes >= 0 ? '+' : ''}${bytesText(keeper.growthBytes)}`,
      ago(keeper.lastChange, 'none in 24 h'),
      keeper.snapshotAgeSeconds === undefined ? 'none' : ageText(keeper.snapshotAgeSeconds),
      leaseText(workload, now),
      keeper.lastTakeover ? `${ago(keeper.lastTakeover.at, '')}, ${keeper.lastTakeover.seconds} s` : 'none in 30 days',
    ];
  });
  const head = ['', 'stored', 'in 30 days', 'last write', 'snapshot', 'lease', 'last takeover'];
  const trouble = workloads.value.flatMap(({ name, keeper }) =>
    (keeper?.value?.trouble ?? []).slice(-3).map((line) => `  ${colours.bad('!')} ${name}: ${line}`),
  );
  const [first, ...rest] = columns([head, ...rows], [0, 5, 6]);
  return [heading, `  ${colours.soft(first)}`, ...rest.map((line) => `  ${line}`), ...trouble];
}

function leaseText({ keeper }: WorkloadStatus, now: number): string {
  const lease = keeper?.value?.lease;
  if (!lease) {
    return 'no owner in 30 days';
  }
  const since = ageText((now - lease.since) / 1000);
  return lease.alive ? `task ${lease.task.slice(0, 8)}, ${since}` : `silent; last ${lease.task.slice(0, 8)}`;
}

function volumeLines(status: Status, colours: Paint): string[] {
  const lines = [colours.strong('Volume')];
  const row = (name: string, text: string) => lines.push(`  ${name.padEnd(16)} ${text}`);
  const size = status.fileSystem.value?.SizeInBytes;
  if (size) {
    const total = size.Value ?? 0;
    const known = (status.workloads.value ?? []).reduce((sum, { keeper }) => sum + (keeper?.value?.bytes ?? 0), 0);
    row('stored', `${bar(total / GIB, PLANNED_GIB, colours)} ${bytesText(total)} of ${PLANNED_GIB} GiB planned`);
    const classes = [
      ['Standard', size.ValueInStandard],
      ['Infrequent Access', size.ValueInIA],
      ['Archive', size.ValueInArchive],
    ] as const;
    row(
      '',
      classes
        .filter(([, bytes]) => bytes)
        .map(([name, bytes]) => `${name} ${bytesText(bytes!)}`)
        .join(', ') || 'nothing metered yet',
    );
    row(
      '',
      `${bytesText(Math.max(total - known, 0))} of it beside the keepers' databases: snapshots, uploads, evidence`,
    );
  }
  const meters = status.meters.value;
  if (meters) {
    const last = (points: { at: number; value: number }[]) => points.reduce((sum, { value }) => sum + value, 0);
    row('throughput', `read ${bytesText(last(meters.read))}, written ${bytesText(last(meters.written))} in 30 days`);
    if (meters.burstCredits !== undefined) {
      row('burst credits', `${bytesText(meters.burstCredits)} (alarm below 180 GiB)`);
    }
    if (meters.ioLimit !== undefined) {
      row('I/O limit', `${bar(meters.ioLimit, 100, colours)} ${numberText(meters.ioLimit)} % at most today`);
    }
  }
  const backup = status.backup.value;
  if (backup) {
    const hours = backup.newest === undefined ? Infinity : (status.now - backup.newest) / 3_600_000;
    const text = backup.newest === undefined ? 'none' : `${ageText(hours * 3600)} old, ${backup.count} kept`;
    row('newest backup', hours > OLD_HOURS ? colours.bad(text) : colours.good(text));
  }
  return lines;
}

function costLines({ cost }: Status, colours: Paint): string[] {
  const heading = `${colours.strong('Cost')} ${colours.soft('computed from what is deployed and metered; the invoice is in Cost Explorer')}`;
  if (cost.problem !== undefined) {
    return [heading];
  }
  const { month, monthToDateUsd, projectedUsd, projectedComputeUsd, dataLayerUsd, region, notPriced } = cost.value;
  return [
    heading,
    `  ${month}: ${usd(monthToDateUsd)} so far, ${usd(projectedUsd)} projected, ${usd(projectedComputeUsd)} of it compute (prices of ${region})`,
    `  The data layer at today's size: ${usd(dataLayerUsd)} a month`,
    ...notPriced.map((address) => `  ${colours.warn('not priced:')} ${address}`),
  ];
}

function gaugeLines(all: Gauge[], colours: Paint): string[] {
  return [
    colours.strong('When to move to a bigger service'),
    ...all.flatMap((gauge) => {
      const { name, threshold, value, trend, to, addsUsd, measured } = gauge;
      const meter =
        threshold === undefined
          ? ''
          : value === undefined
            ? `${colours.soft('·'.repeat(BAR))} `
            : `${bar(value, threshold, colours)} `;
      const change = trend === undefined ? '' : `, ${percentText(trend)} in a week`;
      const reading = `${meter}${readingText(gauge)}${change}`;
      const cost = addsUsd === undefined ? '' : `, adds ${usd(addsUsd)} a month`;
      return [`  ${name.padEnd(24)} ${reading}`, `  ${''.padEnd(24)} ${colours.soft(`→ ${to}${cost}. ${measured}`)}`];
    }),
  ];
}

/** What could not be read, each once. */
function problemLines(status: Status, colours: Paint): string[] {
  const parts = [status.fileSystem, status.workloads, status.evidence, status.meters, status.backup, status.cost];
  const keepers = (status.workloads.value ?? []).map(({ keeper }) => keeper);
  const problems = [...new Set([...parts, ...keepers].map((one) => one?.problem).filter((one) => one !== undefined))];
  return problems.length === 0
    ? []
    : ['', colours.strong('Not shown'), ...problems.map((problem) => `  ${colours.warn(problem)}`)];
}
