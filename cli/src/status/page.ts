import { usd } from '../bill/format';
import { escapeHtml, htmlPage } from '../html/page';
import { ageText, bytesText, numberText, percentText, readingText } from './format';
import { Status } from './status';

const GIB = 1024 ** 3;

/** What the plots draw. */
function plotData(status: Status) {
  const meters = status.meters.value;
  const day = (at: number) => new Date(at).toISOString();
  return {
    stored: (meters?.stored ?? []).map(({ at, bytes }) => ({ at: day(at), gib: bytes / GIB })),
    workloads: (status.workloads.value ?? []).flatMap(({ name, keeper }) =>
      (keeper?.value?.sizes ?? []).map(({ at, bytes }) => ({ name, at: day(at), mib: bytes / 1024 ** 2 })),
    ),
    throughput: (['read', 'written'] as const).flatMap((name) =>
      (meters?.[name] ?? []).map(({ at, value }) => ({ name, at: day(at), gib: value / GIB })),
    ),
    gauges: status.gauges
      .filter(({ threshold, value }) => threshold !== undefined && value !== undefined)
      .map(({ name, threshold, value, unit }) => ({
        name,
        part: value! / threshold!,
        text: `${numberText(value!)} of ${numberText(threshold!)} ${unit}`,
      })),
    trends: status.gauges
      .filter(({ days }) => days.length > 1)
      .map(({ name, days, threshold, unit }) => ({
        name,
        unit,
        threshold,
        days: days.map(({ at, value }) => ({ at: day(at), value })),
      })),
  };
}

/** Drawn when the page is opened: the browser knows its fonts, and whether it is dark. */
const SCRIPT = `
const colors = ['#0b84c6', '#d9730d', '#3a9b57', '#a156c9'];
const style = { fontSize: '13px', fontFamily: 'inherit', color: 'currentColor', background: 'none' };
const when = (rows) => rows.map((row) => ({ ...row, at: new Date(row.at) }));
const none = (id, text) => document.getElementById(id).append(Object.assign(document.createElement('figcaption'), { textContent: text }));
const time = { type: 'utc', label: null };
function draw(id, rows, text, options) {
  rows.length < 2 ? none(id, text) : document.getElementById(id).append(Plot.plot({ style, width: 900, height: 260, marginLeft: 60, marginRight: 30, marginTop: 30, marginBottom: 44, x: time, ...options(when(rows)) }));
}
data.gauges.length === 0 ? none('gauges', 'No trigger is measured.') : document.getElementById('gauges').append(Plot.plot({
  style, width: 900, marginLeft: 220, marginRight: 190, marginBottom: 40, height: 46 * data.gauges.length + 60,
  x: { label: 'of the trigger', labelOffset: 34, domain: [0, Math.max(1.1, d3.max(data.gauges, (d) => d.part) * 1.05)], tickFormat: '.0%', grid: true },
  y: { label: null, domain: data.gauges.map((d) => d.name) },
  marks: [
    Plot.barX(data.gauges, { y: 'name', x: 'part', inset: 6, fill: (d) => d.part >= 1 ? '#c8383f' : d.part >= 0.7 ? colors[1] : colors[2] }),
    Plot.text(data.gauges, { y: 'name', x: 'part', text: 'text', dx: 8, textAnchor: 'start', fill: 'currentColor' }),
    Plot.ruleX([1], { stroke: 'currentColor', strokeWidth: 1.5, strokeDasharray: '4 4' }),
  ],
}));
data.trends.forEach((trend, at) => draw('trend-' + at, trend.days, '', (rows) => ({
  height: 200,
  y: { label: trend.unit, grid: true, zero: true, domain: [0, Math.max((trend.threshold ?? 0) * 1.1, d3.max(rows, (d) => d.value), 1)] },
  marks: [
    Plot.ruleY(trend.threshold === undefined ? [] : [trend.threshold], { stroke: '#c8383f', strokeDasharray: '4 4' }),
    Plot.lineY(rows, { x: 'at', y: 'value', stroke: colors[0], strokeWidth: 2.2 }),
    Plot.dot(rows, { x: 'at', y: 'value', fill: colors[0], r: 2.5 }),
  ],
})));
draw('stored', data.stored, 'EFS has metered less than two days.', (rows) => ({
  y: { label: 'GiB', grid: true, zero: true },
  marks: [Plot.areaY(rows, { x: 'at', y: 'gib', fill: colors[0], fillOpacity: 0.25 }), Plot.lineY(rows, { x: 'at', y: 'gib', stroke: colors[0], strokeWidth: 2.2 })],
}));
draw('workloads', data.workloads, 'There are no snapshots of two days yet.', (rows) => ({
  color: { domain: [...new Set(rows.map((d) => d.name))], range: colors, legend: true },
  y: { label: 'MiB', grid: true, zero: true },
  marks: [Plot.lineY(rows, { x: 'at', y: 'mib', stroke: 'name', strokeWidth: 2.2 }), Plot.dot(rows, { x: 'at', y: 'mib', fill: 'name', r: 2.5 })],
}));
draw('throughput', data.throughput, 'Nothing was read or written.', (rows) => ({
  color: { domain: ['read', 'written'], range: colors, legend: true },
  y: { label: 'GiB a day', grid: true, zero: true },
  marks: [Plot.lineY(rows, { x: 'at', y: 'gib', stroke: 'name', strokeWidth: 2.2 }), Plot.dot(rows, { x: 'at', y: 'gib', fill: 'name', r: 2.5 })],
}));
`;

const cell = (text: string, number = false) => `<td${number ? ' class="number"' : ''}>${escapeHtml(text)}</td>`;

function workloadRows(status: Status): string {
  const ago = (at: number | undefined, none: string) =>
    at === undefined ? none : `${ageText((status.now - at) / 1000)} ago`;
  return (status.workloads.value ?? [])
    .map(({ name, keeper }) => {
      const state = keeper?.value;
      const evidence = name === 'evidence' ? status.evidence.value : undefined;
      const bytes = state?.bytes ?? evidence?.bytes;
      return `<tr>${[
        cell(name),
        cell(bytes === undefined ? 'not known' : bytesText(bytes), true),
        cell(state?.growthBytes === undefined ? '' : bytesText(state.growthBytes), true),
        cell(
          evidence
            ? ago(evidence.lastCollected, 'none in 30 days')
            : state
              ? ago(state.lastChange, 'none in 24 h')
              : '',
        ),
        cell(state?.snapshotAgeSeconds === undefined ? '' : ageText(state.snapshotAgeSeconds)),
        cell(state?.lease ? `${state.lease.alive ? '' : 'silent: '}${state.lease.task}` : ''),
        cell(state ? ago(state.lastTakeover?.at, 'none in 30 days') : ''),
      ].join('')}</tr>`;
    })
    .join('\n');
}

function gaugeRows({ gauges }: Status): string {
  return gauges
    .map((gauge) => {
      const { name, trend, to, runbook, addsUsd, measured } = gauge;
      return `<tr>${cell(name)}${cell(readingText(gauge))}${cell(trend === undefined ? '' : percentText(trend), true)}<td>${escapeHtml(to)}${runbook ? `<br><code>${runbook}</code>` : ''}</td>${cell(addsUsd === undefined ? '' : `+${usd(addsUsd)}`, true)}${cell(measured)}</tr>`;
    })
    .join('\n');
}

/** The status as one self-contained page. */
export function statusPage(status: Status): string {
  const { stack, fileSystemId, region, now, cost, backup, fileSystem } = status;
  const data = plotData(status);
  const size = fileSystem.value?.SizeInBytes?.Value;
  const parts = [fileSystem, status.workloads, status.evidence, status.meters, backup, cost];
  const keepers = (status.workloads.value ?? []).map(({ keeper }) => keeper);
  const problems = [...new Set([...parts, ...keepers].flatMap((part) => part?.problem ?? []))];
  const facts = [
    size === undefined ? '' : `${bytesText(size)} stored`,
    cost.value
      ? `${usd(cost.value.monthToDateUsd)} this month so far, ${usd(cost.value.projectedUsd)} projected, ${usd(cost.value.projectedComputeUsd)} of it compute`
      : '',
    backup.value
      ? `newest backup ${backup.value.newest === undefined ? 'none' : `${ageText((now - backup.value.newest) / 1000)} old`}`
      : '',
  ].filter(Boolean);
  const body = `<h1>${escapeHtml(stack)}</h1>
<p class="soft">${escapeHtml(fileSystemId)} · ${escapeHtml(region)} · ${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC</p>
<p>${facts.map(escapeHtml).join(' · ')}</p>
${problems.length > 0 ? `<p><strong>Not shown:</strong> ${problems.map(escapeHtml).join(' · ')}</p>` : ''}
<h2>Workloads</h2>
<table><thead><tr><th>Directory</th><th class="number">Stored</th><th class="number">In 30 days</th><th>Last write</th><th>Snapshot</th><th>Owner</th><th>Last takeover</th></tr></thead>
<tbody>${workloadRows(status)}</tbody></table>
<h2>When to move to a bigger service</h2>
<figure id="gauges"></figure>
<table><thead><tr><th>Trigger</th><th>Today</th><th class="number">In a week</th><th>To</th><th class="number">Adds, a month</th><th>Measured</th></tr></thead>
<tbody>${gaugeRows(status)}</tbody></table>
${data.trends.map(({ name }, at) => `<h2>${escapeHtml(name)}, by day</h2>\n<figure id="trend-${at}"></figure>`).join('\n')}
<h2>Stored on the volume</h2>
<figure id="stored"></figure>
<h2>Databases by workload</h2>
<figure id="workloads"></figure>
<h2>Read and written</h2>
<figure id="throughput"></figure>
<footer><p>Made by efs-data-layer status. Sizes of workloads are the keepers' reports; costs are computed from what is deployed and metered, on demand, before tax.</p></footer>`;
  return htmlPage(`${stack}: status`, body, data, SCRIPT);
}
