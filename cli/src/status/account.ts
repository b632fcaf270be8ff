import { BackupClient } from '@aws-sdk/client-backup';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ECSClient } from '@aws-sdk/client-ecs';
import { EFSClient } from '@aws-sdk/client-efs';
import { pages } from '../aws/pages';

/** The clients that status reads with. It changes nothing. */
export interface ReadClients {
  readonly cloudFormation: CloudFormationClient;
  readonly ecs: ECSClient;
  readonly efs: EFSClient;
  readonly logs: CloudWatchLogsClient;
  readonly backup: BackupClient;
  readonly cloudWatch: CloudWatchClient;
}

/** A line of a log. */
export interface LogLine {
  readonly at: number;
  readonly stream: string;
  readonly fields: { readonly [field: string]: unknown };
}

/** JSON lines of a log group that a pattern matches, oldest first. */
export async function jsonLines(
  aws: ReadClients,
  logGroupName: string,
  filterPattern: string,
  startTime: number,
): Promise<LogLine[]> {
  const events = await pages(async (nextToken) => {
    const page = await aws.logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern, startTime, nextToken }));
    return { items: page.events, token: page.nextToken };
  });
  return events
    .flatMap(({ timestamp, logStreamName, message }) => {
      try {
        const fields: unknown = JSON.parse(message ?? '');
        return fields !== null && typeof fields === 'object' && !Array.isArray(fields)
          ? [{ at: timestamp ?? 0, stream: logStreamName ?? '', fields: fields as LogLine['fields'] }]
          : [];
      } catch {
        return [];
      }
    })
    .sort((a, b) => a.at - b.at);
}

/** Counts the calls that clients make, retries included. */
export function countCalls(clients: ReadClients): () => number {
  let calls = 0;
  for (const client of Object.values(clients) as ECSClient[]) {
    client.middlewareStack.add(
      (next) => (request) => {
        calls++;
        return next(request);
      },
      { step: 'deserialize', name: 'countCalls', override: true },
    );
  }
  return () => calls;
}
