import { createHash } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import { Manifest, MANIFEST, ManifestFile, selfCheck, sha256Of } from './manifest';
import { OWN_FOLDER, requireFolder, runsOf } from './sources';

/** What is wrong with one file. */
export interface Finding {
  readonly what: 'missing' | 'changed' | 'truncated' | 'extra' | 'manifest' | 'unreadable';
  /** Relative to the path that was verified. */
  readonly file: string;
  readonly text: string;
}

/** The newest run of a folder. Whoever holds one from outside the volume can tell whether the end of a chain was cut. */
export interface Head {
  readonly folder: string;
  readonly run: string;
  readonly manifestSha256: string;
}

export interface Verified {
  readonly folders: number;
  readonly runs: number;
  readonly files: number;
  readonly bytes: number;
  readonly heads: Head[];
  readonly findings: Finding[];
  /** Folders with an unfinished run: of a writer at work, or of one that was killed. */
  readonly unfinished: string[];
  /** Manifests without a checksum of their own: a change of the newest one shows only against a head from outside. */
  readonly unsealed: number;
}

/** Reads every byte below a path and holds it against the manifests. Nothing is written. */
export async function verify(
  root: string,
  anchors: Head[] = [],
  working: (name: string) => void = () => {},
): Promise<Verified> {
  return new Verification(requireFolder(root), working).verify(anchors);
}

class Verification {
  private readonly findings: Finding[] = [];
  private readonly heads: Head[] = [];
  private readonly unfinished: string[] = [];
  private readonly manifests = new Map<string, string>();
  private readonly count = { folders: 0, runs: 0, files: 0, bytes: 0, unsealed: 0 };

  constructor(
    private readonly root: string,
    private readonly working: (name: string) => void,
  ) {}

  public async verify(anchors: Head[]): Promise<Verified> {
    await this.walk('');
    for (const { folder, run, manifestSha256 } of anchors) {
      const place = `${folder}/${run}/${MANIFEST}`;
      const now = this.manifests.get(place);
      if (now !== manifestSha256) {
        this.say(
          'manifest',
          place,
          now ? 'is not the one that was noted elsewhere' : 'was noted elsewhere, and is gone',
        );
      }
    }
    return { ...this.count, heads: this.heads, findings: this.findings, unfinished: this.unfinished };
  }

  private say(what: Finding['what'], file: string, text: string): void {
    this.findings.push({ what, file, text });
  }

  private async walk(folder: string): Promise<void> {
    const names = this.list(folder);
    const runs = runsOf(names);
    if (runs.length > 0) {
      await this.chain(folder, names, runs);
      return;
    }
    for (const name of names) {
      const below = folder ? `${folder}/${name}` : name;
      if (name.startsWith('.partial-')) {
        this.unfinished.push(below);
      } else if (name === OWN_FOLDER || name === '.lock') {
        continue;
      } else if (fs.lstatSync(path.join(this.root, below)).isDirectory()) {
        await this.walk(below);
      } else {
        this.say('extra', below, 'is in no run, so no manifest vouches for it');
      }
    }
  }

  private list(folder: string): string[] {
    try {
      return fs.readdirSync(path.join(this.root, folder)).sort();
    } catch (error) {
      this.say('unreadable', folder || '.', (error as Error).message);
      return [];
    }
  }

  private async chain(folder: string, names: string[], runs: string[]): Promise<void> {
    this.count.folders++;
    const join = (name: string) => (folder ? `${folder}/${name}` : name);
    let previous: Manifest['previous'] = null;
    // What the runs so far hold: where, and with which bytes.
    const stored = new Map<string, string>();
    for (const run of runs) {
      this.count.runs++;
      const manifestSha256 = await this.run(join(run), run, previous, stored);
      previous = { run, manifestSha256 };
    }
    this.heads.push({ folder, run: previous!.run, manifestSha256: previous!.manifestSha256 });
    // The collector's folders have one; before their first run was pointed to, none.
    if (/(^|\/)BILLING_PERIOD=[^/]*$/.test(folder) && runs.length > 1 && !names.includes('current')) {
      this.say('missing', join('current'), 'is missing');
    }
    for (const name of names.filter((one) => !runs.includes(one))) {
      if (name === 'current') {
        this.pointer(join(name), runs);
      } else if (name.startsWith('.partial-')) {
        this.unfinished.push(join(name));
      } else {
        this.say('extra', join(name), 'is in no run, so no manifest vouches for it');
      }
    }
  }

  /** A kill between the last two renames leaves it one run behind, which the next collector mends. */
  private pointer(file: string, runs: string[]): void {
    const full = path.join(this.root, file);
    const target = fs.lstatSync(full).isSymbolicLink() ? fs.readlinkSync(full) : undefined;
    if (target === undefined || !runs.slice(-2).includes(target)) {
      this.say('changed', file, `leads to ${target ?? 'nothing'}, not to the newest run`);
    }
  }

  /** Returns the SHA-256 of the manifest. */
  private async run(
    place: string,
    run: string,
    previous: Manifest['previous'],
    stored: Map<string, string>,
  ): Promise<string> {
    const file = `${place}/${MANIFEST}`;
    let raw: string;
    try {
      raw = fs.readFileSync(path.join(this.root, file), 'utf8');
    } catch (error) {
      const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      this.say(gone ? 'missing' : 'unreadable', file, gone ? 'is missing' : (error as Error).message);
      return '';
    }
    const digest = createHash('sha256').update(raw).digest('hex');
    this.manifests.set(file, digest);
    let manifest: Manifest;
    try {
      manifest = JSON.parse(raw) as Manifest;
      if (!manifest.files.every((entry) => entry.name && entry.sha256 && entry.storedIn && entry.storedAs)) {
        throw new Error('an entry of its files is incomplete');
      }
    } catch (error) {
      this.say('manifest', file, `is damaged: ${(error as Error).message}`);
      return digest;
    }
    const self = selfCheck(raw);
    if (self === undefined) {
      this.count.unsealed++;
    } else if (!self) {
      this.say('manifest', file, 'was changed: it does not have the checksum that it names');
    }
    if (manifest.run !== run || JSON.stringify(manifest.previous) !== JSON.stringify(ordered(previous))) {
      this.say('manifest', file, 'does not continue the run before it: that run, or this one, was changed or removed');
    }
    const there = new Set(this.below(place, ''));
    for (const entry of manifest.files) {
      await this.entry(place, run, entry, there, stored);
    }
    const named = new Set([MANIFEST, ...manifest.files.map(({ name }) => name)]);
    [...there]
      .filter((name) => !named.has(name))
      .forEach((name) => this.say('extra', `${place}/${name}`, 'is not in the manifest'));
    return digest;
  }

  /** Files of a run, folders walked through. */
  private below(place: string, folder: string): string[] {
    return this.list(folder ? `${place}/${folder}` : place).flatMap((name) => {
      const own = folder ? `${folder}/${name}` : name;
      return fs.lstatSync(path.join(this.root, place, own)).isDirectory() ? this.below(place, own) : [own];
    });
  }

  private async entry(
    place: string,
    run: string,
    entry: ManifestFile,
    there: Set<string>,
    stored: Map<string, string>,
  ) {
    const file = `${place}/${entry.name}`;
    const full = path.join(this.root, file);
    const content = `${entry.sha256} ${entry.bytes}`;
    if (!there.has(entry.name)) {
      this.say('missing', file, 'is missing');
      return;
    }
    const stat = fs.lstatSync(full);
    if (entry.storedIn !== run || entry.storedAs !== entry.name) {
      const up = '../'.repeat(1 + entry.name.split('/').length - 1);
      const leads = stat.isSymbolicLink() && fs.readlinkSync(full) === `${up}${entry.storedIn}/${entry.storedAs}`;
      if (!leads || stored.get(`${entry.storedIn}/${entry.storedAs}`) !== content) {
        this.say('changed', file, 'does not lead to the same bytes in an earlier run');
      }
      return;
    }
    stored.set(`${run}/${entry.name}`, content);
    this.working(file);
    this.count.files++;
    this.count.bytes += stat.size;
    if (!stat.isFile()) {
      this.say('changed', file, 'is no file of its own any more');
    } else if (stat.size < entry.bytes) {
      this.say('truncated', file, `has ${stat.size} bytes; it had ${entry.bytes}`);
    } else if (stat.size > entry.bytes) {
      this.say('changed', file, `has ${stat.size} bytes; it had ${entry.bytes}`);
    } else {
      try {
        if ((await sha256Of(full)) !== entry.sha256) {
          this.say('changed', file, 'has other bytes, as many as it had');
        }
      } catch (error) {
        this.say('unreadable', file, (error as Error).message);
      }
    }
  }
}

/** In the order of keys that manifests have. */
function ordered(previous: Manifest['previous']): Manifest['previous'] {
  return previous && { manifestSha256: previous.manifestSha256, run: previous.run };
}
