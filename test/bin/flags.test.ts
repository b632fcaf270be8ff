import { App } from 'aws-cdk-lib';
import { FLAGS, flagHelp, parseFocusExport, readFlags } from '../../bin/flags';

const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000';

const read = (context: Record<string, unknown>) => readFlags(new App({ context }));

test('defaults', () => {
  expect(read({})).toEqual({
    stage: 'prod',
    services: false,
    relational: 'sqlite-on-efs',
    relationalPhase: undefined,
    relationalHost: undefined,
    relationalSecret: undefined,
    vectors: 'chroma-on-efs',
    qdrantUrl: undefined,
    qdrantSecret: undefined,
    analytics: 'evidence-files',
    tableBucket: undefined,
    glueCatalog: 'create',
    search: 'none',
    searchReaders: undefined,
    searchIndexers: undefined,
    searchPrivate: false,
    cache: 'none',
    replicas: 1,
    certificateArn: undefined,
    allowedCidrs: undefined,
    domainName: undefined,
    hostedZoneId: undefined,
    architecture: 'arm64',
    backup: true,
    alarms: false,
    alarmTopicArn: undefined,
    allowDestroy: false,
    focusExport: undefined,
    createFocusExport: undefined,
    monthlyBudgetUsd: 6,
    storedGiB: undefined,
    priceRegion: undefined,
    costCenter: undefined,
  });
});

test.each([
  ['monthlyBudgetUsd', '7.5', 7.5],
  ['storedGiB', 20, 20],
  ['priceRegion', 'eu-west-1', 'eu-west-1'],
] as const)('%s=%p means %p', (name, given, value) => {
  expect(read({ [`data-layer:${name}`]: given })[name]).toBe(value);
});

test.each([
  ['monthlyBudgetUsd', '-1'],
  ['monthlyBudgetUsd', ''],
  ['storedGiB', 'much'],
  ['priceRegion', 'mars-1'],
])('%s=%p is refused', (name, given) => {
  expect(() => read({ [`data-layer:${name}`]: given })).toThrow(
    `data-layer:${name}=${JSON.stringify(given)} is not valid`,
  );
});

test.each([
  [false, false],
  ['false', false],
  [true, true],
  ['true', true],
])('services=%p means %p', (given, value) => {
  expect(read({ 'data-layer:services': given }).services).toBe(value);
});

describe('every wrong flag is an error that lists what is valid', () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ 'data-layer:service': true }, /data-layer:service is no flag.*Did you mean data-layer:services\?/s],
    [{ 'data-layer:quantum': true }, /data-layer:quantum is no flag/],
    [{ services: true }, /services has no prefix.*Write data-layer:services/s],
    [{ 'data-layer:services': 'yes' }, /data-layer:services="yes" is not valid. Valid: true \| false/],
    [{ 'data-layer:backup': 1 }, /data-layer:backup=1 is not valid/],
    [{ 'data-layer:stage': 'qa' }, /Valid: prod \| staging \| dev/],
    [{ 'data-layer:relational': 'oracle' }, /Valid: sqlite-on-efs \| rds-postgres/],
    [{ 'data-layer:relational': 'rds-postgres' }, /needs data-layer:relationalPhase: prepare when .* cutover for/],
    [
      { 'data-layer:relationalPhase': 'cutover' },
      /has no meaning with data-layer:relational=sqlite-on-efs.*the database stays/s,
    ],
    [{ 'data-layer:relationalPhase': 'done' }, /Valid: prepare \| cutover \| complete/],
    [
      { 'data-layer:relational': 'external' },
      /external needs data-layer:relationalHost.*needs data-layer:relationalSecret/s,
    ],
    [{ 'data-layer:relationalHost': 'db' }, /relationalHost goes with data-layer:relational=external only/],
    [{ 'data-layer:relationalSecret': 'my-secret' }, /Valid: the complete ARN of a secret/],
    [{ 'data-layer:qdrantUrl': 'https://q:6333' }, /qdrantUrl goes with data-layer:vectors=qdrant only/],
    [
      { 'data-layer:certificateArn': CERTIFICATE },
      /needs data-layer:allowedCidrs: who may connect.*needs data-layer:services/s,
    ],
    [
      { 'data-layer:alarmTopicArn': 'arn:aws:sns:us-east-1:123456789012:alerts' },
      /alarmTopicArn needs data-layer:alarms/,
    ],
    [{ 'data-layer:allowedCidrs': '10.0.0.0/8' }, /allowedCidrs needs data-layer:certificateArn/],
    [{ 'data-layer:allowedCidrs': '10.0.0.1/8' }, /Valid: <network>,<network>/],
    [{ 'data-layer:hostedZoneId': 'Z0123456789' }, /hostedZoneId needs data-layer:domainName/],
    [{ 'data-layer:domainName': 'https://x' }, /Valid: a host name/],
    [{ 'data-layer:replicas': 0 }, /replicas=0 is not valid. Valid: 1 to 100/],
    [{ 'data-layer:replicas': '1e2' }, /Valid: 1 to 100/],
    [{ 'data-layer:replicas': [2] }, /Valid: 1 to 100/],
    [{ 'data-layer:focusExport': 'my-bucket/focus' }, /Valid: s3:\/\//],
    [{ 'data-layer:costCenter': '' }, /costCenter="" is not valid/],
    [{ 'data-layer:costCenter': 'a <b>' }, /costCenter="a <b>" is not valid. Valid: 1 to 256 letters/],
    [{ 'data-layer:costCenter': '  ' }, /costCenter=" {2}" is not valid/],
    [{ 'data-layer:costCenter': 'x'.repeat(257) }, /is not valid. Valid: 1 to 256 letters/],
    [{ 'data-layer:costCenter': 7 }, /costCenter=7 is not valid/],
    [{ 'data-layer:focusExport': 's3://exports/focus/*' }, /Valid: s3:\/\//],
    [{ 'data-layer:focusExport': 's3://exports/focus/' }, /Valid: s3:\/\//],
    [{ 'data-layer:focusExport': { bucket: 'exports' } }, /Valid: s3:\/\//],
    [{ 'data-layer:stage': null }, /data-layer:stage=null is not valid. Valid: prod/],
    [{ 'data-layer:architecture': ['arm64'] }, /Valid: arm64 \| x86_64/],
    [{ 'data-layer:vectors': 'milvus' }, /vectors="milvus" is not valid. Valid: chroma-on-efs \| pgvector/],
    [{ 'data-layer:vectors': 'qdrant' }, /needs data-layer:qdrantUrl.*does not work on NFS/s],
    [
      { 'data-layer:search': 'opensearch-serverless' },
      /search="opensearch-serverless" is not valid. Valid: none \| open-search-serverless\./,
    ],
    [
      { 'data-layer:searchReaders': 'me', 'data-layer:search': 'open-search-serverless' },
      /searchReaders="me" is not valid/,
    ],
    [
      { 'data-layer:searchIndexers': 'arn:aws:iam::123456789012:role/Ci' },
      /searchIndexers goes with data-layer:search=/,
    ],
    [{ 'data-layer:searchPrivate': true }, /searchPrivate goes with data-layer:search=open-search-serverless only/],
    [{ 'data-layer:analytics': 'athena' }, /analytics="athena" is not valid. Valid: evidence-files \| s3-tables\./],
    [{ 'data-layer:analytics': 's3-tables' }, /analytics=s3-tables needs data-layer:focusExport: it is what/],
    [{ 'data-layer:tableBucket': 'kept-bucket' }, /tableBucket goes with data-layer:analytics=s3-tables only/],
    [{ 'data-layer:tableBucket': 'Kept_Bucket' }, /tableBucket="Kept_Bucket" is not valid. Valid: the name of a table/],
    [{ 'data-layer:tableBucket': 'aws-kept' }, /tableBucket="aws-kept" is not valid/],
    [{ 'data-layer:glueCatalog': 'existing' }, /glueCatalog=existing goes with data-layer:analytics=s3-tables only/],
    [
      { 'data-layer:glueCatalog': 'awsdatacatalog' },
      /glueCatalog="awsdatacatalog" is not valid. Valid: create \| existing/,
    ],
    [{ 'data-layer:createFocusExport': 'Sydney' }, /createFocusExport="Sydney" is not valid. Valid: a region/],
    [{ 'data-layer:createFocusExport': 'us-east-1' }, /createFocusExport needs data-layer:focusExport/],
    [
      { 'data-layer:createFocusExport': 'us-gov-west-1', 'data-layer:focusExport': 's3://exports/focus/cost' },
      /createFocusExport=us-gov-west-1: CloudFormation makes no export in that partition. Make it there by hand/,
    ],
    [
      { 'data-layer:createFocusExport': 'us-east-1', 'data-layer:focusExport': 's3://my.exports/focus/cost' },
      /focusExport=s3:\/\/my\.exports\/focus\/cost cannot be made: the bucket takes lower-case letters/,
    ],
    [
      { 'data-layer:createFocusExport': 'us-east-1', 'data-layer:focusExport': 's3://exports/cost' },
      /focusExport=s3:\/\/exports\/cost cannot be made/,
    ],
    [{ 'data-layer:cache': 'redis' }, /cache="redis" is not valid. Valid: none \| valkey-serverless\./],
    [{ 'data-layer:toString': 'x' }, /data-layer:toString is no flag/],
    [{ 'dataLayer:services': true }, /misspelt prefix.*Write data-layer:services/],
    [{ 'efs-data-layer:services': true }, /misspelt prefix.*Write data-layer:services/],
    [{ 'data-layer:allowDestroy': true }, /goes with data-layer:stage=dev only/],
  ])('%p', (context, message) => {
    expect(() => read(context)).toThrow(message);
    expect(() => read(context)).toThrow(/Valid flags:/);
  });
  test('all problems are told at once', () => {
    expect(() => read({ 'data-layer:stage': 'qa', 'data-layer:services': 'yes' })).toThrow(/services.*\n.*|stage/);
    try {
      read({ 'data-layer:stage': 'qa', 'data-layer:services': 'yes' });
    } catch (error) {
      expect((error as Error).message.match(/is not valid/g)).toHaveLength(2);
    }
    expect.assertions(2);
  });
});

test.each([
  [2, 2],
  ['3', 3],
  ['100', 100],
])('replicas=%p means %p', (given, value) => {
  expect(read({ 'data-layer:replicas': given }).replicas).toBe(value);
});

test('the help has a row for every flag', () => {
  for (const name of Object.keys(FLAGS)) {
    expect(flagHelp()).toContain(`data-layer:${name}=`);
  }
});

test('an export’s address is split', () => {
  expect(parseFocusExport('s3://exports/focus/2026/cost')).toEqual({
    bucketName: 'exports',
    prefix: 'focus/2026/cost',
  });
});
