import { Body, check, compliant } from '../helpers';

const alone = (body: Body) => [...new Set(check({ Data: body }))];
const FOUND = ['DataDeletedWithStack Data'];

test('compliant: both attributes', () => {
  expect(check(compliant())).toEqual([]);
});
test('non-compliant: one attribute of a file system missing is one finding, both are two', () => {
  const { Fs } = compliant();
  expect(check({ Fs: { ...Fs, DeletionPolicy: 'Delete' } })).toEqual(['DataDeletedWithStack Fs']);
  expect(check({ Fs: { ...Fs, UpdateReplacePolicy: 'Delete' } })).toEqual(['DataDeletedWithStack Fs']);
  expect(check({ Fs: { Type: Fs.Type, Properties: Fs.Properties } })).toEqual([
    'DataDeletedWithStack Fs',
    'DataDeletedWithStack Fs',
  ]);
});
test('non-compliant: a snapshot of a file system, which does not exist', () => {
  const { Fs } = compliant();
  expect(check({ Fs: { ...Fs, DeletionPolicy: 'Snapshot' } })).toEqual(['DataDeletedWithStack Fs']);
});
test.each([
  'AWS::RDS::DBCluster',
  'AWS::RDS::DBInstance',
  'AWS::DynamoDB::Table',
  'AWS::S3Tables::TableBucket',
  'AWS::S3Tables::Table',
  'AWS::S3Vectors::VectorBucket',
  'AWS::S3Vectors::Index',
  'AWS::OpenSearchServerless::Collection',
  'AWS::OpenSearchService::Domain',
  'AWS::DSQL::Cluster',
])('%s', (Type) => {
  expect(alone({ Type, DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })).toEqual([]);
  expect(alone({ Type, DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' })).toEqual([]);
  expect(alone({ Type, DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Retain' })).toEqual(FOUND);
  expect(alone({ Type, DeletionPolicy: 'Retain' })).toEqual(FOUND);
});
test('compliant: a snapshot of a database, which is also what CloudFormation does unasked at deletion', () => {
  expect(alone({ Type: 'AWS::RDS::DBInstance', UpdateReplacePolicy: 'Snapshot' })).toEqual([]);
});
test('compliant: an instance of a cluster, whose data is in the cluster, and a replica', () => {
  const instance = (Properties: Record<string, unknown>): Body => ({
    Type: 'AWS::RDS::DBInstance',
    Properties,
    DeletionPolicy: 'Delete',
  });
  expect(alone(instance({ DBClusterIdentifier: 'cluster' }))).toEqual([]);
  expect(alone(instance({ SourceDBInstanceIdentifier: 'primary' }))).toEqual([]);
  expect(alone(instance({}))).toEqual(FOUND);
});
test('compliant: what holds no data', () => {
  expect(alone({ Type: 'AWS::ElastiCache::ServerlessCache' })).toEqual([]);
});
