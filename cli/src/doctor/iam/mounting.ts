import { Answer, Context } from './conditions';
import { isAllowed, Policies } from './evaluate';

/** Somebody at a mount target. */
export interface Mounting {
  /** The ARN of a role; undefined mounts without IAM. */
  readonly principal?: string;
  readonly accessPointArn?: string;
  readonly tls: boolean;
}

export type ClientAction = 'ClientMount' | 'ClientWrite' | 'ClientRootAccess';

/**
 * What EFS tells the policies about a mount (docs.aws.amazon.com/efs/latest/ug/access-control-overview.html, read
 * 2026-11). Keys that are not here, such as aws:SourceIp, are not known.
 */
function contextOf({ principal, accessPointArn, tls }: Mounting): Context {
  return {
    'aws:SecureTransport': String(tls),
    'elasticfilesystem:AccessedViaMountTarget': 'true',
    'elasticfilesystem:AccessPointArn': accessPointArn ?? null,
    'aws:PrincipalArn': principal ?? null,
    'aws:PrincipalAccount': principal?.split(':')[4] ?? null,
    'aws:PrincipalType': principal === undefined ? 'Anonymous' : 'AssumedRole',
  };
}

/** Whether EFS lets somebody mount, write, or act as root. Without a policy everybody may everything. */
export function mayClient(
  action: ClientAction,
  fileSystemArn: string,
  policies: Policies | { resource: undefined },
  mounting: Mounting,
): Answer {
  if (policies.resource === undefined) {
    return 'yes';
  }
  return isAllowed(policies as Policies, {
    principal: mounting.principal,
    action: `elasticfilesystem:${action}`,
    resource: fileSystemArn,
    context: contextOf(mounting),
  });
}
