import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { isAllowed, Policies, Statement } from '../../cli/src/doctor/iam/evaluate';
import { Naming, Resources, Role, rolesOf, textOf } from '../../scripts/iam/roles';
import { FlagSet, runbookSets, templateOf } from '../upgrade-safety/flag-sets';

const ACCOUNT = 'us-east-1:123456789012';

/** ARNs as a deployment in one account would make them, with logical ids for physical ones. */
const naming: Naming = (name, attribute) => {
  const pseudo: Record<string, string> = {
    'AWS::Partition': 'aws',
    'AWS::Region': 'us-east-1',
    'AWS::AccountId': '123456789012',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackId': `arn:aws:cloudformation:${ACCOUNT}:stack/Stack/1-2-3-4-5`,
  };
  return pseudo[name] ?? (attribute ? `arn:aws:${attribute.toLowerCase()}:${ACCOUNT}:${name}` : name);
};

/** A stack as it would stand in an account, with the policies that decide who may do what. */
export class DeployedStack {
  public readonly roles: Role[];

  constructor(
    public readonly name: string,
    public readonly template: Resources,
  ) {
    this.roles = rolesOf(template, naming);
  }

  /** Resources of a type: logical ids and properties with every reference resolved. */
  public ofType(type: string): { id: string; properties: Record<string, unknown> }[] {
    return Object.entries(this.template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, { Properties }]) => ({ id, properties: textOf(Properties ?? {}, naming) as Record<string, unknown> }));
  }

  /** Resources, as the template has them. */
  public get resources(): Readonly<Record<string, { Type: string; DeletionPolicy?: string }>> {
    return this.template.Resources;
  }

  public get volume() {
    const [{ id, properties }] = this.ofType('AWS::EFS::FileSystem');
    return {
      id,
      properties,
      arn: `arn:aws:elasticfilesystem:${ACCOUNT}:file-system/${id}`,
      policy: (properties.FileSystemPolicy as { Statement: Statement[] }).Statement,
    };
  }

  public accessPointArn(id: string): string {
    return `arn:aws:elasticfilesystem:${ACCOUNT}:access-point/${id}`;
  }

  /** Whether somebody may do something to the volume. What is not said of the request is as a mount with TLS has it. */
  public mayOnVolume(who: Who, action: string, request: { accessPoint?: string; tls?: boolean } = {}): boolean {
    const { arn, policy } = this.volume;
    return may({ identity: who.statements, resource: policy }, who, action, arn, {
      'aws:SecureTransport': String(request.tls ?? true),
      'elasticfilesystem:AccessedViaMountTarget': 'true',
      'elasticfilesystem:AccessPointArn': request.accessPoint ? this.accessPointArn(request.accessPoint) : null,
    });
  }

  /** Whether somebody may do something to a resource that has no policy of its own. */
  public may(who: Who, action: string, resource: string): boolean {
    return may({ identity: who.statements, resource: [] }, who, action, resource, { 'aws:SecureTransport': 'true' });
  }

  /** Whether somebody may do something to the vault's recovery points. */
  public mayOnVault(who: Who, action: string): boolean {
    const [{ properties }] = this.ofType('AWS::Backup::BackupVault');
    const resource = (properties.AccessPolicy as { Statement: Statement[] } | undefined)?.Statement ?? [];
    return may({ identity: who.statements, resource }, who, action, `arn:aws:backup:${ACCOUNT}:recovery-point:1`, {});
  }
}

/** Somebody who asks. */
export interface Who {
  /** Undefined is nobody in particular: a client without an identity. */
  readonly id?: string;
  readonly statements: Statement[];
}

/** A client that mounts without IAM. */
export const ANONYMOUS: Who = { statements: [] };

/** An administrator of the account. */
export const ADMINISTRATOR: Who = { id: 'admin', statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

function may(
  policies: Policies,
  who: Who,
  action: string,
  resource: string,
  context: Record<string, string | null>,
): boolean {
  const principal = who.id && `arn:aws:iam::123456789012:role/${who.id}`;
  // What may be allowed counts as allowed: nothing here rests on what is not known.
  return isAllowed(policies, { principal, action, resource, context }) !== 'no';
}

/** The default stores with everything that runs, and the end of every upgrade path. */
export function deployedStacks(): DeployedStack[] {
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'threat-model-'));
  try {
    const sets: FlagSet[] = [
      { services: 'true' },
      ...runbookSets().filter((flags) => flags.relationalPhase !== 'prepare'),
    ];
    return sets.map((flags) => {
      const template = templateOf({ focusExport: 's3://exports/focus/cost', ...flags }, outdir)!;
      return new DeployedStack(JSON.stringify(flags), template as unknown as Resources);
    });
  } finally {
    fs.rmSync(outdir, { recursive: true, force: true });
  }
}
