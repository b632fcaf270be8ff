import {
  AthenaClient,
  GetNamedQueryCommand,
  GetWorkGroupCommand,
  ListNamedQueriesCommand,
} from '@aws-sdk/client-athena';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetBucketVersioningCommand, GetPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { ListTableBucketsCommand, ListTablesCommand, S3TablesClient } from '@aws-sdk/client-s3tables';
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { DescribeStateMachineCommand, ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { Deployment, STACK } from './deployment';

// Evidence in S3 Tables with the real cdk command: made, given up, taken up again. The emulator knows what is there, not
// what a query answers: that is npm run test:tables.
jest.setTimeout(600_000);

const flags = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => ['-c', `data-layer:${name}=${value}`]);
const EXPORT = { focusExport: 's3://focus-exports-123456789012/focus/cost', createFocusExport: 'us-east-1' };
const TABLES = { ...EXPORT, analytics: 's3-tables', alarms: 'true' };

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
});

afterAll(() => deployment?.stop());

const bucketsOf = async () =>
  (await new S3TablesClient(deployment.aws.client).send(new ListTableBucketsCommand({}))).tableBuckets!.map(
    ({ name, arn }) => ({ name: name!, arn: arn! }),
  );
const tablesIn = async (tableBucketARN: string) =>
  (await new S3TablesClient(deployment.aws.client).send(new ListTablesCommand({ tableBucketARN }))).tables!.map(
    ({ namespace, name, tableARN }) => `${namespace![0]}.${name} ${tableARN}`,
  );

/** The metrics of the load that an alarm looks at, by what it looks at. */
async function loadAlarms(): Promise<Record<string, string[]>> {
  const { MetricAlarms = [] } = await new CloudWatchClient(deployment.aws.client).send(new DescribeAlarmsCommand({}));
  const found: Record<string, string[]> = {};
  for (const { Namespace, MetricName, Dimensions } of MetricAlarms) {
    if (Namespace === 'AWS/States') {
      const [{ Name, Value }] = Dimensions!;
      found[`${Name} ${Value}`] = [...(found[`${Name} ${Value}`] ?? []), MetricName!].sort();
    }
  }
  return found;
}

let bucket: { name: string; arn: string };
let tables: string[];

test('with the flag: table bucket, tables, workgroup, saved queries, load and its schedule', async () => {
  await deployment.deploy(...flags(TABLES));
  const { client } = deployment.aws;
  [bucket] = await bucketsOf();
  expect(bucket.name).toMatch(/^efs-data-layer-[0-9a-f]{8}-[0-9a-f]+$/);
  tables = await tablesIn(bucket.arn);
  expect(tables.map((table) => table.split(' ')[0]).sort()).toEqual(['focus.cost_and_usage_v1_2', 'focus.month_loads']);

  const [workGroupName] = Object.values(await deployment.resources(/^AWS::Athena::WorkGroup$/));
  const athena = new AthenaClient(client);
  const { WorkGroup } = await athena.send(new GetWorkGroupCommand({ WorkGroup: workGroupName }));
  expect(WorkGroup!.Configuration).toMatchObject({
    EnforceWorkGroupConfiguration: true,
    BytesScannedCutoffPerQuery: 100 * 1024 ** 3,
    ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
  });
  const { NamedQueryIds } = await athena.send(new ListNamedQueriesCommand({ WorkGroup: workGroupName }));
  expect(NamedQueryIds).toHaveLength(6);
  const { NamedQuery } = await athena.send(new GetNamedQueryCommand({ NamedQueryId: NamedQueryIds![0] }));
  expect(NamedQuery!.QueryString).toContain(`"s3tablescatalog/${bucket.name}"."focus"."cost_and_usage_v1_2"`);

  const [databaseName] = Object.values(await deployment.resources(/^AWS::Glue::Database$/));
  const { Table } = await new GlueClient(client).send(
    new GetTableCommand({ DatabaseName: databaseName, Name: 'focus_1_2_export' }),
  );
  expect(Table!.Parameters!['storage.location.template']).toBe(
    's3://focus-exports-123456789012/focus/cost/data/BILLING_PERIOD=${billing_period}/',
  );

  const sfn = new SFNClient(client);
  const [{ stateMachineArn }] = (await sfn.send(new ListStateMachinesCommand({}))).stateMachines!;
  const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
  expect(JSON.parse(definition!)).toMatchObject({ QueryLanguage: 'JSONata', StartAt: 'Months' });
  expect(definition).toContain(bucket.name);
  const scheduler = new SchedulerClient(client);
  const schedules = (await scheduler.send(new ListSchedulesCommand({}))).Schedules!;
  const { Target } = await scheduler.send(new GetScheduleCommand({ Name: schedules[0].Name }));
  expect(Target).toMatchObject({ Arn: stateMachineArn, Input: '{}' });
  expect(await loadAlarms()).toEqual({
    [`StateMachineArn ${stateMachineArn}`]: [
      'ExecutionsAborted',
      'ExecutionsFailed',
      'ExecutionsSucceeded',
      'ExecutionsTimedOut',
    ],
  });
});

test('the export is delivered to a bucket that only Data Exports of this account may write to', async () => {
  const recorded = await deployment.aws.recorded();
  const made = recorded.find(({ type }) => type === 'AWS::BCMDataExports::Export')!;
  expect(made.properties).toMatchObject({
    Export: {
      Name: 'cost',
      DestinationConfigurations: {
        S3Destination: { S3Bucket: 'focus-exports-123456789012', S3Prefix: 'focus', S3Region: 'us-east-1' },
      },
    },
  });
  const policy = recorded.find(
    ({ type, properties }) => type === 'AWS::S3::BucketPolicy' && properties.Bucket === 'focus-exports-123456789012',
  )!;
  const { Statement } = policy.properties.PolicyDocument as { Statement: { Sid?: string }[] };
  expect(Statement.find(({ Sid }) => Sid === 'DeliverExport')).toMatchObject({
    Principal: { Service: 'bcm-data-exports.amazonaws.com' },
    Condition: {
      StringEquals: { 'aws:SourceAccount': '123456789012' },
      ArnLike: { 'aws:SourceArn': 'arn:aws:bcm-data-exports:us-east-1:123456789012:export/*' },
    },
  });
  const s3 = new S3Client({ ...deployment.aws.client, forcePathStyle: true });
  const Bucket = 'focus-exports-123456789012';
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
  const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }));
  expect(Object.values(PublicAccessBlockConfiguration!)).toEqual([true, true, true, true]);
});

test('deploying the same again changes nothing', async () => {
  expect(await deployment.deploy(...flags(TABLES))).toContain('(no changes)');
});

test('back to files: the load and the queries go, the table bucket, its tables and the export bucket stay', async () => {
  await deployment.deploy(...flags({ ...EXPORT, alarms: 'true' }));
  expect(await loadAlarms()).toEqual({});
  expect(await bucketsOf()).toEqual([bucket]);
  expect(await tablesIn(bucket.arn)).toEqual(tables);
  expect(await deployment.resources(/^AWS::(S3Tables|Athena|StepFunctions|Glue)::/)).toEqual({});
  expect((await new SFNClient(deployment.aws.client).send(new ListStateMachinesCommand({}))).stateMachines).toEqual([]);
});

test('s3-tables again takes the bucket that stayed, and makes no second catalog', async () => {
  await deployment.deploy(...flags({ ...TABLES, tableBucket: bucket.name, glueCatalog: 'existing' }));
  expect(await bucketsOf()).toEqual([bucket]);
  expect(await tablesIn(bucket.arn)).toEqual(tables);
  const sfn = new SFNClient(deployment.aws.client);
  const [{ stateMachineArn }] = (await sfn.send(new ListStateMachinesCommand({}))).stateMachines!;
  const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
  expect(definition).toContain(`s3tablescatalog/${bucket.name}`);
});

test('in another region the export is a second stack, which knows the bucket by name alone', async () => {
  const { code, output } = await deployment.cdk(
    'synth',
    '--quiet',
    ...flags({ ...EXPORT, createFocusExport: 'ap-southeast-2' }),
  );
  expect({ code, output: code ? output : '' }).toEqual({ code: 0, output: '' });
  const { output: list } = await deployment.cdk('list', ...flags({ ...EXPORT, createFocusExport: 'ap-southeast-2' }));
  expect(list).toContain(`${STACK}-FocusExport`);
});
