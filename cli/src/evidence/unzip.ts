import * as fs from 'fs';
import { pipeline } from 'stream/promises';
import * as zlib from 'zlib';

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly bytes: number;
  readonly crc: number;
  readonly offset: number;
}

const [END, CENTRAL, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const STORED = 0;
const DEFLATED = 8;

/** The files of a zip archive (PKWARE APPNOTE 6.3), by the directory at its end. */
export function zipEntries(file: string): ZipEntry[] {
  const handle = fs.openSync(file, 'r');
  try {
    const { size } = fs.fstatSync(handle);
    const tail = read(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== END) {
      end--;
    }
    if (end < 0) {
      throw new Error('it is no zip archive, or its end is missing');
    }
    const count = tail.readUInt16LE(end + 10);
    const bytes = tail.readUInt32LE(end + 12);
    const start = tail.readUInt32LE(end + 16);
    if (count === 0xffff || start === 0xffffffff) {
      throw new Error('it is a zip64 archive: unpack it, or deliver gzip');
    }
    if (start + bytes > size) {
      throw new Error('the directory at its end is damaged');
    }
    const directory = read(handle, start, bytes);
    const entries: ZipEntry[] = [];
    for (let at = 0; at < directory.length && entries.length < count;) {
      if (directory.length < at + 46 || directory.readUInt32LE(at) !== CENTRAL) {
        throw new Error('the directory at its end is damaged');
      }
      const [name, extra, comment] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset));
      if (directory.readUInt16LE(at + 8) & 1) {
        throw new Error('it is encrypted');
      }
      entries.push({
        name: directory.toString('utf8', at + 46, at + 46 + name),
        method: directory.readUInt16LE(at + 10),
        crc: directory.readUInt32LE(at + 16),
        packed: directory.readUInt32LE(at + 20),
        bytes: directory.readUInt32LE(at + 24),
        offset: directory.readUInt32LE(at + 42),
      });
      at += 46 + name + extra + comment;
    }
    return entries.filter((entry) => !entry.name.endsWith('/'));
  } finally {
    fs.closeSync(handle);
  }
}

/** Unpacks one file, and fails when it is not what was packed. */
export async function unzip(file: string, entry: ZipEntry, to: string): Promise<void> {
  const handle = fs.openSync(file, 'r');
  let start: number;
  try {
    const local = read(handle, entry.offset, 30);
    if (local.length < 30 || local.readUInt32LE(0) !== LOCAL) {
      throw new Error(`${entry.name} is not where the directory says`);
    }
    start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  } finally {
    fs.closeSync(handle);
  }
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new Error(`${entry.name} is packed with method ${entry.method}, not with deflate`);
  }
  let [crc, bytes] = [0xffffffff, 0];
  const check = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const packed = entry.packed === 0 ? [] : fs.createReadStream(file, { start, end: start + entry.packed - 1 });
  const unpack = entry.method === DEFLATED ? [zlib.createInflateRaw()] : [];
  await pipeline([packed, ...unpack, check, fs.createWriteStream(to)] as never);
  if (bytes !== entry.bytes || (crc ^ 0xffffffff) >>> 0 !== entry.crc) {
    throw new Error(`${entry.name} is damaged: its checksum differs`);
  }
}

function read(handle: number, position: number, length: number): Buffer {
  const bytes = new Uint8Array(length);
  return Buffer.from(bytes.buffer, 0, fs.readSync(handle, bytes, 0, length, position));
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

/** Node has one from 22.2 on. */
function crc32(chunk: Buffer, crc: number): number {
  let value = crc;
  for (const byte of chunk) {
    value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
  return value;
}
