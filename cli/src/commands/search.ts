import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { Command } from 'commander';
import { Session } from '../aws/clients';
import { NODE_IMAGE } from '../aws/node-image';
import { nodeProgram } from '../aws/node-program';
import { inNetworkOfSchedule } from '../aws/schedule-network';
import { DeployedWorkload, idsOf, stackResources } from '../aws/workload';
import { ask, usageError } from '../errors';
import { IndexRequest, runIndex } from '../search/request';
import { clientsOf, Shell } from './shell';
import { addTaskOptions, onlyJson, refuseTaskOptions, runOnVolume, TaskOptions } from './volume-task';

interface Options extends TaskOptions {
  readonly endpoint?: string;
  readonly index?: string;
  readonly json?: boolean;
}

/** It reads files as a stream and sends a few MB at once. */
const SIZE = { cpu: '512', memory: '1024' };

/** `efs-data-layer search …` */
export function searchCommand(shell: Shell): Command {
  return new Command('search').description('full-text search over evidence').addCommand(indexCommand(shell));
}

function indexCommand(shell: Shell): Command {
  const command = new Command('index')
    .description('put the text of reports and findings into OpenSearch Serverless; what is there already is left alone')
    .argument(
      '[path]',
      'the folder with the evidence, on the volume or a copy (default: the volume, with a one-off task)',
    )
    .option('--endpoint <url>', 'the collection, instead: https://<id>.<region>.aoss.amazonaws.com')
    .option('--index <name>', 'the index in it (default: that of the stack, or evidence)')
    .option('--json', 'the result as one JSON object');
  addTaskOptions(
    command,
    'the CloudFormation stack of the data layer, whose outputs say where the collection is',
    `an image with Node 20 or newer for the one-off task (default: ${NODE_IMAGE})`,
    SIZE,
  );
  return command.action(async (folder: string | undefined) => {
    const options = command.opts<Options>();
    if (folder !== undefined) {
      refuseTaskOptions(folder, options, ['stack', 'region', 'profile']);
    } else if (options.stack === undefined || options.endpoint !== undefined) {
      throw usageError(
        'search index',
        'No folder is named, and a one-off task takes everything from a stack.',
        'Pass --stack EfsDataLayer without --endpoint, or the folder, for example /mnt/evidence or a copy of it.',
      );
    }
    const { cloudFormation } = clientsOf(shell, options);
    const { config } = cloudFormation;
    const collection = await collectionOf(cloudFormation, options);
    const region = await ask('region', () => config.region());
    const request = (root: string): IndexRequest => ({ root, region, ...collection, json: options.json ?? false });
    const credentials = () => ask('credentials', () => config.credentials());
    shell.exit(
      folder === undefined
        ? await indexInTask(shell, options, request)
        : await runIndex(request(folder), credentials, shell.io, shell.clock),
    );
  });
}

/** On the volume, as the role of the evidence task: the search lets it fill the index. */
async function indexInTask(shell: Shell, options: Options, request: (root: string) => IndexRequest): Promise<number> {
  return runOnVolume(
    shell,
    options,
    { ...SIZE, image: NODE_IMAGE },
    async (session, found) => {
      const workload = await reaching(session, found);
      return { workload, program: nodeProgram('search', request(found.mountPath)) };
    },
    (line) => onlyJson(shell, line, options.json ?? false),
  );
}

/** A private search lets in the security group of the collector's schedule, and no service's. */
async function reaching(session: Session, workload: DeployedWorkload): Promise<DeployedWorkload> {
  const { stack } = workload.query;
  const resources = await stackResources(session, stack);
  if (idsOf(resources, 'AWS::OpenSearchServerless::VpcEndpoint').length === 0) {
    return workload;
  }
  const inside = await inNetworkOfSchedule(session, workload, resources);
  if (!inside) {
    throw usageError(
      `--stack ${stack}`,
      'Its search answers in the VPC only and lets in the task of the collector’s schedule, which the stack has not.',
      'Deploy it with -c data-layer:services=true and a focusExport: then it has one.',
    );
  }
  return inside;
}

async function collectionOf(
  cloudFormation: CloudFormationClient,
  options: Options,
): Promise<{ endpoint: string; index: string }> {
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
