import { Engine, identifier, literal } from './engine';
import { CANONICAL, canonical } from './focus/canonical';
import { FOCUS_COLUMNS, FocusColumn, focusColumn } from './focus/columns';
import { addMonths, Months, within } from './months';
import { isReport } from './sources';
import type { Table } from './tables';

/** Makes the views that SQL reads: `focus`, those of the other FOCUS datasets, reports, findings and files. */
export async function makeViews(engine: Engine, tables: Table[], months: Months): Promise<void> {
  const isCost = ({ recognised, source }: Table) => recognised?.dataset === 'Cost and Usage' && !isReport(source.name);
  const wanted = ({ months: own }: Table) => own === undefined || own.some((month) => within(month, months));
  const costs = tables.filter((table) => isCost(table) && wanted(table));
  await engine.run(`CREATE VIEW focus AS ${costsSelect(costs, months)}`);
  for (const schema of ['reports', 'findings', 'files']) {
    await engine.run(`CREATE SCHEMA ${schema}`);
  }
  const others = new Map<string, string[]>();
  for (const { recognised, source, file } of tables.filter((table) => !isCost(table))) {
    const report = isReport(source.name);
    const name = recognised && !report ? recognised.dataset.toLowerCase().replace(/ /g, '_') : viewName(source.dataset);
    // Every run of a report is there: these say which is which.
    const origin = report ? `, ${text(source.month)} AS evidence_month, ${text(source.run)} AS evidence_run` : '';
    const select = `SELECT *${origin} FROM read_parquet(${literal(file)}, hive_partitioning = false)`;
    others.set(name, [...(others.get(name) ?? []), select]);
  }
  for (const [name, selects] of others) {
    await engine.run(`CREATE VIEW ${name} AS ${selects.join(' UNION ALL BY NAME ')}`);
  }
}

function text(value: string | undefined): string {
  return value === undefined ? 'NULL' : literal(value);
}

/** reports."cost-by-team", findings."prowler", files."a/b". */
function viewName(dataset: string): string {
  const [kind, ...rest] = dataset.split('/');
  const own = kind === 'reports' || kind === 'findings';
  return own ? `${kind}.${identifier(rest.join('/'))}` : `files.${identifier(dataset)}`;
}

function costsSelect(tables: Table[], { from, to }: Months): string {
  const everyName = new Map(FOCUS_COLUMNS.map(({ name }) => [name.toLowerCase(), name]));
  for (const { name } of tables.flatMap(({ columns }) => columns)) {
    everyName.set(name.toLowerCase(), everyName.get(name.toLowerCase()) ?? name);
  }
  // One scan for all files of the same columns and types: DuckDB shares its work over the row groups of them.
  const alike = new Map<string, Table[]>();
  for (const table of tables) {
    const signature = JSON.stringify(table.columns);
    alike.set(signature, [...(alike.get(signature) ?? []), table]);
  }
  const end = to === undefined ? undefined : addMonths(to, 1);
  const scans = [...alike.values()].map((own) => {
    const types = new Map(own[0].columns.map((column) => [column.name.toLowerCase(), column]));
    const list = [...everyName].map(([lower, name]) => {
      const column = focusColumn(name);
      const there = types.get(lower);
      return `${there ? valueOf(there) : emptyOf(column?.type ?? 'String')} AS ${identifier(name)}`;
    });
    const files = own.map(({ file }) => literal(file)).join(', ');
    return `SELECT ${list.join(', ')} FROM read_parquet([${files}], hive_partitioning = false)`;
  });
  if (scans.length === 0) {
    const empty = FOCUS_COLUMNS.map(({ name, type }) => `${emptyOf(type)} AS ${identifier(name)}`);
    scans.push(`SELECT ${empty.join(', ')} WHERE false`);
  }
  const limits = [
    ...(from === undefined ? [] : [`BillingPeriodStart >= TIMESTAMP '${from}-01'`]),
    ...(end === undefined ? [] : [`BillingPeriodStart < TIMESTAMP '${end}-01'`]),
  ];
  const all = scans.join(' UNION ALL ');
  return limits.length > 0 ? `SELECT * FROM (${all}) WHERE ${limits.join(' AND ')}` : all;
}

/** Columns outside FOCUS may have another type in each file: text, or JSON text, is what all of them have in common. */
function valueOf({ name, type }: { name: string; type: string }): string {
  const column = focusColumn(name);
  const own = identifier(name);
  const text = /^(MAP|STRUCT)\(|\[\]$/.test(type) ? `CAST(to_json(${own}) AS VARCHAR)` : `CAST(${own} AS VARCHAR)`;
  return column ? canonical(column, name, type) : text;
}

function emptyOf(type: FocusColumn['type']): string {
  return `CAST(NULL AS ${CANONICAL[type]})`;
}
