/** A line of the mover, as it writes them into the log. */
interface MoverEvent {
  readonly mover?: string;
  readonly [field: string]: unknown;
}

const number = (value: unknown): string => Number(value).toLocaleString('en-US');

/** For people: a progress line, a table, the report. Lines of others go through as they are. */
export function renderMover(line: string): string | undefined {
  let event: MoverEvent;
  try {
    event = JSON.parse(line) as MoverEvent;
  } catch {
    return line;
  }
  switch (event?.mover) {
    case undefined:
      return line;
    case 'progress':
      return `  ${event.table}: ${event.doing} ${number(event.rows)} of ${number(event.of)} rows, ${number(event.rows_per_s)} rows/s, about ${number(event.left_s)} s left`;
    case 'table':
      return `  ${event.table}: ${number(event.rows)} of ${number(event.of)} rows`;
    case 'anomaly':
      return `  ${event.kind} in ${event.table}, row ${event.rowid}: ${event.what} (${event.done})`;
    case 'report':
      return report(event);
    default:
      return typeof event.message === 'string' ? event.message : line;
  }
}

function report(event: MoverEvent): string {
  type Counts = { [name: string]: { rows: number; moved?: number } };
  // A collection of embeddings is copied whole or not at all.
  const counts = { ...(event.tables as Counts), ...(event.collections as Counts) };
  const tables = Object.entries(counts).map(([name, { rows, moved = rows }]) => [name, { rows, moved }] as const);
  const total = tables.reduce((sum, [, { moved }]) => sum + moved, 0);
  const left = tables.filter(([, { rows, moved }]) => rows !== moved);
  const lines = [
    `${event.source} -> ${event.target}: ${event.result}, ${number(total)} rows in ${tables.length} ${event.collections ? 'collections' : 'tables'}`,
  ];
  for (const [name, { rows, moved }] of left) {
    lines.push(`  ${name}: ${number(rows - moved)} of ${number(rows)} rows left out`);
  }
  for (const [kind, counts] of Object.entries(
    (event.anomalies ?? {}) as { [kind: string]: { [word: string]: number } },
  )) {
    lines.push(
      `  ${kind}: ${Object.entries(counts)
        .map(([word, count]) => `${number(count)} ${word}`)
        .join(', ')}`,
    );
  }
  if (event.quarantine) {
    lines.push(`  rows as they were: ${event.quarantine}`);
  }
  if (event.dropped_rows !== undefined) {
    lines.push(`  ${number(event.dropped_rows)} rows made or changed since the move are dropped`);
  }
  return lines.join('\n');
}
