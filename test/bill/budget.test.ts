import { App, CfnParameter, CfnResource, NestedStack, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as kms from 'aws-cdk-lib/aws-kms';
import { DataLayerStack, MonthlyBudget, MonthlyBudgetProps } from '../../lib';

function appWith(props: MonthlyBudgetProps, make: (stack: Stack) => void, region?: string) {
  const app = new App();
  const stack = new Stack(app, 'Mine', region ? { env: { region, account: '111111111111' } } : {});
  make(stack);
  const budget = new MonthlyBudget(props);
  return { app, stack, budget };
}

/** What the plugin finds when the synth calls it, without the seconds that CloudFormation's own rules take. */
function findings({ app, budget }: { app: App; budget: MonthlyBudget }): string[] {
  const stackTemplates = app.synth().stacks.map((artifact) => ({
    stackConstructPath: artifact.hierarchicalId,
    templatePath: artifact.templateFullPath,
    account: undefined,
    accountId: undefined,
    region: artifact.environment.region,
  }));
  const report = budget.validate({
    appConstruct: app,
    stackTemplates,
    templatePaths: stackTemplates.map(({ templatePath }) => templatePath),
  });
  expect(report.success).toBe(report.violations.length === 0);
  return report.violations.map(({ description }) => description);
}
const nat = (stack: Stack) => new ec2.CfnNatGateway(stack, 'Nat', { subnetId: 'subnet-0123456789abcdef0' });
const volume = (stack: Stack) => new efs.CfnFileSystem(stack, 'Fs', { encrypted: true });

test('the dearest items that take an app over its limit are named', () => {
  const found = findings(
    appWith({ limitUsd: 6, usage: { 'efs.storedGiB': 10 } }, (stack) => {
      nat(stack);
      volume(stack);
    }),
  );
  // NAT: 730 h and 10 GB at $0.045; storage: 13 GiB at $0.30.
  expect(found).toEqual([
    expect.stringMatching(
      /^The data layer costs \$37\.20 a month \(us-east-1\), \$31\.20 over the limit of \$6\.00\. What does it: Mine\/Nat \$33\.30 \(NAT gateway\)\.$/,
    ),
  ]);
});

test('what the limit buys is taken as stored when nothing is said', () => {
  const made = appWith({ limitUsd: 6 }, volume);
  expect(findings(made)).toEqual([]);
  // 6 / (0.30 x 1.3) = 15.38 GiB.
  expect(made.budget.summary).toBe(
    'The data layer: $6.00 of $6.00 a month at the prices of us-east-1, with 15.38 GiB of live data stored, which is what the limit buys with backups and snapshots.',
  );
});

test('a type without a price is a finding, whatever the limit', () => {
  const made = appWith(
    { limitUsd: 1e6 },
    (stack) => new CfnResource(stack, 'Domain', { type: 'AWS::Route53::DNSSEC' }),
  );
  expect(findings(made)).toEqual([
    expect.stringMatching(/^Mine\/Domain \(AWS::Route53::DNSSEC\) is not priced: the type is not known/),
  ]);
});

describe('in a synth', () => {
  beforeAll(() => {
    delete process.env.CDK_VALIDATION;
  });
  afterAll(() => {
    process.env.CDK_VALIDATION = 'false';
  });
  test('a finding fails it until it is acknowledged with a reason, on the item or above it', () => {
    const { app, stack, budget } = appWith({ limitUsd: 6, usage: { 'efs.storedGiB': 1 } }, (inside) => {
      nat(inside);
      new CfnResource(inside, 'Key', { type: 'AWS::Route53::DNSSEC', properties: { HostedZoneId: 'Z0123456789AB' } });
    });
    Validations.of(app).addPlugins(budget);
    Validations.of(stack).acknowledge({ id: 'MonthlyBudget::MonthlyBudget-NotPriced', reason: 'Costs nothing here.' });
    expect(() => app.synth()).toThrow(/costs \$33\.30[^]*'MonthlyBudget::MonthlyBudget-Exceeded'/);
    expect(() => app.synth()).not.toThrow(/not priced/);
    const accepted = Validations.of(stack.node.findChild('Nat'));
    accepted.acknowledge({ id: 'MonthlyBudget::MonthlyBudget-Exceeded', reason: 'Paid by the network team.' });
    expect(() => app.synth({ force: true })).not.toThrow();
  });
});

test('nested stacks count, with the parameters they are given', () => {
  const made = appWith({ limitUsd: 1 }, (stack) => {
    const nested = new NestedStack(stack, 'Inner', { parameters: { Rotate: 'true' } });
    new CfnParameter(nested, 'Rotate');
    new kms.CfnKey(nested, 'Key', { keyPolicy: {} });
    new kms.CfnKey(stack, 'Outer', { keyPolicy: {} });
  });
  expect(findings(made)).toEqual([expect.stringMatching(/costs \$2\.06 a month.*Mine\/(Inner\/Key|Outer) \$1\./)]);
});

test('compute counts only when asked', () => {
  const address = (stack: Stack) => new ec2.CfnEIP(stack, 'Address');
  expect(findings(appWith({ limitUsd: 3 }, address))).toEqual([]);
  expect(findings(appWith({ limitUsd: 3, includeCompute: true }, address))).toEqual([
    expect.stringContaining('The app costs $3.65 a month'),
  ]);
});

test.each(['us-east-1', 'ap-southeast-2', 'eu-west-1', 'ap-northeast-1', undefined])(
  'the default data layer passes its own budget in %s',
  (region) => {
    const app = new App();
    new DataLayerStack(app, 'Layer', region ? { env: { region, account: '111111111111' } } : {});
    const budget = new MonthlyBudget({ limitUsd: 6 });
    expect(findings({ app, budget })).toEqual([]);
    expect(budget.summary).toMatch(/\$(6\.00|5\.99) of \$6\.00/);
  },
);

test('a region without prices: that of the stack is told in the finding, one that was chosen is refused', () => {
  expect(findings(appWith({ limitUsd: 1 }, nat, 'ap-northeast-1'))).toEqual([
    expect.stringContaining('There are no prices for ap-northeast-1; those of us-east-1 were taken'),
  ]);
  expect(() => new MonthlyBudget({ limitUsd: 1, region: 'ap-northeast-1' })).toThrow(
    /no prices for "ap-northeast-1".*us-east-1/,
  );
});

test.each<[string, unknown, RegExp]>([
  ['no limit', {}, /limitUsd\] It is undefined/],
  ['a text', { limitUsd: '6' }, /limitUsd\] It is "6"/],
  ['a mistyped assumption', { limitUsd: 6, usage: { 'efs.storedGib': -1, 'efs.stordGiB': 2 } }, /Did you mean efs/],
  ['a negative one', { limitUsd: 6, usage: { 'efs.storedGiB': -2 } }, /efs\.storedGiB\] It is -2/],
])('%s is refused', (_name, props, message) => {
  expect(() => new MonthlyBudget(props as MonthlyBudgetProps)).toThrow(message);
});
