import { Check, Examination } from '../examination';
import { accountOf, principalsOf, Statement, statementsOf, wholeAccount } from '../iam/evaluate';
import { ClientAction, mayClient, Mounting } from '../iam/mounting';
import { mountingRoles } from '../workloads';

const ALL: ClientAction[] = ['ClientMount', 'ClientWrite', 'ClientRootAccess'];

/** What the data layer attaches: whoever is not denied still needs an Allow of its own. */
const PROMISED = {
  Version: '2012-10-17',
  Statement: [
    {
      ...{ Sid: 'DenyWithoutTls', Effect: 'Deny', Principal: { AWS: '*' }, Action: '*' },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ],
};

/** Principals that the policy of the file system itself allows something, by name. */
function namedPrincipals(statements: Statement[]): string[] {
  const allowed = statements.filter((one) => one.Effect === 'Allow').flatMap((one) => principalsOf(one.Principal));
  return [...new Set(allowed.filter((one) => one !== '*'))];
}

/** What somebody may do, in words. */
function allowed(arn: string, statements: Statement[], who: Mounting): ClientAction[] {
  return ALL.filter((action) => mayClient(action, arn, { identity: [], resource: statements }, who) !== 'no');
}

async function workloads({ live, find }: Examination, statements: Statement[], mend: string): Promise<Mounting[]> {
  const plain: Mounting[] = [];
  for (const one of await mountingRoles(live)) {
    const policies = { identity: await live.iam.statements(one.roleName), resource: statements };
    const who = { principal: one.roleArn, accessPointArn: one.accessPointArn, tls: true };
    const wanted: ClientAction[] = one.writes ? ['ClientMount', 'ClientWrite'] : ['ClientMount'];
    const missing = wanted.filter((action) => mayClient(action, live.efs.arn, policies, who) === 'no');
    if (missing.length > 0) {
      find(
        'workload-locked-out',
        one.unit,
        `Its role ${one.roleName} is not allowed ${missing.join(' and ')} through ${one.accessPointId}.`,
        `${mend}   (and its role: ${live.revert})`,
      );
    }
    if (mayClient('ClientMount', live.efs.arn, policies, { ...who, tls: false }) !== 'no') {
      plain.push({ ...who, tls: false });
    }
  }
  return plain;
}

export const fileSystemPolicy: Check = {
  name: 'file-system policy',
  kinds: {
    'policy-missing': {
      severity: 'critical',
      title: 'The file system has no policy',
      why: 'EFS then lets in whoever reaches a mount target, without IAM, without TLS, as root.',
    },
    'plaintext-mount': {
      severity: 'critical',
      title: 'The volume can be mounted without TLS',
      why: 'Chats, uploads and session keys cross the network in the clear.',
    },
    'anonymous-mount': {
      severity: 'critical',
      title: 'The volume can be mounted without an identity',
      why: 'Whoever reaches a mount target reads every workload’s files; no role is asked for.',
    },
    'root-access': {
      severity: 'critical',
      title: 'The policy of the file system lets a principal act as root',
      why: 'It reads and changes every file, past every access point.',
    },
    'other-account-mount': {
      severity: 'critical',
      title: 'Another account may mount the volume',
      why: 'Who that is, the other account decides.',
    },
    'mount-without-access-point': {
      severity: 'warning',
      title: 'A principal may mount without an access point',
      why: 'It sees the whole file system as the user it says it is, not one directory as the user the access point says.',
    },
    'workload-locked-out': {
      severity: 'critical',
      title: 'A workload may not mount its directory, or not write',
      why: 'Its next task does not start, or its database is read-only.',
    },
  },
  async run(examination) {
    const { live, find } = examination;
    const text = await live.efs.policy();
    const mend = `aws efs put-file-system-policy --file-system-id ${live.efs.id} ${live.at} --policy '${JSON.stringify(PROMISED)}'`;
    if (text === undefined) {
      return find('policy-missing', live.efs.id, 'There is none.', mend);
    }
    const statements = statementsOf(text);
    const policies = { identity: [], resource: statements };
    const plain = await workloads(examination, statements, mend);
    const anonymous = allowed(live.efs.arn, statements, { tls: true });
    const inTheClear = allowed(live.efs.arn, statements, { tls: false });
    if (anonymous.length > 0) {
      find('anonymous-mount', live.efs.id, `A client without IAM may ${anonymous.join(', ')}.`, mend);
    }
    if (plain.length > 0 || inTheClear.length > 0) {
      const roles = plain.map((one) => one.principal!.split('/').pop());
      const who = inTheClear.length > 0 ? ['anybody', ...roles] : roles;
      find('plaintext-mount', live.efs.id, `Without TLS it can be mounted by ${who.join(', ')}.`, mend);
    }
    for (const principal of namedPrincipals(statements)) {
      const account = wholeAccount(principal) ?? accountOf(principal);
      // For a whole account: any role of it that its own policies let.
      const arn = wholeAccount(principal) ? `arn:aws:iam::${account}:role/any` : principal;
      const own = wholeAccount(principal)
        ? { identity: [{ Effect: 'Allow', Action: '*', Resource: '*' } as Statement], resource: statements }
        : policies;
      const may = ALL.filter((action) => mayClient(action, live.efs.arn, own, { principal: arn, tls: true }) !== 'no');
      if (account !== live.stack.account && may.length > 0) {
        find('other-account-mount', live.efs.id, `${principal} may ${may.join(', ')}.`, mend);
      } else if (may.includes('ClientRootAccess') && !wholeAccount(principal)) {
        find('root-access', live.efs.id, `${principal} may ${may.join(', ')}.`, mend);
      } else if (may.length > 0 && !wholeAccount(principal)) {
        find('mount-without-access-point', live.efs.id, `${principal} may ${may.join(', ')}.`, mend);
      }
    }
  },
};
