import { Engine, identifier, literal } from './engine';
import { columnsOf, FocusVersion } from './focus/columns';

/** How many values of a closed list are named in one message. */
const NAMED = 5;

/** What the rows of a Parquet file of costs have that FOCUS does not allow: empty values and values of no list. */
export async function valueDifferences(engine: Engine, file: string, names: string[], version: FocusVersion) {
  const lower = new Map(names.map((name) => [name.toLowerCase(), name]));
  const present = columnsOf(version).filter(({ name }) => lower.has(name.toLowerCase()));
  const required = present.filter(({ nullable }) => !nullable);
  const from = `FROM read_parquet(${literal(file)})`;
  const found: string[] = [];
  if (required.length > 0) {
    const counts = required.map(({ name }) => `count(${identifier(lower.get(name.toLowerCase())!)})`);
    const [row] = await engine.rows(`SELECT count(*) AS n, [${counts.join(', ')}] AS filled ${from}`);
    required.forEach(({ name }, index) => {
      const empty = Number(row.n) - Number((row.filled as unknown[])[index]);
      if (empty > 0) {
        found.push(`${name} must not be empty, and is in ${empty} rows`);
      }
    });
  }
  for (const { name, allowed } of present) {
    if (allowed) {
      const own = identifier(lower.get(name.toLowerCase())!);
      const list = allowed.map(literal).join(', ');
      const rows = await engine.rows(
        `SELECT ${own} AS value, count(*) AS n ${from} WHERE ${own} NOT IN (${list}) GROUP BY 1 ORDER BY 2 DESC, 1`,
      );
      if (rows.length > 0) {
        const named = rows.slice(0, NAMED).map(({ value, n }) => `${JSON.stringify(value)} (${n} rows)`);
        found.push(`${name} has values that FOCUS does not know: ${named.join(', ')}`);
      }
    }
  }
  return found;
}
