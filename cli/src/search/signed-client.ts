import { createHash, createHmac, Hash, Hmac } from 'crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { CliError, usageError } from '../errors';
import { Clock } from '../io';
import { checkInterrupted } from '../undo';

/** Keys, or what gets new ones when they expire. */
export type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials'];

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Milliseconds that the service asks to be left alone. */
  readonly retryAfter?: number;
}

/** What the signer wants of a hash, from Node's own. */
class Sha256 {
  private hash: Hash | Hmac;

  constructor(private readonly secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = this.fresh();
  }

  public update(data: Uint8Array): void {
    this.hash.update(data);
  }

  public async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.hash.digest() as unknown as Uint8Array);
  }

  public reset(): void {
    this.hash = this.fresh();
  }

  private fresh(): Hash | Hmac {
    if (this.secret === undefined) {
      return createHash('sha256');
    }
    const key = this.secret;
    return createHmac(
      'sha256',
      typeof key === 'string'
        ? key
        : ArrayBuffer.isView(key)
          ? new Uint8Array(key.buffer, key.byteOffset, key.byteLength)
          : new Uint8Array(key),
    );
  }
}

/** A request may take as long as a collection takes to wake, and then do its work. */
const TIMEOUT = 90_000;
/** This long without any progress, and the command gives up; running it again goes on. */
const PATIENCE = 600_000;
const LONGEST_WAIT = 30_000;

/** Whether the service asked for patience, or is waking up. */
export const isBusy = (status: number) => status === 429 || status === 502 || status === 503 || status === 504;

/** Talks to a collection: each request is signed (SigV4, service aoss), and made again when the service is busy. */
export class SignedClient {
  private readonly signer: SignatureV4;
  private readonly url: URL;

  constructor(
    endpoint: string,
    region: string,
    credentials: Credentials,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    /** Told of every wait. */
    private readonly waiting: (why: string) => void,
  ) {
    this.url = requireEndpoint(endpoint);
    this.signer = new SignatureV4({ service: 'aoss', region, credentials, sha256: Sha256 });
  }

  /** The answer, whatever its status, once the service is not busy any more. */
  public async request(method: string, path: string, body?: string): Promise<Answer> {
    const until = this.clock.now() + PATIENCE;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.once(method, path, body);
      if (!isBusy(answer.status) && answer.status !== 0) {
        return answer;
      }
      await this.pause(attempt, answer, until, `${method} ${path}`);
    }
  }

  /** Waits longer each time, or as long as the service asks. Gives up after ten minutes. */
  public async pause(attempt: number, answer: Answer, until: number, what: string): Promise<void> {
    const why = answer.status === 0 ? answer.body : `${answer.status} ${firstWords(answer.body)}`;
    if (this.clock.now() >= until) {
      throw new CliError(
        this.url.host,
        `It refused ${what} for ${PATIENCE / 60_000} minutes, at last with: ${why}.`,
        'Nothing is lost: run the command again later, and it goes on where it ended. Raise maxIndexingOcu when it happens often.',
      );
    }
    const growing = Math.min(LONGEST_WAIT, 1000 * 2 ** attempt);
    // Each waits a little differently, so that several do not come back at once.
    const wait = answer.retryAfter ?? growing / 2 + (Math.random() * growing) / 2;
    this.waiting(`${why}: waiting ${(wait / 1000).toFixed(1)} s`);
    await this.clock.sleep(wait, this.signal);
    checkInterrupted(this.signal);
  }

  /** Once. Status 0: no answer came. */
  public async once(method: string, path: string, body?: string): Promise<Answer> {
    checkInterrupted(this.signal);
    const signed = await this.signer.sign({
      method,
      protocol: this.url.protocol,
      hostname: this.url.hostname,
      port: this.url.port === '' ? undefined : Number(this.url.port),
      path,
      headers: {
        host: this.url.host,
        ...(body !== undefined && {
          'content-type': path.endsWith('_bulk') ? 'application/x-ndjson' : 'application/json',
        }),
      },
      body,
    });
    const controller = new AbortController();
    const stop = () => controller.abort(new Error(`no answer within ${TIMEOUT / 1000} s`));
    const timer = setTimeout(stop, TIMEOUT);
    this.signal.addEventListener('abort', stop);
    try {
      const answer = await fetch(new URL(path, this.url), {
        method,
        headers: signed.headers,
        body,
        signal: controller.signal,
      });
      const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
      return {
        status: answer.status,
        body: await answer.text(),
        retryAfter: Number.isFinite(retryAfter) ? Math.min(60, retryAfter) * 1000 : undefined,
      };
    } catch (error) {
      checkInterrupted(this.signal);
      const { message, cause } = error as Error & { cause?: Error };
      return { status: 0, body: cause?.message ?? message };
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener('abort', stop);
    }
  }
}

export function firstWords(body: string): string {
  return body.replace(/\s+/g, ' ').slice(0, 200).trim();
}

function requireEndpoint(endpoint: string): URL {
  const wayOut = 'Pass the output SearchEndpoint of the stack, https://<id>.<region>.aoss.amazonaws.com, or --stack.';
  if (!URL.canParse(endpoint)) {
    throw usageError(`--endpoint ${endpoint}`, 'It is no address.', wayOut);
  }
  const url = new URL(endpoint);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if ((url.protocol !== 'https:' && !(local && url.protocol === 'http:')) || url.pathname !== '/' || url.search) {
    throw usageError(`--endpoint ${endpoint}`, 'It is not scheme https and a host alone.', wayOut);
  }
  return url;
}
