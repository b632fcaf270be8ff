import {
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  Listener,
  LoadBalancer,
  Tag,
  TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { pages } from '../aws/pages';
import { Calls } from './calls';
import { Memory, StackFacts } from './facts';

/** Names and values, as attributes are listed. */
export type Attributes = { Key?: string; Value?: string }[];

const NO_BALANCER = /^LoadBalancerNotFound(Exception)?$/;
const NO_GROUP = /^TargetGroupNotFound(Exception)?$/;

/** Load balancers, listeners and target groups by their ARNs. Undefined is: there is none. */
export class LiveElb {
  constructor(
    private readonly client: ElasticLoadBalancingV2Client,
    private readonly calls: Calls,
    private readonly stack: StackFacts,
    private readonly memory: Memory,
  ) {}

  public balancer(arn: string): Promise<LoadBalancer | undefined> {
    return this.memory.once(arn, async () => {
      const answer = await this.calls.find(
        'elasticloadbalancing:DescribeLoadBalancers',
        NO_BALANCER,
        this.stack.madeAt(arn),
        () => this.client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] })),
      );
      return answer?.LoadBalancers?.[0];
    });
  }

  public balancerAttributes(arn: string): Promise<Attributes> {
    return this.memory.once(`attributes ${arn}`, async () => {
      const answer = await this.calls.find(
        'elasticloadbalancing:DescribeLoadBalancerAttributes',
        NO_BALANCER,
        undefined,
        () => this.client.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: arn })),
      );
      return answer?.Attributes ?? [];
    });
  }

  /** Every listener of a load balancer, whoever made it. */
  public listeners(LoadBalancerArn: string): Promise<Listener[]> {
    return this.memory.once(`listeners ${LoadBalancerArn}`, () =>
      pages(async (Marker) => {
        const answer = await this.calls.find('elasticloadbalancing:DescribeListeners', NO_BALANCER, undefined, () =>
          this.client.send(new DescribeListenersCommand({ LoadBalancerArn, Marker })),
        );
        return { items: answer?.Listeners, token: answer?.NextMarker };
      }),
    );
  }

  public targetGroup(arn: string): Promise<TargetGroup | undefined> {
    return this.memory.once(arn, async () => {
      const answer = await this.calls.find(
        'elasticloadbalancing:DescribeTargetGroups',
        NO_GROUP,
        this.stack.madeAt(arn),
        () => this.client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] })),
      );
      return answer?.TargetGroups?.[0];
    });
  }

  public targetGroupAttributes(arn: string): Promise<Attributes> {
    return this.memory.once(`attributes ${arn}`, async () => {
      const answer = await this.calls.find(
        'elasticloadbalancing:DescribeTargetGroupAttributes',
        NO_GROUP,
        undefined,
        () => this.client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn })),
      );
      return answer?.Attributes ?? [];
    });
  }

  /** Undefined when the load balancer is gone. */
  public tags(arn: string): Promise<Tag[] | undefined> {
    return this.memory.once(`tags ${arn}`, async () => {
      const answer = await this.calls.find('elasticloadbalancing:DescribeTags', NO_BALANCER, undefined, () =>
        this.client.send(new DescribeTagsCommand({ ResourceArns: [arn] })),
      );
      return answer && (answer.TagDescriptions?.[0]?.Tags ?? []);
    });
  }
}
