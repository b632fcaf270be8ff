import {
  DescribeServerlessCachesCommand,
  ElastiCacheClient,
  ListTagsForResourceCommand,
  ServerlessCache,
  Tag,
} from '@aws-sdk/client-elasticache';
import { Calls } from './calls';
import { Memory, StackFacts } from './facts';

const ABSENT = /^ServerlessCacheNotFound(Fault)?$/;

/** Serverless caches as ElastiCache has them. */
export class LiveCache {
  constructor(
    private readonly client: ElastiCacheClient,
    private readonly calls: Calls,
    private readonly stack: StackFacts,
    private readonly memory: Memory,
  ) {}

  /** Undefined when there is none of that name. */
  public cache(name: string): Promise<ServerlessCache | undefined> {
    return this.memory.once(`cache ${name}`, async () => {
      const answer = await this.calls.find(
        'elasticache:DescribeServerlessCaches',
        ABSENT,
        this.stack.madeAt(name),
        () => this.client.send(new DescribeServerlessCachesCommand({ ServerlessCacheName: name })),
      );
      return answer?.ServerlessCaches?.[0];
    });
  }

  public arn(name: string): string {
    const { partition, region, account } = this.stack;
    return `arn:${partition}:elasticache:${region}:${account}:serverlesscache:${name}`;
  }

  /** Undefined when the cache is gone. */
  public tags(name: string): Promise<Tag[] | undefined> {
    const ResourceName = this.arn(name);
    return this.memory.once(`tags of ${name}`, async () => {
      const answer = await this.calls.find('elasticache:ListTagsForResource', ABSENT, undefined, () =>
        this.client.send(new ListTagsForResourceCommand({ ResourceName })),
      );
      return answer && (answer.TagList ?? []);
    });
  }
}
