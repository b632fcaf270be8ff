import { CliError } from '../errors';
import { Clock } from '../io';
import { Answer, firstWords, isBusy, SignedClient } from './signed-client';

/** One action of a bulk request, and whom to tell when the service will not have it. */
export interface Action {
  readonly id: string;
  /** Undefined: it is deleted. */
  readonly document?: object;
  refused(why: string): void;
}

interface Item {
  readonly status: number;
  readonly error?: {
    readonly type?: string;
    readonly reason?: string;
    readonly caused_by?: { readonly reason?: string };
  };
}

/** Below the 10 MiB that AWS names as the usual limit of a request; it adapts below that. */
const LARGEST = 4 << 20;
const SMALLEST = 64 << 10;
const MOST_ACTIONS = 1000;

interface Waiting extends Action {
  readonly lines: string;
  readonly bytes: number;
}

/**
 * Collects actions and sends them in bulk. Every action names its id, so that one that is sent twice does nothing the
 * second time: after a broken connection or a busy service it is simply sent again.
 */
export class Bulk {
  private waiting: Waiting[] = [];
  private bytes = 0;
  private limit = LARGEST;
  /** Actions that the service has taken. */
  public taken = 0;
  public requests = 0;

  constructor(
    private readonly client: SignedClient,
    private readonly index: string,
    private readonly clock: Clock,
  ) {}

  public async add(action: Action): Promise<void> {
    const head = action.document ? { index: { _id: action.id } } : { delete: { _id: action.id } };
    const lines = `${JSON.stringify(head)}\n${action.document ? `${JSON.stringify(action.document)}\n` : ''}`;
    this.waiting.push({ ...action, lines, bytes: Buffer.byteLength(lines), refused: (why) => action.refused(why) });
    this.bytes += this.waiting[this.waiting.length - 1].bytes;
    if (this.bytes >= this.limit || this.waiting.length >= MOST_ACTIONS) {
      await this.flush();
    }
  }

  /** Returns when everything was taken, or refused for good. */
  public async flush(): Promise<void> {
    const until = this.clock.now() + 600_000;
    for (let attempt = 0; this.waiting.length > 0;) {
      const batch = this.nextBatch();
      const answer = await this.client.once('POST', `/${this.index}/_bulk`, batch.map(({ lines }) => lines).join(''));
      this.requests++;
      if (answer.status === 413) {
        this.tooLarge(batch);
        continue;
      }
      if (answer.status === 0 || isBusy(answer.status)) {
        this.slower();
        await this.client.pause(attempt++, answer, until, 'documents');
        continue;
      }
      const again = this.settle(batch, answer);
      this.drop(batch.length);
      if (again.length === 0) {
        attempt = 0;
        this.limit = Math.min(LARGEST, Math.ceil(this.limit * 1.25));
        continue;
      }
      // Some were refused for being too many: those alone are sent again.
      this.waiting = [...again, ...this.waiting];
      this.bytes += total(again);
      this.slower();
      attempt = again.length < batch.length ? 0 : attempt + 1;
      await this.client.pause(
        attempt,
        { ...answer, status: 429, body: `${again.length} documents` },
        until,
        'documents',
      );
    }
  }

  private nextBatch(): Waiting[] {
    let bytes = 0;
    const end = this.waiting.findIndex((one, at) => (bytes += one.bytes) > this.limit && at > 0);
    return end < 0 ? [...this.waiting] : this.waiting.slice(0, end);
  }

  private drop(count: number): void {
    this.bytes -= total(this.waiting.slice(0, count));
    this.waiting = this.waiting.slice(count);
  }

  private slower(): void {
    this.limit = Math.max(SMALLEST, Math.floor(this.limit / 2));
  }

  private tooLarge(batch: Waiting[]): void {
    if (batch.length > 1) {
      this.limit = Math.max(1, Math.floor(Math.min(this.limit, total(batch)) / 2));
      return;
    }
    batch[0].refused(`it is too large for one request (${batch[0].bytes} bytes)`);
    this.drop(1);
  }

  /** What has to be sent again. */
  private settle(batch: Waiting[], answer: Answer): Waiting[] {
    if (answer.status !== 200) {
      throw new CliError(
        `index ${this.index}`,
        `A request for ${batch.length} documents was answered with ${answer.status}: ${firstWords(answer.body)}.`,
        wayOut(answer.status),
      );
    }
    const items = itemsOf(answer);
    if (items.length !== batch.length) {
      throw new CliError(
        `index ${this.index}`,
        `${batch.length} documents were sent, the answer speaks of ${items.length}.`,
        'Run the command again; if that does not help, what answers there is no OpenSearch.',
      );
    }
    return batch.filter((action, at) => {
      const { status, error } = items[at];
      if (isBusy(status)) {
        return true;
      }
      // What is to be deleted and is not there is as it should be.
      if (status < 300 || (status === 404 && !action.document)) {
        this.taken++;
      } else {
        const why = [error?.type, error?.reason, error?.caused_by?.reason].filter(Boolean).join(': ');
        action.refused(`it was refused with ${status} ${why}`.trim());
      }
      return false;
    });
  }
}

const total = (actions: Waiting[]) => actions.reduce((sum, { bytes }) => sum + bytes, 0);

function itemsOf({ body }: Answer): Item[] {
  try {
    const { items } = JSON.parse(body) as { items?: { [action: string]: Item }[] };
    return (items ?? []).map((item) => Object.values(item)[0]);
  } catch {
    return [];
  }
}

/** What a status from a collection usually means. */
export function wayOut(status: number): string {
  if (status === 401 || status === 403) {
    return 'The identity you use needs aoss:APIAccessAll on the collection in its own policies, and must be named in its data access policy: pass its ARN in the flag searchIndexers (prop indexerArns), or assume the role of the evidence task. A private collection answers inside its VPC only.';
  }
  if (status === 404) {
    return 'Check --endpoint and --index: the data access policy allows the index of the output SearchIndex.';
  }
  return 'Correct what the message names and run the command again: it goes on where it ended.';
}
