import * as fs from 'fs';
import * as path from 'path';
import { readSource, SourceStack } from '../../../lib/bill';
import { usageError } from '../errors';

/** Where cdk synth writes when nothing else is said. */
const ASSEMBLY = 'cdk.out';

/** What a command reads: a template file, an assembly directory, or a stack of cdk.out by name. */
export function findStacks(named: string | undefined, command = 'bill'): { title: string; stacks: SourceStack[] } {
  const source = named ?? ASSEMBLY;
  if (named === undefined || fs.existsSync(source) || /[\\/]|\.json$/.test(source)) {
    return { title: path.relative('', source) || '.', stacks: readSource(source) };
  }
  if (!fs.existsSync(ASSEMBLY)) {
    throw usageError(
      `${command} ${source}`,
      `It is no file or directory, and there is no ${ASSEMBLY} with a stack of that name.`,
      'Run cdk synth first, or pass a template or an assembly directory.',
    );
  }
  const stacks = readSource(ASSEMBLY);
  const found = stacks.filter(({ name, stackName }) => name === source || stackName === source);
  if (found.length === 0) {
    throw usageError(
      `${command} ${source}`,
      `${ASSEMBLY} has no such stack.`,
      `Stacks: ${stacks.map(({ name }) => name).join(', ')}.`,
    );
  }
  return { title: source, stacks: found };
}
