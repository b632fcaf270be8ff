import { Listener, LoadBalancer, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { differences, show } from '../compare';
import { Check, Examination } from '../examination';
import { Attributes } from '../live-elb';
import { compareSettings, same, Setting, value } from '../settings';

type Tree = Record<string, unknown>;

const BALANCER: (Setting<LoadBalancer> & { call: string })[] = [
  { ...same('SecurityGroups', 'load-balancer-network', value('security-groups')), call: 'set-security-groups' },
  {
    property: 'Subnets',
    kind: 'load-balancer-network',
    read: (one) => one.AvailabilityZones?.map((zone) => zone.SubnetId),
    call: 'set-subnets',
    option: value('subnets'),
  },
  { ...same('IpAddressType', 'load-balancer-drift', value('ip-address-type')), call: 'set-ip-address-type' },
];

const HEALTH = 'load-balancer-health-check';

const TARGETS: Setting<TargetGroup>[] = [
  same('HealthCheckPath', HEALTH, value('health-check-path')),
  same('HealthCheckIntervalSeconds', HEALTH, value('health-check-interval-seconds')),
  same('HealthCheckTimeoutSeconds', HEALTH, value('health-check-timeout-seconds')),
  same('HealthyThresholdCount', HEALTH, value('healthy-threshold-count')),
  same('UnhealthyThresholdCount', HEALTH, value('unhealthy-threshold-count')),
  same('Matcher', HEALTH, (wanted) => `--matcher '${JSON.stringify(wanted)}'`),
];

/** The finding for an attribute, by its name. */
function kindOf(attribute: string): string {
  if (attribute === 'idle_timeout.timeout_seconds') {
    return 'load-balancer-idle-timeout';
  }
  if (/^routing\.http\.(drop_invalid_header_fields|desync_mitigation_mode)/.test(attribute)) {
    return 'load-balancer-headers';
  }
  return attribute.startsWith('stickiness.') ? 'load-balancer-stickiness' : 'load-balancer-drift';
}

function attributes(
  { find }: Examination,
  resource: string,
  wanted: unknown,
  actual: Attributes,
  command: (option: string) => string,
): void {
  for (const { Key, Value } of (wanted ?? []) as { Key: string; Value: unknown }[]) {
    const found = actual.find((one) => one.Key === Key)?.Value;
    if (differences(Value, found).length > 0) {
      find(
        kindOf(Key),
        resource,
        `${Key} is ${show(found)}; promised is ${show(Value)}.`,
        command(`--attributes Key=${Key},Value=${show(Value)}`),
      );
    }
  }
}

async function balancers(examination: Examination): Promise<string[]> {
  const { live, find } = examination;
  const there: string[] = [];
  for (const { id, logicalId, properties } of live.stack.promised('AWS::ElasticLoadBalancingV2::LoadBalancer')) {
    const one = await live.elb.balancer(id);
    if (!one || one.State?.Code === 'failed') {
      find(
        'load-balancer-missing',
        id,
        one ? 'Its state is failed.' : `${logicalId} does not exist any more.`,
        live.revert,
      );
    }
    if (!one) {
      continue;
    }
    there.push(id);
    for (const setting of BALANCER) {
      compareSettings(
        examination,
        id,
        properties,
        one,
        [setting],
        (option) => `aws elbv2 ${setting.call} --load-balancer-arn ${id} ${option} ${live.at}`,
      );
    }
    attributes(
      examination,
      id,
      properties.LoadBalancerAttributes,
      await live.elb.balancerAttributes(id),
      (option) => `aws elbv2 modify-load-balancer-attributes --load-balancer-arn ${id} ${option} ${live.at}`,
    );
  }
  return there;
}

/** Every setting of a listener in one command. */
function listenerOptions({ Protocol, Port, SslPolicy, Certificates, DefaultActions }: Tree): string {
  return [
    `--protocol ${show(Protocol)} --port ${show(Port)}`,
    ...(SslPolicy === undefined ? [] : [`--ssl-policy ${show(SslPolicy)}`]),
    ...(Certificates === undefined ? [] : [`--certificates '${JSON.stringify(Certificates)}'`]),
    `--default-actions '${JSON.stringify(DefaultActions)}'`,
  ].join(' ');
}

const LISTENER: Setting<Listener>[] = [
  same('Protocol', 'load-balancer-plaintext', () => ''),
  same('SslPolicy', 'load-balancer-tls', () => ''),
  same('Certificates', 'load-balancer-tls', () => ''),
  same('Port', 'load-balancer-target', () => ''),
  same('DefaultActions', 'load-balancer-target', () => ''),
];

function strange({ live, find }: Examination, one: Listener): void {
  const redirects = (one.DefaultActions ?? []).every(
    ({ Type, RedirectConfig }) => Type === 'redirect' && RedirectConfig?.Protocol === 'HTTPS',
  );
  const plain = one.Protocol === 'HTTP' && !redirects;
  find(
    plain ? 'load-balancer-plaintext' : 'load-balancer-drift',
    one.ListenerArn!,
    `It has a listener on port ${one.Port}, ${one.Protocol}, which nobody promised.`,
    `aws elbv2 delete-listener --listener-arn ${one.ListenerArn} ${live.at}`,
  );
}

async function listeners(examination: Examination, balancer: string): Promise<void> {
  const { live, find } = examination;
  const promised = live.stack
    .promised('AWS::ElasticLoadBalancingV2::Listener')
    .filter(({ properties }) => properties.LoadBalancerArn === balancer);
  const all = await live.elb.listeners(balancer);
  for (const { id, logicalId, properties } of promised) {
    const one = all.find((each) => each.ListenerArn === id);
    if (!one) {
      find('load-balancer-missing', id, `${logicalId} does not exist any more.`, live.revert);
      continue;
    }
    const command = () => `aws elbv2 modify-listener --listener-arn ${id} ${listenerOptions(properties)} ${live.at}`;
    compareSettings(examination, id, properties, one, LISTENER, command);
  }
  const known = promised.map((one) => one.id);
  all.filter((one) => !known.includes(one.ListenerArn!)).forEach((one) => strange(examination, one));
}

async function targets(examination: Examination): Promise<void> {
  const { live, find } = examination;
  for (const { id, logicalId, properties } of live.stack.promised('AWS::ElasticLoadBalancingV2::TargetGroup')) {
    const one = await live.elb.targetGroup(id);
    if (!one) {
      find('load-balancer-missing', id, `${logicalId} does not exist any more.`, live.revert);
      continue;
    }
    compareSettings(
      examination,
      id,
      properties,
      one,
      TARGETS,
      (option) => `aws elbv2 modify-target-group --target-group-arn ${id} ${option} ${live.at}`,
    );
    attributes(
      examination,
      id,
      properties.TargetGroupAttributes,
      await live.elb.targetGroupAttributes(id),
      (option) => `aws elbv2 modify-target-group-attributes --target-group-arn ${id} ${option} ${live.at}`,
    );
  }
}

export const loadBalancer: Check = {
  name: 'load balancer',
  kinds: {
    'load-balancer-missing': {
      severity: 'critical',
      title: 'The load balancer, its listener or its target group is gone or failed',
      why: 'Nobody reaches the application, which runs and is billed.',
    },
    'load-balancer-plaintext': {
      severity: 'critical',
      title: 'The load balancer answers without TLS',
      why: 'Passwords, sessions and chats cross the internet in the clear.',
    },
    'load-balancer-tls': {
      severity: 'warning',
      title: 'Another TLS policy or certificate',
      why: 'An older policy takes connections that can be read; with a certificate that does not cover the name no browser goes on.',
    },
    'load-balancer-target': {
      severity: 'critical',
      title: 'The load balancer listens elsewhere, or sends requests elsewhere',
      why: 'Whoever logs in does so somewhere else, or reaches nothing.',
    },
    'load-balancer-network': {
      severity: 'critical',
      title: 'The load balancer stands in other subnets or behind another security group',
      why: 'Who may connect is decided there, and whether the tasks are reached.',
    },
    'load-balancer-idle-timeout': {
      severity: 'warning',
      title: 'Silent connections are kept for another time',
      why: 'An answer that is streamed may be silent for minutes while the model thinks; with 60 seconds it is cut off.',
    },
    'load-balancer-stickiness': {
      severity: 'warning',
      title: 'Sessions do not stay with their task as promised',
      why: 'A session’s socket lives in one task: at another one it is refused, and the page reconnects without end.',
    },
    'load-balancer-health-check': {
      severity: 'warning',
      title: 'The load balancer asks for the health of tasks otherwise',
      why: 'A check that a good task fails takes it away; one that a bad task passes sends people to it.',
    },
    'load-balancer-headers': {
      severity: 'warning',
      title: 'Requests with invalid headers are passed on',
      why: 'What the load balancer and the application read differently can smuggle a request past either.',
    },
    'load-balancer-drift': {
      severity: 'notice',
      title: 'A setting of the load balancer is not the promised one',
      why: 'The next person will not know which of the two was meant, and the next deployment does not put it back.',
    },
  },
  async run(examination) {
    for (const balancer of await balancers(examination)) {
      await listeners(examination, balancer);
    }
    await targets(examination);
  },
};
