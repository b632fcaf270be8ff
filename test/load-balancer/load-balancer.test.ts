import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { DataLayerStack, DataLayerStackProps, EfsSafetyChecks, LoadBalancerOptions } from '../../lib';
import { isCidr } from '../../lib/load-balancer/load-balancer';

const OPTIONS: LoadBalancerOptions = {
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000',
  allowedCidrs: ['203.0.113.0/24'],
};

function stackWith(
  loadBalancer?: Partial<LoadBalancerOptions>,
  props: DataLayerStackProps = { services: true },
): Stack {
  return new DataLayerStack(new App(), 'Test', { ...props, loadBalancer: loadBalancer as LoadBalancerOptions });
}

const NAMED = { ...OPTIONS, domainName: 'chat.example.com', hostedZoneId: 'Z0123456789' };
const template = Template.fromStack(stackWith(NAMED));

test('off by default', () => {
  Template.fromStack(stackWith()).resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 0);
});

test('HTTPS is the only door, with a policy of TLS 1.2 and 1.3', () => {
  const listeners = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::Listener'));
  expect(listeners).toHaveLength(1);
  expect(listeners[0].Properties).toMatchObject({
    Port: 443,
    Protocol: 'HTTPS',
    SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06',
    Certificates: [{ CertificateArn: OPTIONS.certificateArn }],
  });
});

test('who may connect is who was named', () => {
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    GroupDescription: Match.stringLikeRegexp('^HTTPS'),
    SecurityGroupIngress: [Match.objectLike({ CidrIp: '203.0.113.0/24', FromPort: 443, ToPort: 443 })],
  });
});

test('a session stays with its task, a silent socket is kept, /health decides', () => {
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
    Port: 8080,
    TargetType: 'ip',
    HealthCheckPath: '/health',
    TargetGroupAttributes: Match.arrayWith([
      { Key: 'stickiness.enabled', Value: 'true' },
      { Key: 'stickiness.type', Value: 'lb_cookie' },
    ]),
  });
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    Scheme: 'internet-facing',
    LoadBalancerAttributes: Match.arrayWith([{ Key: 'idle_timeout.timeout_seconds', Value: '600' }]),
  });
});

test('the service starts behind it, and a task that copies after a crash is given time', () => {
  template.hasResourceProperties('AWS::ECS::Service', {
    LoadBalancers: [Match.objectLike({ ContainerName: 'open-webui', ContainerPort: 8080 })],
    HealthCheckGracePeriodSeconds: 1800,
    DesiredCount: 1,
    DeploymentConfiguration: Match.objectLike({ MinimumHealthyPercent: 0, MaximumPercent: 100 }),
  });
});

test('a name in a zone points to it', () => {
  template.hasResourceProperties('AWS::Route53::RecordSet', {
    Name: 'chat.example.com',
    Type: 'A',
    HostedZoneId: 'Z0123456789',
  });
  Template.fromStack(stackWith(OPTIONS)).resourceCountIs('AWS::Route53::RecordSet', 0);
});

test.each<[string, LoadBalancerOptions]>([
  ['a network', NAMED],
  ['everybody, asked for', { ...OPTIONS, allowedCidrs: ['0.0.0.0/0'] }],
])('%s passes cdk-nag and the safety checks', (_name, options) => {
  const stack = stackWith(options);
  for (const checks of [new AwsSolutionsChecks(), new EfsSafetyChecks()]) {
    expect(checks.validateScope(stack.node.root).violations.map(({ ruleName }) => ruleName)).toEqual([]);
  }
});

test.each<[object, RegExp]>([
  [{ certificateArn: OPTIONS.certificateArn }, /allowedCidrs is missing: who may connect has no default/],
  [{ ...OPTIONS, allowedCidrs: [] }, /allowedCidrs is not a list of strings/],
  [{ ...OPTIONS, allowedCidrs: ['203.0.113.7/24'] }, /allowedCidrs holds "203.0.113.7\/24"/],
  [{ allowedCidrs: OPTIONS.allowedCidrs }, /certificateArn is undefined.*certificate of AWS Certificate Manager/s],
  [{ ...OPTIONS, certificateArn: 'my-certificate' }, /certificateArn is "my-certificate"/],
  [{ ...OPTIONS, hostedZoneId: 'Z0123456789' }, /hostedZoneId is set without domainName/],
  [{ ...OPTIONS, domainName: 'https://chat.example.com' }, /domainName is "https:/],
])('refuses %p', (options, message) => {
  expect(() => stackWith(options)).toThrow(message);
});

test('without services there is nothing to reach', () => {
  expect(() => stackWith(OPTIONS, {})).toThrow(/loadBalancer is set without services/);
});

test.each([
  ['203.0.113.0/24', true],
  ['0.0.0.0/0', true],
  ['203.0.113.7/32', true],
  ['203.0.113.7/24', false],
  ['203.0.113.0', false],
  ['300.0.0.0/8', false],
  ['10.0.0.0/33', false],
])('%s is a network: %p', (text, expected) => {
  expect(isCidr(text)).toBe(expected);
});
