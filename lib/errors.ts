import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/**
 * The one shape of an error about a user's input: where it stands, what is wrong, the way out.
 *
 * @internal
 */
export function inputError(scope: IConstruct, problem: string, wayOut: string): Error {
  return new Error(`[${scope.node.path || 'App'}] ${problem} ${wayOut}`);
}

/**
 * Checks a whole number that must be known when the template is made.
 *
 * @internal
 */
export function requireWholeNumber(scope: IConstruct, name: string, value: unknown, min: number, max: number): number {
  if (Token.isUnresolved(value)) {
    throw inputError(
      scope,
      `${name} is a token, known only at deployment.`,
      `Pass a plain whole number from ${min} to ${max}.`,
    );
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw inputError(
      scope,
      `${name} is ${JSON.stringify(value)} (${typeof value}).`,
      `Pass a whole number from ${min} to ${max}.`,
    );
  }
  return value;
}

/**
 * Checks a boolean: a string such as "false" from a context value would otherwise count as true.
 *
 * @internal
 */
export function requireBoolean(scope: IConstruct, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') {
    throw inputError(scope, `${name} is ${JSON.stringify(value)} (${typeof value}).`, 'Pass true or false.');
  }
  return value;
}
