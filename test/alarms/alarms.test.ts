import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import {
  AlarmsProps,
  AnalyticsStore,
  CacheStore,
  DataLayerStack,
  EfsDataLayer,
  MigrationPhase,
  RelationalStore,
  VectorStore,
  Writers,
} from '../../lib';
import { ALARM_KINDS } from '../../lib/alarms/kinds';
import { Bodies, bill } from '../bill/helpers';
import { census, dataLayer } from '../helpers';

type Alarm = Record<string, unknown> & { AlarmDescription: string; Threshold: number };

function alarmsOf(template: Template): Map<string, Alarm> {
  return new Map(
    Object.entries(template.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
      id.replace(/^.*?(?=[A-Z][a-z]+[A-Za-z]*[0-9A-F]{8}$)/, '').replace(/[0-9A-F]{8}$/, ''),
      Properties as Alarm,
    ]),
  );
}

const stack = new DataLayerStack(new App(), 'Test', { services: true, dataLayer: { alarms: {} } });
const template = Template.fromStack(stack);

/** Kinds that are about the load of FOCUS tables. */
const OF_THE_LOAD = ['failedLoads', 'loadAgeHours'];
const withTables = (alarms: AlarmsProps) =>
  new DataLayerStack(new App(), 'Test', {
    dataLayer: { alarms, analytics: AnalyticsStore.s3Tables() },
    focusExport: { bucketName: 'my-exports', prefix: 'focus/cost' },
  });

describe('with all defaults and services', () => {
  const alarms = Object.entries(template.findResources('AWS::CloudWatch::Alarm'));
  const of = (kind: string) =>
    alarms.filter(([id]) => id.includes(kind[0].toUpperCase() + kind.slice(1))).map(([, { Properties }]) => Properties);

  test('one of each kind, and an overlap for each single writer', () => {
    expect(Object.keys(ALARM_KINDS).map((kind) => [kind, of(kind).length])).toEqual(
      Object.keys(ALARM_KINDS).map((kind) => [
        kind,
        kind === 'overlapMinutes' ? 2 : OF_THE_LOAD.includes(kind) ? 0 : 1,
      ]),
    );
    expect(stack.dataLayer.alarms!.alarms).toHaveLength(alarms.length);
  });

  test('each says what it means and where its runbook is, and what no data means', () => {
    for (const [kind, { missing, meaning }] of Object.entries(ALARM_KINDS)) {
      for (const alarm of of(kind)) {
        expect(alarm.TreatMissingData).toBe(missing);
        expect(alarm.AlarmDescription).toContain(meaning);
        expect(alarm.AlarmDescription).toContain(`docs/runbooks/alarms.md#${kind.toLowerCase()}`);
        expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1024);
      }
    }
  });

  test('thresholds in the unit of the metric', () => {
    expect(of('burstCreditGiB')[0].Threshold).toBe(180 * 1024 ** 3);
    expect(of('snapshotAgeHours')[0].Threshold).toBe(36 * 3600);
    expect(of('backupAgeHours')[0]).toMatchObject({ Threshold: 1, EvaluationPeriods: 36, Period: 3600 });
  });

  test('an overlap is more than one running task by the free metric of the service, three minutes long', () => {
    for (const alarm of of('overlapMinutes')) {
      expect(alarm).toMatchObject({
        Namespace: 'AWS/ECS',
        MetricName: 'CPUUtilization',
        Statistic: 'SampleCount',
        Period: 60,
        EvaluationPeriods: 3,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
      });
      expect(alarm.Dimensions.map(({ Name }: { Name: string }) => Name)).toEqual(['ClusterName', 'ServiceName']);
    }
    expect(JSON.stringify(template.toJSON())).not.toContain('ECS/ContainerInsights');
    template.hasResourceProperties('AWS::ECS::Cluster', {
      ClusterSettings: [{ Name: 'containerInsights', Value: 'disabled' }],
    });
  });

  test('an alarm evaluates no longer than CloudWatch allows', () => {
    // One day with periods under an hour, seven days from an hour on.
    for (const [, { Properties: alarm }] of alarms) {
      const periods: number[] = (alarm.Metrics ?? [{ MetricStat: { Period: alarm.Period } }]).flatMap(
        ({ MetricStat }: { MetricStat?: { Period: number } }) => MetricStat?.Period ?? [],
      );
      for (const period of periods) {
        expect(period * alarm.EvaluationPeriods).toBeLessThanOrEqual(period >= 3600 ? 7 * 86400 : 86400);
      }
    }
  });

  test('both keepers’ lines make the same metrics, in the namespace of this data layer', () => {
    const filters = Object.values(template.findResources('AWS::Logs::MetricFilter')).map(
      ({ Properties }) => Properties,
    );
    const names = new Set(
      filters.map(({ MetricTransformations: [{ MetricNamespace, MetricName }] }) => `${MetricNamespace} ${MetricName}`),
    );
    expect([...names].sort()).toEqual(
      [
        'Damage',
        'DatabaseLocked',
        'HeartbeatSeconds',
        'LeaseConflicts',
        'QueuePoolLimit',
        'SnapshotAgeSeconds',
        'Takeovers',
      ].map((name) => `efs-data-layer/Test/DataLayer ${name}`),
    );
    expect(new Set(filters.map(({ LogGroupName }) => LogGroupName.Ref)).size).toBe(2);
    const made = new Set(filters.map(({ MetricTransformations: [{ MetricName }] }) => MetricName));
    const read = [...JSON.stringify(alarms).matchAll(/"MetricName":"(\w+)","Namespace":"efs-data-layer/g)].map(
      ([, n]) => n,
    );
    expect(read.filter((name) => !made.has(name))).toEqual([]);
  });

  test('the dashboard reads from alarms over safety and speed to triggers, and knows both services', () => {
    const [{ Properties }] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const body = Properties.DashboardBody['Fn::Join'][1]
      .map((part: unknown) => (typeof part === 'string' ? part : 'X'))
      .join('');
    const { widgets } = JSON.parse(body) as {
      widgets: {
        type: string;
        x: number;
        y: number;
        width: number;
        properties: Record<string, unknown[]> & { markdown?: string };
      }[];
    };
    const headings = widgets
      .filter(({ type }) => type === 'text')
      .map(({ properties }) => /[^#\s].*/.exec(properties.markdown!)![0]);
    expect(headings.slice(1)).toEqual([
      'Is the data safe?',
      'Is the volume quick enough?',
      'What do the applications say?',
      'Is it time for a bigger service?',
    ]);
    expect(widgets.map(({ y }) => y)).toEqual([...widgets.map(({ y }) => y)].sort((a, b) => a - b));
    expect(widgets.find(({ type }) => type === 'alarm')!.properties.alarms).toHaveLength(alarms.length);
    const tasks = widgets.find(({ properties: { title } }) => String(title).startsWith('Running tasks'))!;
    expect(tasks.properties.metrics).toHaveLength(2);
    expect(widgets.filter(({ type, properties }) => type === 'metric' && !properties.metrics)).toEqual([]);
    // The first three dashboards are free with up to 50 metrics each.
    expect(widgets.flatMap(({ properties }) => properties.metrics ?? []).length).toBeLessThanOrEqual(50);
  });
});

describe('with S3 Tables', () => {
  const tables = Template.fromStack(withTables({}));
  const found = Object.entries(tables.findResources('AWS::CloudWatch::Alarm'))
    .filter(([, { Properties }]) => Properties.Namespace === 'AWS/States')
    .map(([id, { Properties }]) => ({ id, ...Properties }) as unknown as Alarm & { id: string });

  test('a load that fails, times out or is aborted, and none that succeeds: each of the state machine alone', () => {
    const machines = Object.keys(tables.findResources('AWS::StepFunctions::StateMachine'));
    expect(machines).toHaveLength(1);
    found.forEach(({ Dimensions }) =>
      expect(Dimensions).toEqual([{ Name: 'StateMachineArn', Value: { Ref: machines[0] } }]),
    );
    const own = found.map(({ Dimensions: _, ...rest }) => rest);
    expect(own.sort((a, b) => (a.id < b.id ? -1 : 1))).toMatchSnapshot();
  });

  test('no load for two days is found because nothing counts as bad, not because something is counted', () => {
    expect(found.find(({ MetricName }) => MetricName === 'ExecutionsSucceeded')).toMatchObject({
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
      Period: 3600,
      EvaluationPeriods: 50,
    });
  });

  test('a weekly load has a longer time, and its own names; {} makes none and the dashboard still shows the loads', () => {
    const weekly = Template.fromStack(withTables({ failedLoads: {}, loadAgeHours: { Week: 168 } }));
    const left = [...alarmsOf(weekly).values()].filter(({ Namespace }) => Namespace === 'AWS/States');
    expect(left.map(({ MetricName, EvaluationPeriods }) => [MetricName, EvaluationPeriods])).toEqual([
      ['ExecutionsSucceeded', 168],
    ]);
    expect(JSON.stringify(weekly.findResources('AWS::CloudWatch::Dashboard'))).toContain(
      'Are the FOCUS tables loaded?',
    );
  });

  test('what they cost: $0.40 where the free allowance is used', () => {
    const { Resources } = tables.toJSON() as { Resources: Bodies };
    const before: Bodies = {};
    for (let at = 0; at < 10; at++) {
      before[`Alarm${at}`] = { Type: 'AWS::CloudWatch::Alarm' };
    }
    const mine = Object.fromEntries(found.map(({ id }) => [id, Resources[id]]));
    const usd = (bodies: Bodies) => bill(bodies, {}, { region: 'us-east-1' }).totals.all.totalUsd;
    expect(usd({ ...before, ...mine }) - usd(before)).toBeCloseTo(0.4, 10);
  });
});

test('thresholds by name: two of a kind, or none and then no paid metric of it', () => {
  const { template } = dataLayer({
    alarms: {
      storedGiB: { Warning: 15, Critical: 30 },
      databaseLocked: {},
      dashboard: false,
      backupAgeHours: { Day: 24 },
    },
  });
  const alarms = alarmsOf(template);
  const all = [...alarms.values()];
  expect(all.filter(({ MetricName }) => MetricName === 'StorageBytes').map(({ Threshold }) => Threshold)).toEqual([
    15 * 1024 ** 3,
    30 * 1024 ** 3,
  ]);
  expect(all.filter(({ MetricName }) => MetricName === 'DatabaseLocked')).toEqual([]);
  expect(JSON.stringify(template.findResources('AWS::Logs::MetricFilter'))).not.toContain('DatabaseLocked');
  expect(all.find(({ Namespace }) => Namespace === 'AWS/Backup')).toMatchObject({ EvaluationPeriods: 24 });
  template.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
});

test('nothing without the prop; no backup alarm without backup', () => {
  expect(Object.keys(census(dataLayer().template)).filter((type) => /CloudWatch|MetricFilter/.test(type))).toEqual([]);
  const { template } = dataLayer({ alarms: {}, backup: false });
  expect(JSON.stringify(template.toJSON())).not.toContain('AWS/Backup');
});

test('a topic is told when an alarm goes off and when it is over, EventBridge of every change', () => {
  const app = new App();
  const stack = new Stack(app, 'Test');
  const topic = new sns.Topic(stack, 'Topic');
  const queue = new sqs.Queue(stack, 'Queue');
  const data = new EfsDataLayer(stack, 'Data', { alarms: { topic, eventTarget: new targets.SqsQueue(queue) } });
  data.openWebUi.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
  const template = Template.fromStack(stack);
  const told = [{ Ref: Match.stringLikeRegexp('^Topic') }];
  const { alarms } = data.alarms!;
  template.resourcePropertiesCountIs('AWS::CloudWatch::Alarm', { AlarmActions: told, OKActions: told }, alarms.length);
  const rules = Object.values(template.findResources('AWS::Events::Rule')).map(({ Properties }) => Properties);
  rules.forEach(({ EventPattern }) =>
    expect(EventPattern).toMatchObject({
      source: ['aws.cloudwatch'],
      'detail-type': ['CloudWatch Alarm State Change'],
    }),
  );
  // Each once, and few in a rule: EventBridge takes 2,048 characters.
  const listed = rules.map(({ EventPattern }) => EventPattern.resources as { 'Fn::GetAtt': string[] }[]);
  expect(Math.max(...listed.map(({ length }) => length))).toBe(5);
  expect(
    listed
      .flat()
      .map((arn) => arn['Fn::GetAtt'][0])
      .sort(),
  ).toEqual(Object.keys(template.findResources('AWS::CloudWatch::Alarm')).sort());
});

test('a service in another stack has its alarms there, so that neither stack needs the other twice', () => {
  const app = new App();
  const data = new EfsDataLayer(new Stack(app, 'Data'), 'Data', { alarms: {} });
  const services = new Stack(app, 'Services');
  data.openWebUi.runOn(new ecs.Cluster(services, 'Cluster', { vpc: data.vpc }));
  const alarms = [...alarmsOf(Template.fromStack(services)).values()];
  expect(alarms.map(({ Namespace }) => Namespace)).toEqual(['AWS/ECS', 'AWS/ECS']);
});

test('on a database with several tasks there is no keeper to listen to, and no overlap', () => {
  const { stack, data } = dataLayer({
    alarms: {},
    relational: RelationalStore.rdsPostgres({ phase: MigrationPhase.COMPLETE }),
    vectors: VectorStore.pgvector(),
    cache: CacheStore.valkeyServerless(),
    openWebUi: { replicas: 2 },
  });
  expect(data.openWebUi.writers).toBe(Writers.MANY);
  const filters = Object.keys(Template.fromStack(stack).findResources('AWS::Logs::MetricFilter'));
  expect(filters.filter((id) => /OpenWebUi(LeaseConflicts|Takeovers|Heartbeat)/.test(id))).toEqual([]);
  expect(filters.filter((id) => /OpenWebUi(DatabaseLocked|QueuePool)/.test(id))).toHaveLength(2);
});

describe('what alarms cost', () => {
  const { Resources } = template.toJSON() as { Resources: Bodies };
  const only = (types: RegExp): Bodies =>
    Object.fromEntries(Object.entries(Resources).filter(([, { Type }]) => types.test(Type)));
  const monitoring = only(/^AWS::CloudWatch::|^AWS::Logs::MetricFilter/);
  const usd = (bodies: Bodies, region: string) => bill(bodies, {}, { region }).totals.all.totalUsd;

  test.each(['us-east-1', 'ap-southeast-2', 'eu-west-1'])(
    'in %s: $0.50 where nothing else is, the rest is free',
    (region) => {
      expect(usd(monitoring, region)).toBeCloseTo(0.5, 10);
    },
  );

  test('at most $3.60 and the dashboard where the free allowance is used', () => {
    const before: Bodies = {};
    for (let at = 0; at < 10; at++) {
      before[`Alarm${at}`] = { Type: 'AWS::CloudWatch::Alarm' };
      const MetricTransformations = [{ MetricNamespace: 'other', MetricName: `m${at}`, MetricValue: '1' }];
      before[`Filter${at}`] = { Type: 'AWS::Logs::MetricFilter', Properties: { MetricTransformations } };
      before[`Dashboard${at}`] = { Type: 'AWS::CloudWatch::Dashboard' };
    }
    const more = usd({ ...before, ...monitoring }, 'us-east-1') - usd(before, 'us-east-1');
    expect(more).toBeCloseTo(3.6 + 3, 10);
  });
});

test('filters that publish one metric are billed as one, those with dimensions each', () => {
  const filter = (MetricName: string, Dimensions?: object[]) => ({
    Type: 'AWS::Logs::MetricFilter',
    Properties: { MetricTransformations: [{ MetricNamespace: 'n', MetricName, MetricValue: '1', Dimensions }] },
  });
  const count = (...filters: Bodies[string][]) =>
    quantitiesOf(Object.fromEntries(filters.map((body, at) => [`F${at}`, body])));
  expect(count(filter('a'), filter('a'), filter('b'))).toBe(2);
  const sized = [{ Key: 'k', Value: '$.k' }];
  expect(count(filter('a', sized), filter('a', sized))).toBe(2);
});

function quantitiesOf(bodies: Bodies): number {
  const lines = bill(bodies).resources.flatMap((resource) => resource.lines);
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}
