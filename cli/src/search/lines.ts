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
  let rest: Uint8Array[] = [];
  let number = 0;
  const line = (bytes: Uint8Array): Line => {
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    const start = number === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    number++;
    try {
      return { number, text: decoder.decode(bytes.subarray(start, end)) };
    } catch {
      return { number };
    }
  };
  let held = 0;
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield line(joined([...rest, chunk.subarray(from, at)]));
      [rest, held, from] = [[], 0, at + 1];
    }
    rest.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > LONGEST) {
      throw new Error(`line ${number + 1} is longer than ${LONGEST >> 20} MiB`);
    }
  }
  const last = joined(rest);
  if (last.length > 0) {
    yield line(last);
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) {
    return parts[0];
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
