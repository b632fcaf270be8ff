import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import { Calls } from './calls';
import { Memory, StackFacts } from './facts';
import { Statement, statementsOf } from './iam/evaluate';
import { pages } from '../aws/pages';

const ABSENT = /^NoSuchEntity(Exception)?$/;

/** A role with what it may do. */
export interface LiveRole {
  readonly name: string;
  readonly trust: string;
  /** Texts by the names of the policies. */
  readonly inline: Record<string, string>;
  readonly attached: string[];
}

/** Roles as IAM has them. */
export class LiveIam {
  constructor(
    private readonly client: IAMClient,
    private readonly calls: Calls,
    private readonly stack: StackFacts,
    private readonly memory: Memory,
  ) {}

  /** Undefined when there is no such role. */
  public role(RoleName: string): Promise<LiveRole | undefined> {
    return this.memory.once(`role ${RoleName}`, async () => {
      const answer = await this.calls.find('iam:GetRole', ABSENT, this.stack.madeAt(RoleName), () =>
        this.client.send(new GetRoleCommand({ RoleName })),
      );
      if (!answer?.Role) {
        return undefined;
      }
      const [inline, attached] = await Promise.all([this.inline(RoleName), this.attached(RoleName)]);
      return { name: RoleName, trust: decodeURIComponent(answer.Role.AssumeRolePolicyDocument!), inline, attached };
    });
  }

  private async inline(RoleName: string): Promise<Record<string, string>> {
    const names = await pages(async (Marker) => {
      const answer = await this.calls.ask('iam:ListRolePolicies', () =>
        this.client.send(new ListRolePoliciesCommand({ RoleName, Marker })),
      );
      return { items: answer.PolicyNames, token: answer.IsTruncated ? answer.Marker : undefined };
    });
    const texts = await Promise.all(
      names.map((PolicyName) =>
        this.calls.ask('iam:GetRolePolicy', () => this.client.send(new GetRolePolicyCommand({ RoleName, PolicyName }))),
      ),
    );
    return Object.fromEntries(texts.map((one) => [one.PolicyName!, decodeURIComponent(one.PolicyDocument!)]));
  }

  private async attached(RoleName: string): Promise<string[]> {
    const policies = await pages(async (Marker) => {
      const answer = await this.calls.ask('iam:ListAttachedRolePolicies', () =>
        this.client.send(new ListAttachedRolePoliciesCommand({ RoleName, Marker })),
      );
      return { items: answer.AttachedPolicies, token: answer.IsTruncated ? answer.Marker : undefined };
    });
    return policies.map((one) => one.PolicyArn!);
  }

  private managed(PolicyArn: string): Promise<Statement[]> {
    return this.memory.once(`policy ${PolicyArn}`, async () => {
      const { Policy } = await this.calls.ask('iam:GetPolicy', () =>
        this.client.send(new GetPolicyCommand({ PolicyArn })),
      );
      const { PolicyVersion } = await this.calls.ask('iam:GetPolicyVersion', () =>
        this.client.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy!.DefaultVersionId })),
      );
      return statementsOf(decodeURIComponent(PolicyVersion!.Document!));
    });
  }

  /** Every statement of every policy of a role. None when the role is gone. */
  public async statements(RoleName: string): Promise<Statement[]> {
    const role = await this.role(RoleName);
    if (!role) {
      return [];
    }
    const managed = await Promise.all(role.attached.map((arn) => this.managed(arn)));
    return [...Object.values(role.inline).flatMap(statementsOf), ...managed.flat()];
  }
}
