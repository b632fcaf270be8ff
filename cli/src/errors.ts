/** Exit codes of the command line itself. A keeper's own code is passed through (keeper.py --help lists them). */
export const EXIT = {
  ok: 0,
  /** AWS refused, a task did not start, or something could not be undone. */
  failed: 1,
  /** A limit the user set was passed. */
  overLimit: 2,
  /** doctor: a warning, or a check that could not be made. */
  warning: 3,
  /** doctor: something critical. */
  critical: 4,
  /** The input is wrong: nothing was done. */
  usage: 64,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const;

/** An error for the user, in one message: the input and where it stands, what is wrong with it, the way out. */
export class CliError extends Error {
  constructor(
    where: string,
    problem: string,
    wayOut: string,
    public readonly exitCode: number = EXIT.failed,
  ) {
    super(`[${where}] ${problem} ${wayOut}`);
    this.name = 'CliError';
  }
}

/** A wrong input. */
export function usageError(where: string, problem: string, wayOut: string): CliError {
  return new CliError(where, problem, wayOut, EXIT.usage);
}

/** Nobody is logged in, or no region is known: no call can succeed. */
export function isCredentialError(error: Error): boolean {
  return (
    /Credentials|ExpiredToken|RequestExpired|InvalidClientToken|UnrecognizedClient|Token|InvalidSignature|AuthFailure/i.test(
      error.name,
    ) || /Region is missing/i.test(error.message)
  );
}

export function wayOutOf(error: Error): string {
  if (
    /AccessDenied|Unauthorized|NotAuthorized/i.test(error.name) ||
    /not authorized|access denied/i.test(error.message)
  ) {
    return 'Allow this action to the identity you use; docs/runbooks/restore.md lists all that are needed.';
  }
  if (/Region is missing/i.test(error.message)) {
    return 'Pass --region, for example --region ap-southeast-2, or set AWS_REGION.';
  }
  if (isCredentialError(error)) {
    return 'Log in (for example: aws sso login), or choose another profile with --profile.';
  }
  return 'Correct what the message names and run the command again.';
}

/** Makes one message of what AWS answered, naming what was asked of it. */
export async function ask<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof CliError) {
      throw error;
    }
    const cause = error as Error;
    throw new CliError(what, `AWS answered ${cause.name}: ${cause.message.replace(/[.\s]*$/, '.')}`, wayOutOf(cause));
  }
}
