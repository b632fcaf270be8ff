import { Clock, Io } from '../io';

const REFRESH_MS = 200;

/** How far a file is, on one line of a terminal. Says nothing where nobody watches. */
export class Progress {
  private readonly started: number;
  private shown = 0;

  constructor(
    private readonly io: Io,
    private readonly clock: Clock,
    private readonly what: string,
  ) {
    this.started = clock.now();
  }

  public update(received: number, total: number | undefined): void {
    const now = this.clock.now();
    if (this.io.status === undefined || now - this.shown < REFRESH_MS) {
      return;
    }
    this.shown = now;
    this.io.status(progressLine(this.what, received, total, (now - this.started) / 1000));
  }

  public end(): void {
    if (this.shown > 0) {
      this.io.status?.('');
    }
  }
}

/** For example: us-east-1 AmazonEC2  12.3 of 410.0 MB  8.1 MB/s  49 s left */
export function progressLine(what: string, received: number, total: number | undefined, seconds: number): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  const rate = seconds > 0 ? received / seconds : 0;
  const parts = [what, total === undefined ? `${mb(received)} MB` : `${mb(received)} of ${mb(total)} MB`];
  if (rate > 0) {
    parts.push(`${mb(rate)} MB/s`);
    if (total !== undefined) {
      // At most: reading stops where the rest of the file is not needed.
      parts.push(`${Math.ceil((total - received) / rate)} s left`);
    }
  }
  return parts.join('  ');
}
