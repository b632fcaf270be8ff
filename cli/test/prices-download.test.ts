import { gzipSync } from 'zlib';
import { CliError } from '../src/errors';
import { Clock } from '../src/io';
import { download, NoSuchFile, Restart } from '../src/prices/download';
import { dropAfter, PriceListServer, stallAfter, status } from './prices/price-list-server';

const FILE = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
const PATH = '/offers/v1.0/aws/AmazonEFS/current/eu-west-1/index.json';

let server: PriceListServer;
let notes: string[];
let pauses: number[];

const clock: Clock = {
  now: () => 0,
  sleep: (ms) => {
    pauses.push(ms);
    return Promise.resolve();
  },
};

beforeEach(async () => {
  server = await PriceListServer.start();
  server.serve('AmazonEFS', 'eu-west-1', FILE, '"1"');
  notes = [];
  pauses = [];
});

afterEach(() => server.stop());

async function fetched(base = server.url): Promise<string> {
  const transfer = { clock, note: (line: string) => notes.push(line), progress: () => {}, patienceMs: 200 };
  const pieces: Uint8Array[] = [];
  for await (const piece of download(new URL(PATH, base), transfer)) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function answers(...list: Parameters<PriceListServer['next']>[2][]): void {
  server.next('AmazonEFS', 'eu-west-1', ...list);
}

test('a file comes whole, with how much of it has come', async () => {
  const seen: [number, number | undefined][] = [];
  const transfer = { clock, note: () => {}, patienceMs: 200 };
  const progress = (received: number, total: number | undefined) => seen.push([received, total]);
  let text = '';
  for await (const piece of download(new URL(PATH, server.url), { ...transfer, progress })) {
    text += Buffer.from(piece).toString();
  }
  expect(text).toBe(FILE);
  expect(seen.at(-1)).toEqual([FILE.length, FILE.length]);
});

test('a dropped connection is taken up where it broke, each time', async () => {
  answers(dropAfter(100_000));
  expect(await fetched()).toBe(FILE);
  expect(server.asked).toEqual([PATH, expect.stringMatching(/ bytes=\d+-$/)]);
  expect(server.asked[1]).not.toContain('bytes=0-');
  expect(notes).toEqual([`${PATH}: the connection broke (ECONNRESET); trying again in 1 s`]);
});

test('a silent server is asked again for the rest', async () => {
  answers(stallAfter(100_000));
  expect(await fetched()).toBe(FILE);
  expect(server.asked).toHaveLength(2);
  expect(notes).toHaveLength(1);
});

test('a server that never answers is given up, in growing pauses', async () => {
  answers(...Array.from({ length: 6 }, () => () => {}));
  await expect(fetched()).rejects.toThrow('The file could not be read: the server was silent for 0.2 s.');
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16000]);
});

test('a failing server is asked again', async () => {
  answers(status(500), status(503), status(429));
  expect(await fetched()).toBe(FILE);
  expect(pauses).toEqual([1000, 2000, 4000]);
});

test('a file that was replaced since is not continued', async () => {
  answers(dropAfter(100_000), (response, file) => {
    response.writeHead(200, { etag: '"2"', 'content-length': file.length }).end(file);
  });
  await expect(fetched()).rejects.toThrow(
    new Restart('the file was replaced meanwhile, or the server gives no parts of files'),
  );
});

test('without a validator a file is not continued', async () => {
  server.serve('AmazonEFS', 'eu-west-1', FILE);
  answers(dropAfter(100_000));
  await expect(fetched()).rejects.toThrow(/does not say whether a later part is of the same file/);
  expect(server.asked).toHaveLength(1);
});

test('another part than asked for is not taken', async () => {
  answers(dropAfter(100_000), (response, file) => {
    response.writeHead(206, { 'content-range': `bytes 5-${file.length - 1}/${file.length}` }).end(file.subarray(5));
  });
  await expect(fetched()).rejects.toThrow(new Restart('the server sent another part than asked for'));
});

describe('compressed', () => {
  const COMPRESSED = gzipSync(FILE);

  test('a file is unpacked, and continued when the connection breaks', async () => {
    server.serve('AmazonEFS', 'eu-west-1', COMPRESSED, '"1"');
    answers(dropAfter(20_000));
    expect(await fetched()).toBe(FILE);
    expect(server.asked).toHaveLength(2);
  });

  test('a damaged file is begun anew', async () => {
    server.serve('AmazonEFS', 'eu-west-1', COMPRESSED.subarray(0, 20_000), '"1"');
    await expect(fetched()).rejects.toThrow(new Restart('the compressed file is damaged'));
  });

  test('a failure underneath keeps its message', async () => {
    server.serve('AmazonEFS', 'eu-west-1', COMPRESSED, '"1"');
    answers(dropAfter(20_000), ...Array.from({ length: 6 }, () => status(500)));
    await expect(fetched()).rejects.toThrow('The file could not be read: HTTP status 500.');
  });
});

test('what is not there is said so, without trying again', async () => {
  answers(status(403));
  await expect(fetched()).rejects.toThrow(NoSuchFile);
  answers(status(404));
  await expect(fetched()).rejects.toThrow(NoSuchFile);
  expect(pauses).toEqual([]);
});

test('an answer that makes no sense names the endpoint', async () => {
  answers(status(302));
  await expect(fetched()).rejects.toThrow(/HTTP status 302.*--endpoint/);
});

test('without a network the message is clear and comes soon', async () => {
  const { url } = server;
  await server.stop();
  const failure = await fetched(url).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CliError);
  expect((failure as CliError).message).toMatch(
    /^\[http.*index.json\] The server cannot be reached: .*ECONNREFUSED.* Look whether this machine is on the network/,
  );
  expect(pauses).toEqual([1000, 2000]);
  server = await PriceListServer.start();
});

test('what is no web server is no defect of the command', async () => {
  answers((response) => response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'));
  await expect(fetched()).rejects.toThrow(/could not be read: Parse Error.*--endpoint/);
});
