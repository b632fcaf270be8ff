import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { FocusData, focusSelect, FOCUS_CSV } from '../../../bench/focus-data';
import { Engine, literal } from '../../src/evidence/engine';
import { main } from '../../src/main';

/** DuckDB is optional: without it these tests cannot run, and must not pass silently. */
export const describeWithDuckDb: jest.Describe = hasDuckDb() ? describe : describe.skip;

function hasDuckDb(): boolean {
  try {
    require('@duckdb/node-api');
    return true;
  } catch (error) {
    process.stderr.write(`\nSKIPPED: evidence tests need DuckDB (npm install): ${(error as Error).message}\n`);
    return false;
  }
}

/** A folder for one test. */
export class Folder {
  public readonly root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'evidence-test-')));
  public out: string[] = [];
  public notes: string[] = [];

  public at(name: string): string {
    return path.join(this.root, name);
  }

  public write(name: string, content: string | Uint8Array): string {
    fs.mkdirSync(path.dirname(this.at(name)), { recursive: true });
    fs.writeFileSync(this.at(name), content);
    return this.at(name);
  }

  /** Runs `efs-data-layer evidence …`. */
  public async run(...args: string[]): Promise<number> {
    this.out = [];
    this.notes = [];
    return main(['evidence', ...args], {
      io: { out: (line) => this.out.push(line), note: (line) => this.notes.push(line) },
      clock: { now: () => Date.UTC(2026, 10, 25, 6), sleep: async () => {} },
    });
  }

  /** The rows of a question, which must be answered. */
  public async ask(question: string, ...args: string[]): Promise<Record<string, unknown>[]> {
    const code = await this.run('query', question, '--dir', this.root, '--json', ...args);
    if (code !== 0 && code !== 65) {
      throw new Error(`exit code ${code}: ${this.said}`);
    }
    return this.out.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  public get said(): string {
    return this.notes.join('\n');
  }

  public remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}

/** Writes generated FOCUS data as CSV, Parquet or JSON lines, by the ending of the name; a SELECT may change it. */
export async function generate(file: string, data: FocusData, change = 'SELECT * FROM data'): Promise<void> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const engine = await Engine.open();
  const format = file.endsWith('.parquet') ? '(FORMAT parquet)' : /\.csv/.test(file) ? FOCUS_CSV : '(FORMAT json)';
  await engine.run(`COPY (WITH data AS (${focusSelect(data)}) ${change}) TO ${literal(file)} ${format}`);
  engine.close();
}
