import { Match, Template } from 'aws-cdk-lib/assertions';
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { EfsDataLayer, OpenSearchServerlessProps, SearchStore } from '../../lib';
import { dataLayer, statementsOf } from '../helpers';

const READER = 'arn:aws:iam::123456789012:role/Auditor';

interface Rule {
  Rules: { ResourceType: string; Resource: string[]; Permission: string[] }[];
  Principal: string[];
}

/** A policy's document, what is known at deployment only as a word. */
function document(policy: unknown): string {
  return typeof policy === 'string'
    ? policy
    : (policy as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1]
        .map((part) => (typeof part === 'string' ? part : (part as Record<string, string[]>)['Fn::GetAtt'][0]))
        .join('');
}

function make(props: OpenSearchServerlessProps = {}) {
  const { template } = dataLayer({ search: SearchStore.openSearchServerless(props) });
  const [access] = Object.values(template.findResources('AWS::OpenSearchServerless::AccessPolicy'));
  const policies = Object.fromEntries(
    Object.values(template.findResources('AWS::OpenSearchServerless::SecurityPolicy')).map(({ Properties }) => [
      Properties.Type as string,
      JSON.parse(document(Properties.Policy)),
    ]),
  );
  return { template, rules: JSON.parse(document(access.Properties.Policy)) as Rule[], policies };
}

describe('openSearchServerless', () => {
  const { template, rules, policies } = make({ readerArns: [READER] });
  const [[collectionId, collection]] = Object.entries(template.findResources('AWS::OpenSearchServerless::Collection'));
  const name = collection.Properties.Name as string;

  test('a search collection in a NextGen group that goes down to nothing', () => {
    template.hasResourceProperties('AWS::OpenSearchServerless::CollectionGroup', {
      Name: name,
      Generation: 'NEXTGEN',
      StandbyReplicas: 'ENABLED',
      CapacityLimits: {
        MinIndexingCapacityInOcu: 0,
        MaxIndexingCapacityInOcu: 2,
        MinSearchCapacityInOcu: 0,
        MaxSearchCapacityInOcu: 2,
      },
    });
    expect(collection.Properties).toMatchObject({ Type: 'SEARCH', CollectionGroupName: name });
    expect(name).toMatch(/^[a-z][a-z0-9-]{2,27}$/);
  });
  test('the group and the three policies are made before it', () => {
    const before = (collection.DependsOn as string[]).map((id) => template.toJSON().Resources[id].Type as string);
    expect(before.sort()).toEqual([
      'AWS::OpenSearchServerless::AccessPolicy',
      'AWS::OpenSearchServerless::CollectionGroup',
      'AWS::OpenSearchServerless::SecurityPolicy',
      'AWS::OpenSearchServerless::SecurityPolicy',
    ]);
    expect(policies).toEqual({
      encryption: { Rules: [{ ResourceType: 'collection', Resource: [`collection/${name}`] }], AWSOwnedKey: true },
      network: [{ Rules: [{ ResourceType: 'collection', Resource: [`collection/${name}`] }], AllowFromPublic: true }],
    });
  });
  test('the evidence task fills it, the reader reads, and nobody deletes', () => {
    expect(rules).toHaveLength(2);
    expect(rules[0].Principal).toEqual([expect.stringMatching(/^DataEvidence.*TaskRole/)]);
    expect(rules[0].Rules[0].Permission).toContain('aoss:WriteDocument');
    expect(rules[1]).toMatchObject({
      Principal: [READER],
      Rules: [{ Resource: [`index/${name}/evidence`], Permission: ['aoss:DescribeIndex', 'aoss:ReadDocument'] }],
    });
    expect(JSON.stringify(rules)).not.toMatch(/Delete|aoss:\*/);
    expect(statementsOf(template, 'EvidenceTaskTaskRole')).toContainEqual(
      expect.objectContaining({ Action: 'aoss:APIAccessAll', Resource: { 'Fn::GetAtt': [collectionId, 'Arn'] } }),
    );
  });
  test('another tag changes the group, not the collection, which it would replace', () => {
    const tagged = dataLayer({ costCenter: 'x', search: SearchStore.openSearchServerless({ readerArns: [READER] }) });
    tagged.template.hasResourceProperties('AWS::OpenSearchServerless::CollectionGroup', {
      Tags: Match.arrayWith([{ Key: 'CostCenter', Value: 'x' }]),
    });
    expect(tagged.template.findResources('AWS::OpenSearchServerless::Collection')).toEqual({
      [collectionId]: collection,
    });
    expect(collection.Properties).not.toHaveProperty('Tags');
  });
  test('its address is an output; the copy goes with the stack', () => {
    template.hasOutput('*', { Value: { 'Fn::GetAtt': [collectionId, 'CollectionEndpoint'] } });
    expect(collection).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
    template.resourceCountIs('AWS::OpenSearchServerless::VpcEndpoint', 0);
  });
});

test('private: an endpoint in two zones, the only way in, for the evidence task only', () => {
  const stack = new Stack(new App(), 'Test');
  const bucket = s3.Bucket.fromBucketName(stack, 'Export', 'exports');
  const data = new EfsDataLayer(stack, 'Data', {
    search: SearchStore.openSearchServerless({ privateAccess: true }),
    evidence: { focusExport: { bucket, prefix: 'focus/cost' } },
  });
  data.evidence.scheduleOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
  const template = Template.fromStack(stack);
  const [[endpoint, { Properties }]] = Object.entries(template.findResources('AWS::OpenSearchServerless::VpcEndpoint'));
  expect(Properties.SubnetIds).toHaveLength(2);
  template.hasResourceProperties('AWS::OpenSearchServerless::SecurityPolicy', {
    Type: 'network',
    Policy: { 'Fn::Join': ['', Match.arrayWith([{ 'Fn::GetAtt': [endpoint, 'Id'] }])] },
  });
  const doors = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'));
  expect(doors.filter(({ Properties: door }) => door.FromPort === 443)).toEqual([
    expect.objectContaining({
      Properties: expect.objectContaining({
        GroupId: Properties.SecurityGroupIds[0],
        SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringContaining('DataEvidence'), 'GroupId'] },
      }),
    }),
  ]);
});

test('none makes nothing', () => {
  expect(JSON.stringify(dataLayer({ search: SearchStore.none() }).template.toJSON())).not.toContain('OpenSearch');
});

test.each<[object, RegExp]>([
  [{ readerArns: ['Auditor'] }, /readerArns names "Auditor", which is no role or user\. Pass ARNs/],
  [{ readerArns: [] }, /readerArns is not a list of strings with at least one/],
  [{ indexerArns: ['arn:aws:iam::123456789012:root'] }, /indexerArns names "arn:aws:iam::123456789012:root"/],
  [{ privateAccess: 'yes' }, /privateAccess is "yes"/],
  [{ maxSearchOcu: 0 }, /maxSearchOcu is 0 \(number\)\. Pass a whole number from 1 to 1696/],
  [{ maxIndexingOcu: 2.5 }, /maxIndexingOcu is 2\.5/],
])('refuses %p', (props, message) => {
  expect(() => make(props as never)).toThrow(message);
});
test('refuses a search that is none of SearchStore', () => {
  expect(() => dataLayer({ search: 'open-search-serverless' as never })).toThrow(/Pass SearchStore/);
});
