import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { Command } from 'commander';
import { ask, EXIT, usageError } from '../errors';
import { Indexed, indexEvidence } from '../search/index-evidence';
import { SignedClient } from '../search/signed-client';
import { Undo } from '../undo';
import { AccountOptions, clientsOf, PROFILE, REGION, Shell } from './shell';

interface Options extends AccountOptions {
  readonly endpoint?: string;
  readonly index?: string;
  readonly json?: boolean;
}

/** Lines, or whole files, that are not in the index (EX_DATAERR). */
const INCOMPLETE = 65;

/** `efs-data-layer search …` */
export function searchCommand(shell: Shell): Command {
  return new Command('search').description('full-text search over evidence').addCommand(indexCommand(shell));
}

function indexCommand(shell: Shell): Command {
  const command = new Command('index')
    .description('put the text of reports and findings into OpenSearch Serverless; what is there already is left alone')
    .argument('<path>', 'the folder with the evidence, on the volume or a copy')
    .option('--stack <name>', 'the CloudFormation stack of the data layer, whose outputs say where the collection is')
    .option('--endpoint <url>', 'the collection, instead: https://<id>.<region>.aoss.amazonaws.com')
    .option('--index <name>', 'the index in it (default: that of the stack, or evidence)')
    .option(...REGION)
    .option(...PROFILE)
    .option('--json', 'the result as one JSON object');
  return command.action(async (folder: string) => {
    const options = command.opts<Options>();
    const { config } = clientsOf(shell, options).cloudFormation;
    const { endpoint, index } = await collectionOf(shell, options);
    const result = await Undo.guard(shell.io, async (_undo, signal) => {
      const region = await ask('region', () => config.region());
      const credentials = () => ask('credentials', () => config.credentials());
      const client = new SignedClient(endpoint, region, credentials, shell.clock, signal, (why) => shell.io.note(why));
      return indexEvidence(folder, client, index, shell.io, shell.clock);
    });
    tell(shell, result, options.json ?? false);
    shell.exit(result.problems.length > 0 ? INCOMPLETE : EXIT.ok);
  });
}

async function collectionOf(shell: Shell, options: Options): Promise<{ endpoint: string; index: string }> {
  const { stack, endpoint, index } = options;
  if ((stack === undefined) === (endpoint === undefined)) {
    throw usageError(
      stack ? '--stack, --endpoint' : '--stack',
      stack ? 'They name the same twice.' : 'It is missing.',
      'Pass --stack EfsDataLayer, or --endpoint with the address of the collection.',
    );
  }
  if (index !== undefined && !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(index)) {
    throw usageError(`--index ${index}`, 'It is no name of an index.', 'Use small letters, digits, _ and -.');
  }
  if (endpoint !== undefined) {
    return { endpoint, index: index ?? 'evidence' };
  }
  const { cloudFormation } = clientsOf(shell, options);
  const { Stacks } = await ask(`--stack ${stack}`, () =>
    cloudFormation.send(new DescribeStacksCommand({ StackName: stack })),
  );
  // CDK puts the construct's path before, and a hash after, the name of an output.
  const output = (name: string) =>
    Stacks?.[0].Outputs?.find(({ OutputKey }) => OutputKey?.replace(/[0-9A-F]{8}$/, '').endsWith(name))?.OutputValue;
  const found = output('SearchEndpoint');
  if (!found) {
    throw usageError(
      `--stack ${stack}`,
      'It has no search.',
      "Deploy it with -c 'data-layer:search=open-search-serverless', or pass --endpoint.",
    );
  }
  return { endpoint: found, index: index ?? output('SearchIndex') ?? 'evidence' };
}

function tell({ io }: Shell, result: Indexed, json: boolean): void {
  const { files, unchanged, others, documents, deleted, problems, moreProblems } = result;
  problems.forEach(({ file, line, text }) => io.note(`${file}${line === undefined ? '' : `:${line}`}: ${text}`));
  if (moreProblems > 0) {
    io.note(`… and ${moreProblems} more like these.`);
  }
  if (json) {
    io.out(JSON.stringify(result));
    return;
  }
  io.out(
    `${files} file(s) indexed with ${documents} document(s), ${unchanged} unchanged; ${deleted} document(s) of earlier contents taken out first.`,
  );
  if (others > 0) {
    io.out(
      `${others} file(s) of other kinds were left out: text is read from .md, .txt, .json, .jsonl, .csv, .tsv and .gz of these.`,
    );
  }
  if (problems.length > 0) {
    io.out('What is named above is not in the index; its files are read again next time.');
  }
}
