import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DataLayerStack, DataLayerStackProps } from '../lib';
import { census } from './helpers';

const make = (props: DataLayerStackProps) => new DataLayerStack(new App(), 'Test', props);
const EXPORT = { bucketName: 'exports', prefix: 'focus/cost' };

test('nothing runs unless asked', () => {
  const stack = make({ focusExport: EXPORT });
  const counts = census(Template.fromStack(stack));
  expect(stack.cluster).toBeUndefined();
  expect(Object.keys(counts).filter((type) => /Service$|Cluster|Schedule/.test(type))).toEqual([]);
});

test('asked for services, Open WebUI may reach Chroma and starts after it; nobody else may', () => {
  const template = Template.fromStack(make({ services: true }));
  const services = template.findResources('AWS::ECS::Service');
  const id = (part: string) => Object.keys(services).find((key) => key.includes(part))!;
  expect(services[id('OpenWebUi')].DependsOn).toContain(id('Knowledge'));
  expect(services[id('OpenWebUi')].Properties.ServiceConnectConfiguration).toMatchObject({ Enabled: true });
  const chroma = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress')).filter(
    (rule) => rule.Properties.FromPort === 8000,
  );
  expect(chroma).toHaveLength(1);
  expect(JSON.stringify(chroma[0].Properties.SourceSecurityGroupId)).toContain('OpenWebUi');
});

test('evidence is collected daily only when there is something to collect', () => {
  const schedules = (props: DataLayerStackProps) => census(Template.fromStack(make(props)))['AWS::Scheduler::Schedule'];
  expect(schedules({ services: true })).toBeUndefined();
  expect(schedules({ services: true, focusExport: EXPORT })).toBe(1);
});
