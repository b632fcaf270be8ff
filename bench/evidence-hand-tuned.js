// One SELECT over one file with DuckDB as it comes, for the benchmark: node evidence-hand-tuned.js SQL FILE.
async function run() {
  const [sql, file] = process.argv.slice(2);
  const start = Date.now();
  const { DuckDBInstance } = require('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(sql.replaceAll('$FILE', file));
  for (const row of reader.getRowsJson()) {
    console.log(row.join(','));
  }
  console.error(JSON.stringify({ seconds: (Date.now() - start) / 1000 }));
}

run();
