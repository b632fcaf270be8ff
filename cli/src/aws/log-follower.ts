import { GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { Session } from './clients';
import { ask } from '../errors';

/** Reads a log stream from its start, each line once. */
export class LogFollower {
  private nextToken?: string;

  constructor(
    private readonly session: Session,
    private readonly logGroupName: string,
    private readonly logStreamName: string,
  ) {}

  /** The lines that have come since the last call. None while the stream does not exist: ECS makes it at the first line. */
  public async poll(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const page = await ask(`log stream ${this.logStreamName}`, async () => {
        try {
          return await this.session.aws.logs.send(
            new GetLogEventsCommand({
              logGroupName: this.logGroupName,
              logStreamName: this.logStreamName,
              startFromHead: true,
              nextToken: this.nextToken,
            }),
          );
        } catch (error) {
          if ((error as Error).name === 'ResourceNotFoundException') {
            return undefined;
          }
          throw error;
        }
      });
      if (!page) {
        return lines;
      }
      lines.push(...(page.events ?? []).map((event) => event.message ?? ''));
      // At the end of a stream CloudWatch Logs returns the token that was passed.
      if (page.nextForwardToken === this.nextToken) {
        return lines;
      }
      this.nextToken = page.nextForwardToken;
    }
  }
}
