import { App, Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AnalyticsStore, DataLayerStack, EfsDataLayer, FocusExport, FocusExportProps, S3TablesProps } from '../../lib';
import { FOCUS_COLUMNS, LOAD_COLUMNS, caseCollisions } from '../../lib/stores/analytics/columns';

const source = (stack: Stack) => ({
  bucket: s3.Bucket.fromBucketName(stack, 'Exports', 'exports'),
  prefix: 'focus/cost',
});

function withTables(props: S3TablesProps = {}) {
  const stack = new Stack(new App(), 'Test');
  const data = new EfsDataLayer(stack, 'Data', {
    analytics: AnalyticsStore.s3Tables(props),
    evidence: { focusExport: source(stack) },
  });
  return { stack, data };
}

describe('columns', () => {
  // An id, a name or a type that changes would replace a table with data in it: a new version of FOCUS gets a new table.
  test('are frozen', () => {
    expect(FOCUS_COLUMNS.map(({ name, icebergType }, at) => `${at + 1} ${name} ${icebergType}`)).toMatchSnapshot();
    expect(LOAD_COLUMNS.map(({ name, icebergType }, at) => `${at + 1} ${name} ${icebergType}`)).toMatchSnapshot();
  });
  test('57 of the specification and three of AWS, none of them twice in lower case', () => {
    expect(FOCUS_COLUMNS.filter(({ source: name }) => !name.startsWith('x_'))).toHaveLength(57);
    expect(FOCUS_COLUMNS).toHaveLength(60);
    expect(caseCollisions(FOCUS_COLUMNS)).toEqual([]);
    expect(caseCollisions([...FOCUS_COLUMNS, { ...FOCUS_COLUMNS[0] }])).toEqual(['availabilityzone']);
  });
});

describe('s3Tables', () => {
  const { stack, data } = withTables();
  const template = Template.fromStack(stack);

  test('tables, namespace, bucket and catalog stay when they leave the stack', () => {
    for (const type of ['TableBucket', 'Namespace', 'Table'].map((name) => `AWS::S3Tables::${name}`)) {
      template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    template.hasResource('AWS::Glue::Catalog', { DeletionPolicy: 'Retain' });
    expect(data.stores.analyticsName).toBe('s3-tables');
  });
  test('the catalog uses IAM for access control', () => {
    const everybody = [{ Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, Permissions: ['ALL'] }];
    template.hasResourceProperties('AWS::Glue::Catalog', {
      Name: 's3tablescatalog',
      FederatedCatalog: { ConnectionName: 'aws:s3tables' },
      CreateDatabaseDefaultPermissions: everybody,
      CreateTableDefaultPermissions: everybody,
      AllowFullTableExternalDataAccess: 'True',
    });
  });
  test('results are encrypted with keys of S3, without which Athena could not write tables', () => {
    template.hasResourceProperties('AWS::Athena::WorkGroup', {
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
      },
    });
  });
  test('a reader may write nothing but results, and none of its statements is about everything', () => {
    const [read] = Object.values(
      template.findResources('AWS::IAM::ManagedPolicy', {
        Properties: { Description: Match.stringLikeRegexp('Queries') },
      }),
    );
    const statements = read.Properties.PolicyDocument.Statement as {
      Sid: string;
      Action: string | string[];
      Resource: unknown;
    }[];
    const actions = statements.flatMap(({ Action }) => Action);
    expect(actions.filter((action) => /^(s3tables|glue):(?!Get|List)/.test(action))).toEqual([]);
    expect(statements.filter(({ Action }) => [Action].flat().includes('s3:PutObject')).map(({ Sid }) => Sid)).toEqual([
      'Results',
    ]);
    expect(statements.filter(({ Resource }) => [Resource].flat().includes('*'))).toEqual([]);
  });

  test.each<[string, S3TablesProps, RegExp]>([
    [
      'an ARN for a name',
      { existingTableBucketName: 'arn:aws:s3tables:us-east-1:1:bucket/x' },
      /existingTableBucketName is "arn:aws.*not its ARN/,
    ],
    ['a reserved name', { existingTableBucketName: 'aws-tables' }, /existingTableBucketName is "aws-tables"/],
    ['text for a boolean', { createGlueCatalog: 'no' as never }, /createGlueCatalog is "no".*Pass true or false/],
    ['too small a limit', { scanLimit: Size.mebibytes(10) }, /scanLimit is 0\.0\d+ GiB\. Pass Size\.gibibytes\(1\)/],
    ['no days', { resultDays: 0 }, /resultDays is 0/],
  ])('%s is refused', (_name, props, message) => {
    expect(() => withTables(props)).toThrow(message);
  });
  test('without an export there is nothing to load', () => {
    const own = new Stack(new App(), 'Test');
    expect(() => new EfsDataLayer(own, 'Data', { analytics: AnalyticsStore.s3Tables() })).toThrow(
      /has nothing to load.*evidence\.focusExport.*data-layer:focusExport=s3:/,
    );
    expect(() => new EfsDataLayer(own, 'Other', { analytics: 's3-tables' as never })).toThrow(
      /analytics is "s3-tables"\. Pass AnalyticsStore\.s3Tables\(\)/,
    );
  });
});

describe('FocusExport', () => {
  const inRegion = (region?: string, props: Partial<FocusExportProps> = {}) => {
    const app = new App();
    const stack = new Stack(app, 'Test', { env: { region } });
    return { app, stack, focus: new FocusExport(stack, 'Focus', { bucketName: 'my-exports', ...props }) };
  };

  test('in us-east-1: every column by name, after the policy that lets it be delivered', () => {
    const { stack } = inRegion('us-east-1');
    const template = Template.fromStack(stack);
    const [made] = Object.values(template.findResources('AWS::BCMDataExports::Export'));
    const { QueryStatement, TableConfigurations } = made.Properties.Export.DataQuery;
    expect(QueryStatement).toBe(
      `SELECT ${FOCUS_COLUMNS.map(({ source: name }) => name).join(', ')} FROM FOCUS_1_2_AWS`,
    );
    expect(TableConfigurations).toEqual({ FOCUS_1_2_AWS: { TIME_GRANULARITY: 'DAILY' } });
    expect(made.DependsOn).toEqual(Object.keys(template.findResources('AWS::S3::BucketPolicy')));
  });
  test('elsewhere in a stack of its own, which is deployed after and refers to nothing', () => {
    const { app, stack, focus } = inRegion('ap-southeast-2');
    const own = new Stack(app, 'Export', { env: { region: 'us-east-1' } });
    focus.exportFrom(own);
    const template = Template.fromStack(own);
    expect(JSON.stringify(template.findResources('AWS::BCMDataExports::Export'))).not.toMatch(/Fn::|"Ref"/);
    expect(own.dependencies).toEqual([stack]);
    template.hasResourceProperties('AWS::BCMDataExports::Export', {
      Export: {
        DestinationConfigurations: {
          S3Destination: { S3Bucket: 'my-exports', S3Prefix: 'focus', S3Region: 'ap-southeast-2' },
        },
      },
    });
  });
  test('the evidence workload takes it', () => {
    const { stack, focus } = inRegion('us-east-1');
    new EfsDataLayer(stack, 'Data', { evidence: { focusExport: focus } });
    const tasks = Template.fromStack(stack).findResources('AWS::ECS::TaskDefinition');
    expect(JSON.stringify(tasks)).toContain('{"Name":"FOCUS_EXPORT_PREFIX","Value":"focus/focus-1-2"}');
  });
  test.each<[string, () => unknown, RegExp]>([
    [
      'a region without exports',
      () => inRegion('ap-southeast-2').app.synth(),
      /There is no export: .*us-east-1 and cn-northwest-1, and the stack is of ap-southeast-2.*Call exportFrom/,
    ],
    ['no region', () => inRegion().app.synth(), /a region that is not known.*Call exportFrom/],
    [
      'a second export',
      () => {
        const { app, focus } = inRegion('us-east-1');
        focus.exportFrom(new Stack(app, 'E'));
      },
      /is made already.*leave exportFrom out/,
    ],
    [
      'another region without exports',
      () => {
        const { app, focus } = inRegion('eu-west-1');
        focus.exportFrom(new Stack(app, 'E', { env: { region: 'eu-west-2' } }));
      },
      /The stack E is of eu-west-2.*Give it the region us-east-1/,
    ],
    [
      'the wrong partition',
      () => {
        const { app, focus } = inRegion('cn-north-1');
        focus.exportFrom(new Stack(app, 'E', { env: { region: 'us-east-1' } }));
      },
      /Give it the region cn-northwest-1/,
    ],
    [
      'an unknown region of the bucket',
      () => {
        const { app, focus } = inRegion();
        focus.exportFrom(new Stack(app, 'E', { env: { region: 'us-east-1' } }));
      },
      /region of the bucket is not known.*Give the stack of the bucket a region/,
    ],
    [
      'a bucket with capitals',
      () => inRegion('us-east-1', { bucketName: 'My-Exports' }),
      /bucketName is "My-Exports"\. Pass 3 to 63/,
    ],
    [
      'an address for a bucket',
      () => inRegion('us-east-1', { bucketName: 's3://exports' }),
      /bucketName is "s3:\/\/exports"/,
    ],
    ['an export name with a slash', () => inRegion('us-east-1', { exportName: 'a/b' }), /exportName is "a\/b"/],
    ['a prefix with a slash at the end', () => inRegion('us-east-1', { prefix: 'focus/' }), /prefix is "focus\/"/],
    ['no days', () => inRegion('us-east-1', { overwrittenDays: 0 }), /overwrittenDays is 0/],
    [
      'a stack with a location that cannot be made',
      () =>
        new DataLayerStack(new App(), 'S', { focusExport: { bucketName: 'exports', prefix: 'cost', create: true } }),
      /focusExport\.prefix is "cost": an export that is made needs a prefix and a name/,
    ],
  ])('%s is refused', (_name, make, message) => {
    expect(make).toThrow(message);
  });
});
