import * as fs from 'fs';
import * as readline from 'readline';
import * as zlib from 'zlib';
import { Problem, Report, SHOWN } from './problems';

/**
 * The lines of a file of JSON lines that are no JSON, after DuckDB has refused it. None of a file that is one JSON
 * array over many lines: a hole in it leaves nothing that could be trusted.
 */
export async function damagedLines(file: string, name: string): Promise<Pick<Report, 'problems' | 'leftOut'>> {
  const problems: Problem[] = [];
  let [leftOut, good, number] = [0, 0, 0];
  const bytes = fs.createReadStream(file);
  const input = /\.gz$/i.test(file) ? bytes.pipe(zlib.createGunzip()) : bytes;
  for await (const line of readline.createInterface({ input, crlfDelay: Infinity })) {
    number++;
    if (line.trim() === '') {
      continue;
    }
    try {
      JSON.parse(line);
      good++;
    } catch (error) {
      leftOut++;
      if (problems.length < SHOWN) {
        problems.push({ file: name, line: number, text: `${(error as Error).message}; left out` });
      }
    }
  }
  return good > 0 && !(await startsAsArray(file)) ? { problems, leftOut } : { problems: [], leftOut: 0 };
}

async function startsAsArray(file: string): Promise<boolean> {
  if (/\.gz$/i.test(file)) {
    return false;
  }
  const handle = await fs.promises.open(file, 'r');
  try {
    const { buffer } = await handle.read(new Uint8Array(64), 0, 64, 0);
    return new TextDecoder().decode(buffer).trimStart().startsWith('[');
  } finally {
    await handle.close();
  }
}
