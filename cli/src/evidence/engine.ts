import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CliError } from '../errors';

/** The version in this package's optionalDependencies: the newest that is published for linux-arm64 too. */
export const DUCKDB = '@duckdb/node-api@1.5.5-r.5';

/** A part of the command's exit codes: sysexits.h's EX_UNAVAILABLE. */
const UNAVAILABLE = 69;

export interface EngineLimits {
  /** As DuckDB writes it, for example 2GB. @default 60 % of what this process may have */
  readonly memory?: string;
  /** How much may be spilled to the temporary folder. @default 10GB */
  readonly spill?: string;
}

/** One row, by column name; values as JSON has them. */
export type Row = Record<string, unknown>;

/** The type of the package, which may be absent. */
type DuckDb = typeof import('@duckdb/node-api');

/** Loads DuckDB, or says how to install it. */
export function loadDuckDb(load: () => DuckDb = () => require('@duckdb/node-api') as DuckDb): DuckDb {
  try {
    return load();
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new CliError(
      'evidence',
      `DuckDB, an optional part of this command, cannot be loaded: ${reason}.`,
      `Install it beside the command: npm install --global ${DUCKDB}`,
      UNAVAILABLE,
    );
  }
}

/** 60 % of the container's memory, or of the machine's: the rest is for Node and for what DuckDB does not count. */
export function defaultMemory(): string {
  const allowed = process.constrainedMemory?.() ?? 0;
  const total = allowed > 0 ? Math.min(allowed, os.totalmem()) : os.totalmem();
  return `${Math.floor((total * 0.6) / 2 ** 20)}MiB`;
}

/**
 * DuckDB in memory, with limits: never a database file, which NFS does not carry, and never a download.
 */
export class Engine {
  private constructor(
    public readonly duckdb: DuckDb,
    private readonly instance: DuckDBInstance,
    public readonly connection: DuckDBConnection,
    private readonly spillFolder: string,
  ) {}

  public static async open(limits: EngineLimits = {}): Promise<Engine> {
    const duckdb = loadDuckDb();
    const spillFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'evidence-spill-'));
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      memory_limit: limits.memory ?? defaultMemory(),
      temp_directory: spillFolder,
      max_temp_directory_size: limits.spill ?? '10GB',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    }).catch((error: Error) => {
      fs.rmSync(spillFolder, { recursive: true, force: true });
      throw new CliError(
        'DuckDB',
        `${error.message.split('\n')[0]}`,
        'Check --memory and --spill, for example 2GB.',
        64,
      );
    });
    const engine = new Engine(duckdb, instance, await instance.connect(), spillFolder);
    await engine.run("SET TimeZone = 'UTC'");
    // Else every file's place in the order costs memory, and no query here depends on it.
    await engine.run('SET preserve_insertion_order = false');
    return engine;
  }

  public async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  public async rows(sql: string): Promise<Row[]> {
    return (await this.connection.runAndReadAll(sql)).getRowObjectsJson();
  }

  /** From here on, only these folders can be read, nothing can be loaded, and no setting can be changed. */
  public async lock(folders: string[]): Promise<void> {
    await this.run(`SET allowed_directories = [${folders.map((folder) => literal(`${folder}/`)).join(', ')}]`);
    await this.run('SET enable_external_access = false');
    await this.run('SET lock_configuration = true');
  }

  public close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
    fs.rmSync(this.spillFolder, { recursive: true, force: true });
  }
}

/** A string in SQL. */
export function literal(text: string): string {
  return `'${text.replace(/'/g, "''")}'`;
}

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replace(/"/g, '""')}"`;
}
