import { accessPointStatement } from '../../lib/storage/policy';
import { dataLayer } from '../helpers';

describe('the file system’s policy', () => {
  test('policy: denies what is not TLS and allows nobody anything', () => {
    const [fileSystem] = Object.values(dataLayer().template.findResources('AWS::EFS::FileSystem'));
    const statements = fileSystem.Properties.FileSystemPolicy.Statement;
    expect(statements).toEqual([
      {
        Sid: 'DenyWithoutTls',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]);
  });
});

test('a role’s statement allows mounting, writing unless read-only, and never root', () => {
  const actions = (readOnly: boolean) => accessPointStatement('fs', 'ap', readOnly).toStatementJson().Action;
  expect(actions(false)).toEqual(['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite']);
  expect(actions(true)).toBe('elasticfilesystem:ClientMount');
  expect(accessPointStatement('fs', 'ap', true).toStatementJson().Condition).toEqual({
    StringEquals: { 'elasticfilesystem:AccessPointArn': 'ap' },
  });
});
