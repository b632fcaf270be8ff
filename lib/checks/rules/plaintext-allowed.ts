import { asRecord, asRecords, show } from '../json';
import { Rule } from '../rule';

export const PLAINTEXT_ALLOWED: Rule = {
  name: 'PlaintextAllowed',
  finding: 'The policy of a file system does not refuse clients without TLS.',
  why: 'TLS in one task definition binds that task only: any other client that reaches a mount target may read and write in the clear. Without any policy it also needs no identity.',
  source: 'Amazon EFS User Guide, Using IAM to control access to file systems (aws:SecureTransport)',
  wayOut:
    'Give FileSystemPolicy a statement with Effect Deny, Principal {"AWS": "*"}, Action "*" and Condition {"Bool": {"aws:SecureTransport": "false"}}.',
  check: ({ app }) =>
    app
      .ofType('AWS::EFS::FileSystem')
      .filter(({ properties }) => !statements(properties.FileSystemPolicy).some(refusesPlaintext))
      .map((resource) => ({
        resource,
        problem:
          resource.properties.FileSystemPolicy === undefined
            ? 'FileSystemPolicy is not set.'
            : 'No statement of FileSystemPolicy refuses everybody who comes without TLS.',
        location: 'Properties.FileSystemPolicy',
      })),
};

function statements(policy: unknown) {
  const { Statement } = asRecord(policy);
  return Array.isArray(Statement) ? asRecords(Statement) : [asRecord(Statement)];
}

const ALL_ACTIONS = ['*', 'elasticfilesystem:*', 'elasticfilesystem:Client*', 'elasticfilesystem:ClientMount'];

function refusesPlaintext(statement: ReturnType<typeof asRecord>): boolean {
  const everybody = [statement.Principal, asRecord(statement.Principal).AWS].flat().includes('*');
  const actions = [statement.Action].flat().some((action) => ALL_ACTIONS.includes(String(action)));
  // A second operator or key would narrow the statement to some of the clients.
  const { Bool, ...otherOperators } = asRecord(statement.Condition);
  const { 'aws:SecureTransport': secure, ...otherKeys } = asRecord(Bool);
  return (
    statement.Effect === 'Deny' &&
    everybody &&
    actions &&
    ['"false"', 'false'].includes(show([secure].flat()[0])) &&
    Object.keys(otherOperators).length === 0 &&
    Object.keys(otherKeys).length === 0
  );
}
