import { Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { inputError } from './errors';

/** Where the copies of a package are that this process has loaded. */
function copiesOf(name: string, file: RegExp): string {
  const copies = Object.keys(require.cache)
    .filter((loaded) => file.test(loaded))
    .map((loaded) => loaded.replace(file, ''));
  return copies.length > 1 ? `${name} in ${copies.join(' and ')}` : name;
}

/**
 * Refuses a construct tree that another copy of constructs or aws-cdk-lib made: it looks right, and fails later with
 * errors that name neither.
 *
 * @internal
 */
export function requireOneCopy(construct: IConstruct): void {
  const twice = !(construct.node.root instanceof Construct)
    ? copiesOf('constructs', /[\\/]lib[\\/]construct\.js$/)
    : !(Stack.of(construct) instanceof Stack)
      ? copiesOf('aws-cdk-lib', /[\\/]core[\\/]lib[\\/]stack\.js$/)
      : undefined;
  if (twice) {
    throw inputError(
      construct,
      `The stack was made by another copy of a package than the one that efs-data-layer uses: ${twice}.`,
      'Keep one: declare aws-cdk-lib and constructs in one place, then run npm dedupe; "npm ls aws-cdk-lib constructs" shows who asks for which.',
    );
  }
}
