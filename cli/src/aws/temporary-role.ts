import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { ask } from '../errors';
import { checkInterrupted } from '../undo';
import { Session } from './clients';
import { TEMPORARY_TAG } from './one-off-definition';

/** How long a new role takes until every service knows it (IAM user guide, eventual consistency). */
const PROPAGATION_MS = 15_000;

const POLICY_NAME = 'restore';

export interface TemporaryRole {
  readonly name: string;
  readonly description: string;
  /** The service that may assume it, in this account only. */
  readonly service: string;
  readonly accountId: string;
  /** One of them. */
  readonly statements?: object[];
  readonly managedPolicyArn?: string;
  /** Throws while something still needs the role: it then stays, and the message says so. */
  readonly stillNeeded?: () => Promise<void>;
}

/** A role for the length of this command. Returns its ARN. */
export async function makeTemporaryRole(session: Session, role: TemporaryRole): Promise<string> {
  const { iam } = session.aws;
  const RoleName = role.name;
  checkInterrupted(session.signal);
  session.undo.add({
    what: () => `delete the role ${RoleName}`,
    byHand: () =>
      `${
        role.managedPolicyArn
          ? `aws iam detach-role-policy --role-name ${RoleName} --policy-arn ${role.managedPolicyArn}`
          : `aws iam delete-role-policy --role-name ${RoleName} --policy-name ${POLICY_NAME}`
      }; aws iam delete-role --role-name ${RoleName}`,
    run: async () => {
      await role.stillNeeded?.();
      await unlessAbsent(() =>
        role.managedPolicyArn
          ? iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: role.managedPolicyArn }))
          : iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: POLICY_NAME })),
      );
      await unlessAbsent(() => iam.send(new DeleteRoleCommand({ RoleName })));
    },
  });
  const made = await ask(`role ${RoleName}`, () =>
    iam.send(
      new CreateRoleCommand({
        RoleName,
        Description: role.description,
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: role.service },
              Action: 'sts:AssumeRole',
              Condition: { StringEquals: { 'aws:SourceAccount': role.accountId } },
            },
          ],
        }),
        Tags: [
          { Key: 'ManagedBy', Value: 'efs-data-layer' },
          { Key: TEMPORARY_TAG, Value: 'restore' },
        ],
      }),
    ),
  );
  await ask(`role ${RoleName}`, () =>
    role.managedPolicyArn
      ? iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: role.managedPolicyArn }))
      : iam.send(
          new PutRolePolicyCommand({
            RoleName,
            PolicyName: POLICY_NAME,
            PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: role.statements }),
          }),
        ),
  );
  await session.clock.sleep(PROPAGATION_MS, session.signal);
  return made.Role!.Arn!;
}

async function unlessAbsent(request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    if ((error as Error).name !== 'NoSuchEntityException') {
      throw error;
    }
  }
}
