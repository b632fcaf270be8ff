import { createHash } from 'crypto';
import * as fs from 'fs';
import { pipeline } from 'stream/promises';

/** One file of a run. */
export interface ManifestFile {
  /** Relative to the run, with slashes. */
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The run that holds the bytes, and its name there: an earlier one when the file has not changed since. */
  readonly storedIn: string;
  readonly storedAs: string;
}

/** What manifest.json of a run says; the collector's and this command's have this in common. */
export interface Manifest {
  readonly schemaVersion: 1;
  readonly run: string;
  readonly files: ManifestFile[];
  /** The run before it: what makes the runs of a folder a chain. */
  readonly previous: { readonly run: string; readonly manifestSha256: string } | null;
  /** The SHA-256 of the manifest without this line. Manifests of older versions have none. */
  readonly selfSha256?: string;
}

export const MANIFEST = 'manifest.json';

const SELF = /^ "selfSha256": "([0-9a-f]{64})",\n/m;

/** Text with keys in order and one space for each level, as the collector's Python writes it. */
function text(value: object): string {
  const ordered = (_: string, one: unknown) =>
    one && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one;
  return `${JSON.stringify(value, ordered, 1)}\n`;
}

/** The text of manifest.json, with its own checksum in it. */
export function sealed(manifest: Omit<Manifest, 'selfSha256'> & object): string {
  const selfSha256 = createHash('sha256').update(text(manifest)).digest('hex');
  return text({ ...manifest, selfSha256 });
}

/** Whether the text is the one that was sealed; undefined when it was never sealed. */
export function selfCheck(raw: string): boolean | undefined {
  const noted = SELF.exec(raw)?.[1];
  return noted === undefined ? undefined : createHash('sha256').update(raw.replace(SELF, '')).digest('hex') === noted;
}

/** The SHA-256 of a file, read as a stream. */
export async function sha256Of(file: string): Promise<string> {
  const digest = createHash('sha256').setEncoding('hex');
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), digest);
  return digest.read() as string;
}
