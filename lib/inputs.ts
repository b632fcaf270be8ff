import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { inputError } from './errors';

/**
 * Checks of inputs that TypeScript knows but JavaScript, a cast or another language may get wrong. Without them a
 * wrong value surfaces as a crash somewhere in CDK, or only at deployment.
 */

/** What a tag value may hold (docs.aws.amazon.com/tag-editor, tag naming limits, read 2026-11). */
export const TAG_VALUE = /^(?=.*\S)[\p{L}\p{N} _.:/=+\-@]{1,256}$/u;

function show(value: unknown): string {
  if (Array.isArray(value)) {
    return 'a list';
  }
  return value !== null && typeof value === 'object' ? 'an object of another kind' : String(JSON.stringify(value));
}

/**
 * Checks that a value is an object with the members that are going to be used.
 *
 * @internal
 */
export function requireObject(
  scope: IConstruct,
  name: string,
  value: unknown,
  members: string[],
  wayOut: string,
): void {
  if (value === undefined) {
    return;
  }
  const usable =
    value !== null && typeof value === 'object' && !Array.isArray(value) && members.every((member) => member in value);
  if (!usable) {
    throw inputError(scope, `${name} is ${show(value)}.`, wayOut);
  }
}

/**
 * Checks that a value is a list of strings with something in it.
 *
 * @internal
 */
export function requireStrings(scope: IConstruct, name: string, value: unknown, wayOut: string): void {
  if (value === undefined) {
    return;
  }
  if (!Array.isArray(value) || value.length === 0 || value.some((item) => typeof item !== 'string')) {
    throw inputError(scope, `${name} is not a list of strings with at least one in it.`, wayOut);
  }
}

/**
 * Checks plain environment: a number or a boolean would be refused by ECS only at deployment.
 *
 * @internal
 */
export function requireEnvironment(scope: IConstruct, name: string, value: unknown): void {
  requireObject(scope, name, value, [], "Pass names and strings, for example { WEBUI_NAME: 'Ours' }.");
  for (const [variable, text] of Object.entries(value ?? {})) {
    if (typeof text !== 'string') {
      throw inputError(scope, `${name}.${variable} is ${show(text)} (${typeof text}).`, 'Pass a string.');
    }
  }
}

/**
 * Checks the value of a tag.
 *
 * @internal
 */
export function requireTagValue(scope: IConstruct, name: string, value: unknown): void {
  if (value === undefined || Token.isUnresolved(value)) {
    return;
  }
  if (typeof value !== 'string' || !TAG_VALUE.test(value)) {
    throw inputError(
      scope,
      `${name} is ${show(value)}.`,
      'Pass 1 to 256 letters, digits, spaces and _ . : / = + - @, which is what a tag may hold.',
    );
  }
}
