import { Alternatives, Workload } from '../../../lib/bill';
import { usd } from '../bill/format';
import { escapeHtml, htmlPage } from '../html/page';
import { Comparison, describe, figure, legend, marks, namesOf, sentence } from './comparison';

/** A plot of cost over one figure of the workload. */
interface Curve {
  readonly title: string;
  readonly axis: keyof Workload;
  readonly label: string;
  readonly ids: readonly string[];
  /** The end of the axis. */
  readonly end: (comparison: Comparison) => number;
}

const POINTS = 81;

/** Far enough to show the workload and what lies ahead of it. */
const beyond = (value: number, least: number) => Math.max(least, value * 3);

const CURVES: readonly Curve[] = [
  {
    title: 'By the size of the data',
    axis: 'gib',
    label: 'live data (GiB)',
    ids: ['efs-bursting', 'rds-postgresql', 'aurora-serverless-v2', 'aurora-serverless-v2-paused'],
    end: ({ workload }) => beyond(workload.gib, 200),
  },
  {
    title: 'By the evidence that queries scan',
    axis: 'scanGb',
    label: 'scanned (GB a month)',
    ids: ['efs-bursting', 'efs-elastic', 's3-tables-athena'],
    end: ({ workload }) => beyond(workload.scanGb, 2000),
  },
  {
    title: 'By vector searches',
    axis: 'queries',
    label: 'queries a month',
    ids: ['s3-vectors', 'pgvector-own-rds', 'qdrant-fargate'],
    end: ({ workload }) => beyond(workload.queries, 6_000_000),
  },
  {
    title: 'By the hours in which something is awake',
    axis: 'awakeHours',
    label: 'hours awake (of 730 a month)',
    ids: ['aurora-serverless-v2', 'rds-postgresql', 'efs-bursting'],
    end: () => 730,
  },
  {
    title: 'By the hours of search',
    axis: 'searchHours',
    label: 'hours of search (of 730 a month)',
    ids: ['opensearch-nextgen', 'opensearch-classic', 'opensearch-classic-redundant'],
    end: () => 730,
  },
];

function plotData(comparison: Comparison) {
  const alternatives = new Alternatives(comparison.region);
  const names = namesOf(comparison);
  return {
    costs: comparison.alternatives.map(({ name, purpose, usd: cost }) => ({ name, purpose, usd: cost })),
    curves: CURVES.map((curve) => {
      const end = curve.end(comparison);
      return {
        label: curve.label,
        now: comparison.workload[curve.axis],
        names: curve.ids.map((id) => names.get(id)),
        points: curve.ids.flatMap((id) =>
          Array.from({ length: POINTS }, (_, index) => {
            const x = (end * index) / (POINTS - 1);
            return {
              name: names.get(id),
              x,
              usd: alternatives.one(id, { ...comparison.workload, [curve.axis]: x }).usd,
            };
          }),
        ),
        meets: comparison.breakEvens
          .filter(
            ({ axis, at, left, right }) =>
              axis === curve.axis &&
              at !== undefined &&
              at < end &&
              curve.ids.includes(left) &&
              curve.ids.includes(right),
          )
          .map(({ at, left }) => ({
            x: at,
            usd: alternatives.one(left, { ...comparison.workload, [curve.axis]: at! }).usd,
          })),
      };
    }),
  };
}

/** Drawn when the page is opened: the browser knows its fonts, and whether it is dark. */
const SCRIPT = `
const money = (usd) => '$' + (usd >= 100 ? Math.round(usd).toLocaleString('en-US') : usd.toFixed(2));
const colors = ['#0b84c6', '#d9730d', '#3a9b57', '#a156c9'];
const style = { fontSize: '13px', fontFamily: 'inherit', color: 'currentColor', background: 'none' };
document.getElementById('costs').append(Plot.plot({
  style, width: 900, marginLeft: 410, marginRight: 60, marginBottom: 48, height: 28 * data.costs.length + 70,
  x: { type: 'log', label: 'USD a month (logarithmic)', labelOffset: 42, grid: true, domain: [0.01, Math.max(500, d3.max(data.costs, (d) => d.usd) * 1.5)], tickFormat: (d) => Math.abs(Math.log10(d) % 1) < 1e-9 ? '$' + d : '' },
  y: { label: null, domain: data.costs.map((d) => d.name) },
  marks: [
    Plot.ruleY(data.costs, { y: 'name', x1: 0.01, x2: (d) => Math.max(d.usd, 0.01), stroke: colors[0], strokeOpacity: 0.5 }),
    Plot.dot(data.costs, { y: 'name', x: (d) => Math.max(d.usd, 0.01), r: 5, fill: (d, i) => i === 0 ? colors[1] : colors[0] }),
    Plot.text(data.costs, { y: 'name', x: (d) => Math.max(d.usd, 0.01), text: (d) => money(d.usd), dx: 10, textAnchor: 'start', fill: 'currentColor' }),
  ],
}));
data.curves.forEach((curve, index) => {
  document.getElementById('curve-' + index).append(Plot.plot({
    style, width: 900, height: 360, marginLeft: 60, marginRight: 30, marginTop: 44, marginBottom: 48,
    color: { domain: curve.names, range: colors, legend: true },
    x: { label: curve.label, labelOffset: 42, tickFormat: '~s' },
    y: { label: 'USD a month', labelOffset: 50, grid: true, zero: true, tickFormat: (d) => '$' + d.toLocaleString('en-US') },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.ruleX([curve.now], { strokeDasharray: '4 4', strokeOpacity: 0.6 }),
      Plot.text([curve.now], { x: (d) => d, frameAnchor: 'top', dy: -12, text: () => 'your workload', textAnchor: curve.now > 0.8 * d3.max(curve.points, (d) => d.x) ? 'end' : 'start', fill: 'currentColor' }),
      Plot.lineY(curve.points, { x: 'x', y: 'usd', stroke: 'name', strokeWidth: 2.2 }),
      Plot.dot(curve.meets, { x: 'x', y: 'usd', r: 5, stroke: 'currentColor', strokeWidth: 1.5 }),
      Plot.text(curve.meets, { x: 'x', y: 'usd', dy: -12, text: (d) => d3.format('.3s')(d.x), fill: 'currentColor', fontWeight: 600 }),
    ],
  }));
});
`;

/** The comparison as one self-contained page. */
export function comparisonPage(comparison: Comparison): string {
  const { alternatives, region, workload } = comparison;
  const names = namesOf(comparison);
  const rows = alternatives.map(
    (alternative, index) =>
      `<tr${index === 0 ? ' class="own"' : ''}><td>${escapeHtml(alternative.name)}</td><td>${alternative.purpose}</td>` +
      `<td class="number">${usd(alternative.usd)}${marks(alternative, region)}</td>` +
      `<td>${alternative.lines.map((line) => `${escapeHtml(line.name)}: ${figure(line.quantity)} ${escapeHtml(line.unit)}, ${usd(line.usd)}`).join('<br>')}` +
      `${alternative.note ? `<br><em>${escapeHtml(alternative.note)}</em>` : ''}</td></tr>`,
  );
  const body = `<h1>What the data would cost elsewhere</h1>
<p class="soft">Region ${escapeHtml(region)} · USD a month, on demand, before tax · ${escapeHtml(describe(workload))}</p>
<figure id="costs"></figure>
<h2>Where the choice changes</h2>
<p>All else equal:</p>
<ul>${comparison.breakEvens.map((point) => `<li>${escapeHtml(sentence(point, names))}</li>`).join('')}</ul>
${CURVES.map(({ title }, index) => `<h2>${escapeHtml(title)}</h2>\n<figure id="curve-${index}"></figure>`).join('\n')}
<h2>Every number</h2>
<table><caption>${legend(comparison).map(escapeHtml).join(' · ')}</caption>
<thead><tr><th>Alternative</th><th>For</th><th class="number">Monthly</th><th>Made of</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>
<footer><p>Made by efs-data-layer compare from its price book; the sources and dates of all rates are in lib/bill/prices.</p></footer>`;
  return htmlPage(`Cost of a data layer in ${region}`, body, plotData(comparison), SCRIPT);
}
