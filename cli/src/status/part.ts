import { CliError } from '../errors';

/** Something that was asked of AWS: what came back, or why nothing did. A part that is denied must not hide the others. */
export type Part<T> =
  { readonly value: T; readonly problem?: undefined } | { readonly value?: undefined; readonly problem: string };

/** Asks for a part. Throws only when nobody is logged in, or no region is known. */
export async function part<T>(what: string, get: () => Promise<T>): Promise<Part<T>> {
  try {
    return { value: await get() };
  } catch (error) {
    if (isLoginError(error as Error)) {
      throw error; // Nobody is logged in: no part would come back.
    }
    const { name, message: whole } = error as Error;
    const [message] = whole.split('\n');
    const denied = /AccessDenied|UnauthorizedOperation|NotAuthorized/i.test(name) || /not authorized/i.test(message);
    const action = /perform: ([\w-]+:\w+)/.exec(message)?.[1];
    return {
      problem: denied
        ? `${what}: access denied${action ? ` (${action})` : ''}`
        : `${what}: ${error instanceof CliError || name === 'Error' ? message : `${name}: ${message}`}`,
    };
  }
}

function isLoginError(error: Error): boolean {
  return (
    /Credentials|ExpiredToken|RequestExpired|InvalidClientToken|UnrecognizedClient|InvalidSignature/i.test(
      error.name,
    ) || /Region is missing/i.test(error.message)
  );
}
