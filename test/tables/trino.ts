import { ChildProcessWithoutNullStreams, spawn } from 'child_process';
import * as readline from 'readline';

/** What a statement answers: every value as text, as Athena gives it. */
export interface Answer {
  readonly columns: string[];
  readonly types: string[];
  readonly rows: (string | null)[][];
}

/** Trino in a process of its own; see trino/src/main/java/TrinoForTests.java. */
export class Trino {
  /** @param catalogs their names, as statements write them */
  public static async start(...catalogs: string[]): Promise<Trino> {
    const classPath = process.env.TRINO_CLASS_PATH;
    if (!classPath) {
      throw new Error('TRINO_CLASS_PATH is not set. Run npm run test:tables, which sets it.');
    }
    const child = spawn('java', ['-Xmx1g', '-cp', classPath, 'TrinoForTests', ...catalogs], {
      stdio: ['pipe', 'pipe', 'ignore'],
    }) as unknown as ChildProcessWithoutNullStreams;
    const trino = new Trino(child);
    await trino.next();
    return trino;
  }

  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  public async query(sql: string): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify({ sql })}\n`);
    const answer = JSON.parse(await this.next()) as Answer & { error?: string };
    if (answer.error !== undefined) {
      throw new Error(`${answer.error}\n${sql.slice(0, 2000)}`);
    }
    return answer;
  }

  /** The one value of the one row. */
  public async value(sql: string): Promise<string | null> {
    return (await this.query(sql)).rows[0][0];
  }

  public stop(): void {
    this.child.kill();
  }

  private async next(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done) {
      throw new Error('Trino ended before it answered.');
    }
    return value;
  }
}
