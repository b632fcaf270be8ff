import * as http from 'http';
import * as https from 'https';
import { pipeline, Readable } from 'stream';
import { createGunzip } from 'zlib';
import { CliError } from '../errors';
import { Clock } from '../io';

/** Tries for one piece of a file; every byte that arrives starts the count anew. */
const TRIES = 6;
/** Without a network there is no need to wait long for the message. */
const TRIES_UNREACHABLE = 3;

/** There is no such file. */
export class NoSuchFile extends Error {}

/** What was received cannot be continued: the file changed, or the server gives no part of it. */
export class Restart extends Error {}

export interface Transfer {
  readonly clock: Clock;
  /** Told of what is tried again. */
  note(line: string): void;
  /** Told of every piece: bytes received, and of how many, where the server says so. */
  progress(received: number, total: number | undefined): void;
  /** How long a server may be silent, in milliseconds. */
  readonly patienceMs: number;
}

/** Something that may well go better when tried again. */
class Retryable extends Error {
  constructor(
    message: string,
    public readonly unreachable = false,
  ) {
    super(message);
  }
}

/**
 * The contents of a file. A dropped or silent connection is taken up where it broke, after a pause that grows.
 *
 * @throws NoSuchFile, Restart, or CliError when there is no use in going on
 */
export async function* download(url: URL, transfer: Transfer): AsyncGenerator<Uint8Array> {
  const pieces = received(url, transfer);
  const first = await pieces.next();
  if (first.done) {
    return;
  }
  const whole = chain(first.value, pieces);
  // JSON never begins so: the file is compressed, whether the server says so or not.
  const compressed = first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!compressed) {
    yield* whole;
    return;
  }
  try {
    yield* pipeline(Readable.from(whole), createGunzip(), () => {});
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw code.startsWith('Z_') ? new Restart('the compressed file is damaged') : error;
  }
}

/** Ends the rest too when the reader leaves at the first piece. */
async function* chain(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* received(url: URL, transfer: Transfer): AsyncGenerator<Uint8Array> {
  const { clock, note } = transfer;
  let offset = 0;
  let validator: string | undefined;
  let failures = 0;
  for (;;) {
    if (offset > 0 && validator === undefined) {
      throw new Restart('the server does not say whether a later part is of the same file');
    }
    try {
      const response = await request(url, offset, validator, transfer.patienceMs);
      try {
        const total = totalOf(response, offset);
        validator = validatorOf(response);
        for await (const piece of response as AsyncIterable<Uint8Array>) {
          offset += piece.length;
          failures = 0;
          transfer.progress(offset, total);
          yield piece;
        }
        if (total !== undefined && offset < total) {
          throw new Retryable(`the connection ended after ${offset} of ${total} bytes`);
        }
        return;
      } finally {
        response.destroy();
      }
    } catch (error) {
      const retryable = asRetryable(url, error);
      failures += 1;
      if (failures >= (retryable.unreachable ? TRIES_UNREACHABLE : TRIES)) {
        throw givenUp(url, retryable);
      }
      const seconds = 2 ** (failures - 1);
      note(`${url.pathname}: ${retryable.message}; trying again in ${seconds} s`);
      await clock.sleep(seconds * 1000);
    }
  }
}

function request(
  url: URL,
  offset: number,
  validator: string | undefined,
  patienceMs: number,
): Promise<http.IncomingMessage> {
  const { get } = url.protocol === 'https:' ? https : http;
  const part = offset > 0 ? { range: `bytes=${offset}-`, 'if-range': validator } : {};
  return new Promise((resolve, reject) => {
    // A connection kept for later would keep the command from ending.
    const asked = get(url, { headers: { 'accept-encoding': 'gzip', ...part }, agent: false, timeout: patienceMs });
    asked.on('response', resolve);
    asked.on('error', reject);
    asked.on('timeout', () => asked.destroy(new Retryable(`the server was silent for ${patienceMs / 1000} s`)));
  });
}

/** Judges an answer. @returns how many bytes the whole file has, where the server says so */
function totalOf({ statusCode = 0, headers }: http.IncomingMessage, offset: number): number | undefined {
  if (statusCode === 206 && offset > 0) {
    const [, begin, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (Number(begin) !== offset) {
      throw new Restart('the server sent another part than asked for');
    }
    return Number(total) || undefined;
  }
  if (statusCode === 200 && offset === 0) {
    return Number(headers['content-length']) || undefined;
  }
  if (statusCode === 200 || statusCode === 416) {
    throw new Restart('the file was replaced meanwhile, or the server gives no parts of files');
  }
  // Amazon S3, behind the price list, answers 403 for what is not there.
  if (statusCode === 404 || statusCode === 403) {
    throw new NoSuchFile(`HTTP status ${statusCode}`);
  }
  if (statusCode === 408 || statusCode === 429 || statusCode >= 500) {
    throw new Retryable(`HTTP status ${statusCode}`);
  }
  throw new CliError(
    'price list',
    `The server answered with HTTP status ${statusCode}.`,
    'Look whether --endpoint names a server with the files of the AWS price list.',
  );
}

/** What says that a later part is of the same file. A weak tag does not. */
function validatorOf({ headers }: http.IncomingMessage): string | undefined {
  const { etag, 'last-modified': modified } = headers;
  return etag !== undefined && !etag.startsWith('W/') ? etag : modified;
}

const UNREACHABLE = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN'];
const DROPPED = ['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_EOF_STATE'];

/** @throws what is no use to try again */
function asRetryable(url: URL, error: unknown): Retryable {
  if (error instanceof Retryable) {
    return error;
  }
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (UNREACHABLE.includes(code)) {
    return new Retryable(message || code, true);
  }
  if (DROPPED.includes(code) || message === 'aborted') {
    return new Retryable(`the connection broke (${code || message})`);
  }
  if (code !== '') {
    // Such as a certificate that is not trusted, or an answer that is not HTTP.
    throw new CliError(
      url.href,
      `The file could not be read: ${message} (${code}).`,
      'Look at --endpoint and the network.',
    );
  }
  throw error;
}

function givenUp(url: URL, { message, unreachable }: Retryable): CliError {
  return new CliError(
    url.href,
    unreachable ? `The server cannot be reached: ${message}.` : `The file could not be read: ${message}.`,
    unreachable
      ? 'Look whether this machine is on the network, or name a mirror with --endpoint; the price books are as they were.'
      : 'Run the command again later; the price books are as they were.',
  );
}
