import { differences, show } from '../compare';
import { Check, Examination } from '../examination';
import { mayClient } from '../iam/mounting';
import { Promised } from '../promise';
import { mountingRoles } from '../workloads';

type Tree = Record<string, unknown>;

/** Inline policies that the template gives a role: its own, and those of AWS::IAM::Policy. */
function promisedPolicies(role: Promised, policies: Promised[]): Record<string, unknown> {
  const own = ((role.properties.Policies ?? []) as Tree[]).map((one) => [one.PolicyName, one.PolicyDocument] as const);
  const more = policies
    .filter((one) => ((one.properties.Roles ?? []) as string[]).includes(role.id))
    .map((one) => [one.properties.PolicyName, one.properties.PolicyDocument] as const);
  return Object.fromEntries([...own, ...more].map(([name, document]) => [String(name), document]));
}

async function drift({ live, find }: Examination, role: Promised, policies: Promised[]): Promise<void> {
  const actual = await live.iam.role(role.id);
  if (!actual) {
    return find('role-missing', role.id, `${role.logicalId} does not exist any more.`, live.revert);
  }
  for (const one of differences(role.properties.AssumeRolePolicyDocument, JSON.parse(actual.trust))) {
    find(
      'role-trust',
      role.id,
      `${one.path.join('.')} is ${show(one.live)}; promised is ${show(one.promised)}.`,
      live.revert,
    );
  }
  const wanted = promisedPolicies(role, policies);
  for (const [name, document] of Object.entries(wanted)) {
    const found = actual.inline[name];
    const changed = found === undefined ? [] : differences(document, JSON.parse(found), ['Condition']);
    if (found === undefined || changed.length > 0) {
      const what = changed.map(
        (one) => `${one.path.join('.')} is ${show(one.live)}; promised is ${show(one.promised)}`,
      );
      find('role-policy', role.id, `The policy ${name}: ${what.join('. ') || 'it is missing'}.`, live.revert);
    }
  }
  for (const name of Object.keys(actual.inline).filter((one) => !(one in wanted))) {
    find(
      'role-policy',
      role.id,
      `It has a policy ${name} that nobody promised: ${show(actual.inline[name])}.`,
      `aws iam delete-role-policy --role-name ${role.id} --policy-name ${name}`,
    );
  }
  // One that only CloudFormation knows is not compared.
  const managed = (role.properties.ManagedPolicyArns ?? []) as unknown[];
  for (const arn of managed.filter((one) => typeof one === 'string' && !actual.attached.includes(one))) {
    find(
      'role-policy',
      role.id,
      `The managed policy ${show(arn)} is not attached.`,
      `aws iam attach-role-policy --role-name ${role.id} --policy-arn ${show(arn)}`,
    );
  }
  const known = managed.every((one) => typeof one === 'string');
  for (const arn of actual.attached.filter((one) => known && !managed.includes(one))) {
    find(
      'role-policy',
      role.id,
      `The managed policy ${arn} is attached, which nobody promised.`,
      `aws iam detach-role-policy --role-name ${role.id} --policy-arn ${arn}`,
    );
  }
}

/** What the role may do beyond its own access point, by its own policies. */
async function reach({ live, find }: Examination): Promise<void> {
  const points = await live.efs.accessPoints();
  for (const { unit, roleArn, roleName, accessPointArn } of await mountingRoles(live)) {
    // With a policy that allows nothing: only the role’s own policies decide.
    const policies = { identity: await live.iam.statements(roleName), resource: [] };
    const may = (action: 'ClientMount' | 'ClientRootAccess', point?: string) =>
      mayClient(action, live.efs.arn, policies, { principal: roleArn, accessPointArn: point, tls: true }) !== 'no';
    const others = points
      .map((one) => one.AccessPointArn!)
      .filter((one) => one !== accessPointArn && may('ClientMount', one));
    if (may('ClientRootAccess') || may('ClientRootAccess', accessPointArn)) {
      find('role-root-access', roleName, `The role of ${unit} is allowed ClientRootAccess.`, live.revert);
    } else if (others.length > 0 || may('ClientMount')) {
      const what = [
        ...others.map((one) => one.split('/').pop()!),
        ...(may('ClientMount') ? ['no access point at all'] : []),
      ];
      find(
        'role-mounts-others',
        roleName,
        `The role of ${unit} may also mount through ${what.join(', ')}.`,
        live.revert,
      );
    }
  }
}

export const roles: Check = {
  name: 'roles',
  kinds: {
    'role-missing': { severity: 'critical', title: 'A role is gone', why: 'What assumes it does not start.' },
    'role-trust': {
      severity: 'critical',
      title: 'Another principal may assume a role, or the service may not',
      why: 'A task, a backup or a schedule does not start; or somebody else acts in its name.',
    },
    'role-policy': {
      severity: 'warning',
      title: 'A role may do other things than promised',
      why: 'Too little: a task does not start, does not log, or cannot mount. Too much: the next mistake or intruder reaches further.',
    },
    'role-mounts-others': {
      severity: 'critical',
      title: 'A workload may mount other workloads’ directories',
      why: 'The access point is the only wall between them.',
    },
    'role-root-access': {
      severity: 'critical',
      title: 'A workload’s role may act as root on the volume',
      why: 'It reads and changes every file, past every access point.',
    },
  },
  async run(examination) {
    const { live } = examination;
    const policies = live.stack.promised('AWS::IAM::Policy');
    await Promise.all(live.stack.promised('AWS::IAM::Role').map((role) => drift(examination, role, policies)));
    await reach(examination);
  },
};
