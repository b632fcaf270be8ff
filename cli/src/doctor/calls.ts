import { CliError, isCredentialError, wayOutOf } from '../errors';
import { Clock } from '../io';
import { Action } from './actions';

/** A call that was refused or not answered: the checks that need it are reported as not made, the rest goes on. */
export class NoAnswer extends Error {}

/** How often a resource that is younger than FRESH_MS is asked for again when AWS does not know it yet. */
const RETRIES = 3;
const RETRY_MS = 2_000;
const FRESH_MS = 10 * 60_000;

function isDenied(error: Error): boolean {
  return (
    /AccessDenied|Unauthorized|NotAuthorized|Forbidden/i.test(error.name) ||
    /not authorized to perform|access denied/i.test(error.message)
  );
}

/** Asks AWS, counts, and says what an answer that did not come means. */
export class Calls {
  public count = 0;
  public readonly made = new Set<Action>();

  constructor(private readonly clock: Clock) {}

  /** The answer. Throws NoAnswer when there is none, and a CliError when no call at all can succeed. */
  public async ask<T>(action: Action, request: () => Promise<T>): Promise<T> {
    this.count++;
    this.made.add(action);
    try {
      return await request();
    } catch (error) {
      throw this.meaning(action, error as Error);
    }
  }

  /**
   * The answer, or undefined when AWS says that there is none. What was made a moment ago is asked for again: AWS needs
   * some seconds to know it everywhere.
   */
  public async find<T>(
    action: Action,
    absent: RegExp,
    madeAt: Date | undefined,
    request: () => Promise<T>,
  ): Promise<T | undefined> {
    for (let attempt = 0; ; attempt++) {
      this.count++;
      this.made.add(action);
      try {
        return await request();
      } catch (error) {
        if (!absent.test((error as Error).name)) {
          throw this.meaning(action, error as Error);
        }
        const fresh = madeAt !== undefined && this.clock.now() - madeAt.getTime() < FRESH_MS;
        if (!fresh || attempt >= RETRIES) {
          return undefined;
        }
        await this.clock.sleep(RETRY_MS);
      }
    }
  }

  private meaning(action: Action, error: Error): Error {
    if (error instanceof CliError || error instanceof NoAnswer) {
      return error;
    }
    if (isCredentialError(error)) {
      return new CliError(action, `AWS answered ${error.name}: ${error.message}`, wayOutOf(error));
    }
    if (isDenied(error)) {
      return new NoAnswer(`needs ${action}`);
    }
    return new NoAnswer(`${action} was answered with ${error.name}: ${error.message}`);
  }
}
