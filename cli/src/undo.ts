import { CliError, EXIT } from './errors';
import { Io } from './io';

/** Ctrl-C, a polite kill, a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How one change is taken back. */
export interface UndoStep {
  /** What is done, in the infinitive: "delete the access point fsap-…". */
  readonly what: () => string;
  /** The same by hand, for when it cannot be done from here. */
  readonly byHand: () => string;
  /** Does it. Must be harmless when the change was never made. */
  readonly run: () => Promise<void>;
}

/**
 * What this command has changed and must take back, newest first. A step is added before its change is made: a call
 * that fails half-way may have changed something all the same.
 */
export class Undo {
  private readonly steps: UndoStep[] = [];

  public add(step: UndoStep): void {
    this.steps.push(step);
  }

  /** What is left to be done, by hand, newest first. */
  public byHand(): string[] {
    return [...this.steps].reverse().map((step) => `  ${step.what()}:\n    ${step.byHand()}`);
  }

  /** Takes everything back; goes on after a failure. Returns what could not be done. */
  public async run(): Promise<string[]> {
    const failures: string[] = [];
    while (this.steps.length > 0) {
      const step = this.steps[this.steps.length - 1];
      try {
        await step.run();
      } catch (error) {
        failures.push(`  ${step.what()} (${(error as Error).message}):\n    ${step.byHand()}`);
      }
      this.steps.pop();
    }
    return failures;
  }

  /**
   * Runs the work, then takes everything back: after success, after any failure, and after Ctrl-C. A second Ctrl-C
   * ends at once and says what is left.
   */
  public static async guard<T>(io: Io, work: (undo: Undo, signal: AbortSignal) => Promise<T>): Promise<T> {
    const undo = new Undo();
    const controller = new AbortController();
    const onSignal = () => {
      if (controller.signal.aborted) {
        io.note(['Ended at once. Not undone:', ...undo.byHand()].join('\n'));
        process.exit(EXIT.interrupted);
      }
      io.note('Interrupted: taking back what was changed (again to end at once) …');
      controller.abort();
    };
    SIGNALS.forEach((name) => process.on(name, onSignal));
    let result: { value: T } | undefined;
    let error: Error | undefined;
    try {
      result = { value: await work(undo, controller.signal) };
    } catch (thrown) {
      error = thrown as Error;
    }
    const failures = await undo.run();
    SIGNALS.forEach((name) => process.off(name, onSignal));
    if (failures.length > 0) {
      throw new CliError(
        'clean-up',
        `${error ? `${error.message}\nAnd not everything` : 'The work was done, but not everything'} could be undone:`,
        `\n${failures.join('\n')}\nRun these commands by hand.`,
        error instanceof CliError && error.exitCode !== EXIT.ok ? error.exitCode : EXIT.failed,
      );
    }
    if (error) {
      throw error;
    }
    return result!.value;
  }
}

/** Ends the work when Ctrl-C was pressed. Called between requests, never during one: its outcome must be known. */
export function checkInterrupted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new CliError('Ctrl-C', 'Interrupted.', 'Run the command again to start over.', EXIT.interrupted);
  }
}
