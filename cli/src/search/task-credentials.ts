import { CliError } from '../errors';
import type { Credentials } from './signed-client';

/** Where ECS answers with the keys of the task's role (Amazon ECS developer guide, task IAM role, read 2026-11). */
const HOST = 'http://169.254.170.2';
const RELATIVE = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
/** The whole address, where somebody else than ECS answers: on this machine only, for the keys go in the clear. */
const FULL = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';

const TRIES = 4;
const TIMEOUT_MS = 3_000;
/** Keys that end sooner than this are asked for anew. */
const RENEW_MS = 300_000;

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** The keys of the role that the task runs with, asked for again before they end. */
export function taskCredentials(env: NodeJS.ProcessEnv, now: () => number): Credentials {
  let keys: Keys | undefined;
  return async () => {
    if (!keys || keys.expiration.getTime() - now() < RENEW_MS) {
      keys = await askForKeys(addressOf(env));
    }
    return keys;
  };
}

function addressOf(env: NodeJS.ProcessEnv): string {
  const [relative, full] = [env[RELATIVE], env[FULL]];
  if (relative) {
    return `${HOST}${relative}`;
  }
  if (full && /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(full)) {
    return full;
  }
  throw new CliError('credentials', `${RELATIVE} is not set.`, 'Run this as a task of ECS with a task role.');
}

async function askForKeys(address: string): Promise<Keys> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await answer.text();
      if (!answer.ok) {
        throw new Error(`${answer.status} ${text.slice(0, 200)}`);
      }
      const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(text) as Record<string, string>;
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: Token,
        expiration: new Date(Expiration),
      };
    } catch (error) {
      if (attempt === TRIES) {
        const why = (error as Error).message;
        throw new CliError('credentials', `ECS gave no keys of the task's role: ${why}.`, 'Run the command again.');
      }
    }
  }
}
