import * as fs from 'fs';
import * as zlib from 'zlib';

/** A line of a file, from 1. Undefined text: it is no UTF-8. */
export interface Line {
  readonly number: number;
  readonly text?: string;
}

/** A line of more than this is cut: nothing that people search in has one. */
const LONGEST = 64 << 20;

/** The lines of a file, one at a time: memory does not grow with the file. A damaged .gz ends with its error. */
export async function* linesOf(file: string, onBytes?: (bytes: number) => void): AsyncGenerator<Line> {
  const raw = fs.createReadStream(file, { highWaterMark: 1 << 18 });
  raw.on('data', (chunk) => onBytes?.(chunk.length));
  const source = /\.gz$/i.test(file) ? raw.pipe(zlib.createGunzip()) : raw;
  raw.on('error', (error) => source.destroy(error));
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let [rest, number]: [Buffer[], number] = [[], 0];
  const line = (bytes: Buffer): Line => {
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    const start = number === 0 && bytes.subarray(0, 3).toString('hex') === 'efbbbf' ? 3 : 0;
    number++;
    try {
      return { number, text: decoder.decode(bytes.subarray(start, end)) };
    } catch {
      return { number };
    }
  };
  let held = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield line(Buffer.concat([...rest, chunk.subarray(from, at)]));
      [rest, held, from] = [[], 0, at + 1];
    }
    rest.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > LONGEST) {
      throw new Error(`line ${number + 1} is longer than ${LONGEST >> 20} MiB`);
    }
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) {
    yield line(last);
  }
}
