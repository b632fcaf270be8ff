import { SecurityGroupRule } from '@aws-sdk/client-ec2';
import { Check, Examination } from '../examination';
import { show } from '../compare';

const NFS = 2049;

/** What the construct writes on the rules it makes, in whatever stack the workload is. */
const OURS = 'NFS to the data layer';

function coversPort(rule: SecurityGroupRule, port: number): boolean {
  const all = rule.IpProtocol === '-1';
  return all || (rule.IpProtocol === 'tcp' && (rule.FromPort ?? 0) <= port && port <= (rule.ToPort ?? 65535));
}

function everywhere(rule: SecurityGroupRule): boolean {
  return rule.CidrIpv4 === '0.0.0.0/0' || rule.CidrIpv6 === '::/0';
}

function sourceOf(rule: SecurityGroupRule): string {
  return rule.ReferencedGroupInfo?.GroupId ?? rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.PrefixListId ?? 'nobody';
}

function portsOf(rule: SecurityGroupRule): string {
  return rule.IpProtocol === '-1' ? 'every port' : `${rule.IpProtocol} ${rule.FromPort}-${rule.ToPort}`;
}

interface Wanted {
  readonly group: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

/** Ingress that the template promises, as resources of their own and within security groups. */
function promisedIngress({ live }: Examination): Wanted[] {
  const rule = (group: unknown, one: Record<string, unknown>): Wanted => ({
    group: String(group),
    source: String(one.SourceSecurityGroupId ?? one.CidrIp ?? one.CidrIpv6),
    from: Number(one.FromPort),
    to: Number(one.ToPort),
  });
  return [
    ...live.stack
      .promised('AWS::EC2::SecurityGroupIngress')
      .map(({ properties }) => rule(properties.GroupId, properties)),
    ...live.stack
      .promised('AWS::EC2::SecurityGroup')
      .flatMap(({ id, properties }) =>
        ((properties.SecurityGroupIngress ?? []) as Record<string, unknown>[]).map((one) => rule(id, one)),
      ),
  ];
}

const isRule = (rule: SecurityGroupRule, wanted: Wanted) =>
  !rule.IsEgress &&
  rule.GroupId === wanted.group &&
  sourceOf(rule) === wanted.source &&
  rule.FromPort === wanted.from &&
  rule.ToPort === wanted.to;

function ingressRules(
  examination: Examination,
  rules: SecurityGroupRule[],
  judged: Set<string>,
  volume: Set<string>,
  balanced: Set<string>,
): Wanted[] {
  const { live, find } = examination;
  const wanted = promisedIngress(examination).filter((one) => judged.has(one.group));
  const missing = wanted.filter((one) => !rules.some((rule) => isRule(rule, one)));
  for (const { group, source, from, to } of missing) {
    const by = source.startsWith('sg-') ? `--source-group ${source}` : `--cidr ${source}`;
    find(
      'port-blocked',
      group,
      `The rule that lets ${source} in on tcp ${from === to ? from : `${from}-${to}`} is gone.`,
      `aws ec2 authorize-security-group-ingress --group-id ${group} --protocol tcp --port ${from === to ? from : `${from}-${to}`} ${by} ${live.at}`,
    );
  }
  for (const rule of rules.filter((one) => !one.IsEgress && judged.has(one.GroupId!))) {
    const known = wanted.some((one) => isRule(rule, one));
    // A workload of another stack: the construct writes its rule there.
    const elsewhere =
      volume.has(rule.GroupId!) && rule.Description === OURS && rule.FromPort === NFS && rule.ToPort === NFS;
    if (!known && !(elsewhere && rule.ReferencedGroupInfo)) {
      find(
        balanced.has(rule.GroupId!) ? 'load-balancer-open' : 'port-open',
        rule.GroupId!,
        `It lets ${everywhere(rule) ? 'everybody' : ''}${everywhere(rule) ? ` (${sourceOf(rule)})` : sourceOf(rule)} in on ${portsOf(rule)}, which nobody promised.`,
        `aws ec2 revoke-security-group-ingress --group-id ${rule.GroupId} --security-group-rule-ids ${rule.SecurityGroupRuleId} ${live.at}`,
      );
    }
  }
  return missing;
}

/** Rules of their own, by which a group lets out to one other: a load balancer’s to its tasks. */
function promisedEgress({ live, find }: Examination, rules: SecurityGroupRule[]): Set<string> {
  const promised = live.stack.promised('AWS::EC2::SecurityGroupEgress').map(({ properties }) => ({
    group: String(properties.GroupId),
    to: String(properties.DestinationSecurityGroupId ?? properties.CidrIp ?? properties.CidrIpv6),
    ...{ from: Number(properties.FromPort), until: Number(properties.ToPort) },
  }));
  for (const { group, to, from, until } of promised) {
    const there = rules.some(
      (rule) =>
        rule.IsEgress &&
        rule.GroupId === group &&
        sourceOf(rule) === to &&
        rule.FromPort === from &&
        rule.ToPort === until,
    );
    if (!there) {
      const target = to.startsWith('sg-') ? `UserIdGroupPairs=[{GroupId=${to}}]` : `IpRanges=[{CidrIp=${to}}]`;
      find(
        'egress',
        group,
        `The rule that lets it out to ${to} on tcp ${from === until ? from : `${from}-${until}`} is gone.`,
        `aws ec2 authorize-security-group-egress --group-id ${group} --ip-permissions 'IpProtocol=tcp,FromPort=${from},ToPort=${until},${target}' ${live.at}`,
      );
    }
  }
  return new Set(promised.map((one) => one.group));
}

function egressRules({ live, find }: Examination, rules: SecurityGroupRule[], judged: Set<string>): void {
  for (const { id, properties } of live.stack.promised('AWS::EC2::SecurityGroup').filter((one) => judged.has(one.id))) {
    const promised = (properties.SecurityGroupEgress ?? []) as Record<string, unknown>[];
    // Left out, a security group lets everything out.
    const open =
      promised.length === 0 || promised.some((one) => one.CidrIp === '0.0.0.0/0' && String(one.IpProtocol) === '-1');
    const live_ = rules.filter((one) => one.IsEgress && one.GroupId === id);
    const isOpen = live_.some((one) => one.IpProtocol === '-1' && everywhere(one));
    if (open !== isOpen) {
      const verb = open ? 'authorize' : 'revoke';
      find(
        'egress',
        id,
        open ? 'Nothing may go out any more; promised is everything.' : 'Everything may go out; promised is nothing.',
        `aws ec2 ${verb}-security-group-egress --group-id ${id} --ip-permissions 'IpProtocol=-1,IpRanges=[{CidrIp=0.0.0.0/0}]' ${live.at}`,
      );
    }
  }
}

export const network: Check = {
  name: 'network',
  kinds: {
    'port-blocked': {
      severity: 'critical',
      title: 'A rule that lets a workload in is gone',
      why: 'Its next mount, or its next connection, waits until it is given up; a task does not start.',
    },
    'nfs-blocked': {
      severity: 'critical',
      title: 'A workload cannot reach a mount target',
      why: 'No rule of the mount target’s security groups lets it in, or none of its own lets it out: its next task in that zone does not start.',
    },
    'port-open': {
      severity: 'critical',
      title: 'A security group lets in more than promised',
      why: 'The mount targets, a database and a cache are for the workloads alone, and Chroma and the cache have no password: who connects may read and delete everything.',
    },
    'load-balancer-open': {
      severity: 'critical',
      title: 'The load balancer lets in more than promised',
      why: 'Whom allowedCidrs does not name reaches the login page, and only a password is left between.',
    },
    egress: {
      severity: 'warning',
      title: 'What may leave a security group is not what was promised',
      why: 'Without a way out a task pulls no image and mounts no volume, and a load balancer reaches no task; a mount target needs none.',
    },
  },
  async run(examination) {
    const { live, find } = examination;
    const targets = await Promise.all(
      (await live.efs.mountTargets()).map(async (target) => ({
        target,
        groups: await live.efs.securityGroups(target.MountTargetId!),
      })),
    );
    const services = (await live.ecs.units()).map((unit) => ({
      unit,
      groups: unit.service!.live!.networkConfiguration?.awsvpcConfiguration?.securityGroups ?? [],
    }));
    const own = live.stack.promised('AWS::EC2::SecurityGroup').map((one) => one.id);
    const balanced = new Set(
      live.stack
        .promised('AWS::ElasticLoadBalancingV2::LoadBalancer')
        .flatMap((one) => [one.properties.SecurityGroups ?? []].flat().map(String)),
    );
    const rules = await live.securityGroupRules([
      ...own,
      ...targets.flatMap((one) => one.groups),
      ...services.flatMap((one) => one.groups),
    ]);
    const judged = new Set(own);
    const volume = new Set(
      live.stack.promised('AWS::EFS::MountTarget').flatMap((one) => [one.properties.SecurityGroups].flat().map(String)),
    );
    const missing = ingressRules(examination, rules, judged, volume, balanced);
    // A group with such a rule: what else it lets out is not judged.
    const single = promisedEgress(examination, rules);
    egressRules(examination, rules, new Set(own.filter((one) => !single.has(one))));

    const lets = (rule: SecurityGroupRule, others: string[], egress: boolean) =>
      rule.IsEgress === egress &&
      coversPort(rule, NFS) &&
      (everywhere(rule) ||
        others.includes(sourceOf(rule)) ||
        (sourceOf(rule).includes('/') && rule.ReferencedGroupInfo === undefined));
    for (const { unit, groups } of services) {
      const mounts = unit.definition.volumes?.some((one) => one.efsVolumeConfiguration?.fileSystemId === live.efs.id);
      if (!mounts || missing.some((one) => groups.includes(one.source) && one.from === NFS)) {
        continue;
      }
      for (const { target, groups: doors } of targets) {
        const inside = rules.some((rule) => doors.includes(rule.GroupId!) && lets(rule, groups, false));
        const out = rules.some((rule) => groups.includes(rule.GroupId!) && lets(rule, doors, true));
        if (!inside || !out) {
          find(
            'nfs-blocked',
            target.MountTargetId!,
            inside
              ? `${unit.name} (${groups.join(', ')}) may not go out to tcp 2049.`
              : `None of its security groups (${doors.join(', ') || 'none'}) lets ${unit.name} (${show(groups.join(', '))}) in on tcp 2049.`,
            `aws efs modify-mount-target-security-groups --mount-target-id ${target.MountTargetId} --security-groups ${[...volume].join(' ')} ${live.at}`,
          );
        }
      }
    }
  },
};
