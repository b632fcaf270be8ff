import { createHash } from 'crypto';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { usageError } from '../errors';
import { Recognised } from './focus/recognise';
import { Report } from './problems';
import { OWN_FOLDER } from './sources';

/** A converted file, as the note beside it says. */
export interface Converted extends Report {
  /** The Parquet file. */
  readonly file: string;
  readonly rows: number;
  /** Names and DuckDB's types. */
  readonly columns: { readonly name: string; readonly type: string }[];
  readonly recognised?: Recognised;
  /** The billing months in it, when it has billing periods. */
  readonly months?: string[];
}

/** Raised when what is written into the folder changes: older files are then converted again. */
const LAYOUT = 'v1';

/**
 * Parquet copies of CSV and JSON files, in a folder beside them. A copy belongs to one file of one size and one time of
 * change. Two commands may convert the same file at once: each writes under a name of its own, and the last rename wins.
 */
export class Cache {
  private constructor(
    public readonly folder: string,
    private readonly temporary: boolean,
  ) {}

  /** The folder that was named, or the one beside the evidence; a temporary one where nothing can be written. */
  public static open(root: string, named: string | undefined, note: (text: string) => void): Cache {
    const folder = path.resolve(named ?? path.join(root, OWN_FOLDER, 'parquet'));
    try {
      fs.mkdirSync(folder, { recursive: true });
      fs.accessSync(folder, fs.constants.W_OK);
      removeOld(folder);
      return new Cache(fs.realpathSync(folder), false);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      if (named !== undefined) {
        throw usageError(`--cache ${named}`, `It cannot be written to (${reason}).`, 'Pass a folder that can.');
      }
      note(`${folder} cannot be written to (${reason}): converted files are not kept. Pass --cache to keep them.`);
      return new Cache(fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'evidence-parquet-')), true);
    }
  }

  /** A name that no other process writes to. */
  public scratch(ending: string): string {
    return path.join(this.folder, `.${process.pid}-${Math.random().toString(36).slice(2)}${ending}`);
  }

  /** What was converted of a file as it is now. */
  public find(name: string, stat: fs.Stats): Converted | undefined {
    const note = this.path(name, stat, '.json');
    const file = this.path(name, stat, '.parquet');
    try {
      return {
        ...(JSON.parse(fs.readFileSync(note, 'utf8')) as Converted),
        file: fs.statSync(file).isFile() ? file : '',
      };
    } catch {
      return undefined; // Not converted yet, or somebody cleared the folder.
    }
  }

  /** Puts a converted file in its place, whole or not at all, and removes what was made of the file as it was before. */
  public keep(name: string, stat: fs.Stats, parquet: string, converted: Omit<Converted, 'file'>): Converted {
    const file = this.path(name, stat, '.parquet');
    const note = this.scratch('.json');
    fs.writeFileSync(note, JSON.stringify({ ...converted, source: name }));
    for (const written of [parquet, note]) {
      const handle = fs.openSync(written, 'r');
      fs.fsyncSync(handle);
      fs.closeSync(handle);
    }
    // The note last: a Parquet file without one counts as absent.
    fs.renameSync(parquet, file);
    fs.renameSync(note, this.path(name, stat, '.json'));
    const [own, prefix] = [path.basename(file, '.parquet'), `${this.prefix(name)}-`];
    for (const other of fs.readdirSync(this.folder)) {
      if (other.startsWith(prefix) && !other.startsWith(own)) {
        fs.rmSync(path.join(this.folder, other), { force: true });
      }
    }
    return { ...converted, file };
  }

  public close(): void {
    if (this.temporary) {
      fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private prefix(name: string): string {
    return createHash('sha256').update(`${LAYOUT} ${name}`).digest('hex').slice(0, 24);
  }

  private path(name: string, stat: fs.Stats, ending: string): string {
    return path.join(this.folder, `${this.prefix(name)}-${stat.size}-${Math.round(stat.mtimeMs * 1000)}${ending}`);
  }
}

/** Half-written files of commands that were killed a day ago or longer. */
function removeOld(folder: string): void {
  for (const name of fs.readdirSync(folder).filter((one) => one.startsWith('.'))) {
    const file = path.join(folder, name);
    const { mtimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > 86_400_000) {
      fs.rmSync(file, { force: true });
    }
  }
}
