import { Fn, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/**
 * A part of the stack's id, for a name that we must give: one that only the path decides would collide with what an
 * earlier deployment left behind.
 */
export function stackPart(scope: Construct): string {
  return Fn.select(4, Fn.split('-', Fn.select(2, Fn.split('/', Stack.of(scope).stackId))));
}
