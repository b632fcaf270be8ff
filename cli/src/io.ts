/** Where text goes: what the keeper says to stdout, so that it can be piped; what this command does to stderr. */
export interface Io {
  out(line: string): void;
  note(line: string): void;
  /** A line that the next one replaces, and an empty one removes. Only where somebody watches a terminal. */
  status?(line: string): void;
  /** Whether what goes to stdout may be coloured: a terminal, and NO_COLOR is not set (no-color.org). */
  readonly colour?: boolean;
}

/** Back to the beginning of the line, and clear it. */
const CLEAR = '\r\u001b[K';

export const processIo: Io = {
  colour: process.stdout.isTTY && !process.env.NO_COLOR,
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${process.stderr.isTTY ? CLEAR : ''}${line}\n`),
  ...(process.stderr.isTTY ? { status: (line: string) => void process.stderr.write(`${CLEAR}${line}`) } : {}),
};

/** Time, so that tests need not wait. */
export interface Clock {
  now(): number;
  /** Ends early, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        return resolve();
      }
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end);
    }),
};
