import type * as cdk from 'aws-cdk-lib';
import * as constructs from 'constructs';
import { EfsDataLayer } from '../lib';

/** A second copy, as a package manager leaves it when two versions are asked for. */
function another<T, U>(name: string, pick: (copy: T) => U, shared: Record<string, unknown> = {}): U {
  let picked: U | undefined;
  jest.isolateModules(() => {
    Object.entries(shared).forEach(([other, module]) => jest.doMock(other, () => module));
    picked = pick(require(name) as T); // here: aws-cdk-lib loads its parts when they are first named
  });
  Object.keys(shared).forEach((other) => jest.dontMock(other));
  return picked!;
}

const REFUSED = (name: string) =>
  new RegExp(`^\\[.*Data\\] The stack was made by another copy .*: ${name}.*npm dedupe`);

test('another copy of constructs', () => {
  const { RootConstruct } = another('constructs', ({ RootConstruct }: typeof constructs) => ({ RootConstruct }));
  expect(() => new EfsDataLayer(new RootConstruct('Root'), 'Data')).toThrow(REFUSED('constructs'));
});

test('another copy of aws-cdk-lib', () => {
  const { App, Stack } = another('aws-cdk-lib', ({ App, Stack }: typeof cdk) => ({ App, Stack }), { constructs });
  expect(() => new EfsDataLayer(new Stack(new App(), 'Test'), 'Data')).toThrow(REFUSED('aws-cdk-lib'));
});
