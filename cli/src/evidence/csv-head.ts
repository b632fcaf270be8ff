import * as fs from 'fs';
import * as zlib from 'zlib';

/** How a CSV file is written, as its beginning shows. */
export interface CsvHead {
  readonly encoding: 'utf-8' | 'utf-16';
  readonly delimiter: string;
  /** Column names, made unique. */
  readonly names: string[];
  /** Names that stood there twice. */
  readonly repeated: string[];
  /** The first rows, of which the quirks of the file can be told. */
  readonly rows: string[][];
}

const HEAD_BYTES = 256 * 1024;
const DELIMITERS = [',', ';', '\t', '|'];

/** The first bytes of a file, unpacked when it is gzip. */
export function headOf(file: string): Uint8Array<ArrayBuffer> {
  const handle = fs.openSync(file, 'r');
  try {
    const buffer = new Uint8Array(HEAD_BYTES);
    const bytes = buffer.subarray(0, fs.readSync(handle, buffer, 0, HEAD_BYTES, 0));
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      // The end of a gzip file is not among these bytes: that is no error here.
      const unpacked = zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
      return new Uint8Array(unpacked).subarray(0, HEAD_BYTES);
    }
    return bytes;
  } finally {
    fs.closeSync(handle);
  }
}

/** Reads the head of a CSV file; undefined when it is empty. */
export function csvHead(file: string): CsvHead | undefined {
  const bytes = headOf(file);
  const encoding =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff) ? 'utf-16' : 'utf-8';
  const text = new TextDecoder(encoding === 'utf-8' ? 'utf-8' : bytes[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(
    bytes,
  );
  const firstLine = text.split(/\r?\n/, 1)[0];
  if (firstLine.trim() === '') {
    return undefined;
  }
  const count = (delimiter: string) => firstLine.split(delimiter).length;
  const delimiter = DELIMITERS.reduce((best, one) => (count(one) > count(best) ? one : best));
  const [header, ...rows] = records(text, delimiter);
  const repeated: string[] = [];
  const seen = new Map<string, number>();
  const names = header.map((raw, index) => {
    const name = raw.trim() || `column${index + 1}`;
    const times = (seen.get(name.toLowerCase()) ?? 0) + 1;
    seen.set(name.toLowerCase(), times);
    if (times > 1) {
      repeated.push(name);
    }
    return times > 1 ? `${name}_${times}` : name;
  });
  return { encoding, delimiter, names, repeated, rows: rows.slice(0, 1000) };
}

/** The complete records of a text; what stands behind the last line break may be half a record. */
function records(text: string, delimiter: string): string[][] {
  const found: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '"' && text[at + 1] === '"') {
        field += '"';
        at++;
      } else if (character === '"') {
        quoted = false;
      } else {
        field += character;
      }
    } else if (character === '"' && field === '') {
      quoted = true;
    } else if (character === delimiter) {
      record.push(field);
      field = '';
    } else if (character === '\n') {
      found.push([...record, field.replace(/\r$/, '')]);
      record = [];
      field = '';
    } else {
      field += character;
    }
  }
  // A file of one line has its header there.
  return found.length > 0 ? found : [[...record, field]];
}
