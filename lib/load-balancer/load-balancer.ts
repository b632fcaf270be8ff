import { CfnOutput, Duration, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { inputError } from '../errors';
import { requireStrings } from '../inputs';
import { StopFirstService } from '../single-writer';
import { requireName } from '../stores/internal';
import { OPEN_WEBUI_CONTAINER, OPEN_WEBUI_PORT } from '../workloads/internal';

const HTTPS_PORT = 443;

/** How Open WebUI is reached from outside. */
export interface LoadBalancerOptions {
  /** The ARN of a certificate of AWS Certificate Manager in the same region. Nothing answers without TLS. */
  readonly certificateArn: string;

  /**
   * Who may connect, as IPv4 networks, for example 203.0.113.0/24. There is no default: 0.0.0.0/0 is everybody, and
   * must be asked for.
   */
  readonly allowedCidrs: string[];

  /**
   * The name under which it is reached, for example chat.example.com. The certificate must cover it.
   *
   * @default - the load balancer's own name, which no certificate covers
   */
  readonly domainName?: string;

  /**
   * The id of the Route 53 zone in which domainName is made to point here.
   *
   * @default - no record is made
   */
  readonly hostedZoneId?: string;
}

/** What a load balancer is made from. */
export interface OpenWebUiLoadBalancerProps extends LoadBalancerOptions {
  /** The VPC of the service. */
  readonly vpc: ec2.IVpc;
  /** The service of Open WebUI. */
  readonly service: StopFirstService;
}

/**
 * An application load balancer before Open WebUI: HTTPS only, sessions stay with their task, long silences of a
 * WebSocket are no failure. It costs about $16.43 a month in us-east-1 before traffic ($0.0225 per hour, AWSELB price
 * list 2026-09-29), and two public IPv4 addresses.
 */
export class OpenWebUiLoadBalancer extends Construct {
  /** The load balancer. */
  public readonly loadBalancer: elbv2.ApplicationLoadBalancer;

  constructor(scope: Construct, id: string, props: OpenWebUiLoadBalancerProps) {
    super(scope, id);
    const certificateArn = requireName(
      this,
      'certificateArn',
      props.certificateArn,
      /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
      'Pass the ARN of a certificate of AWS Certificate Manager in the region of the stack.',
    );
    const cidrs = this.requireCidrs(props.allowedCidrs);
    this.refuseHalfAName(props);

    const internetFacing = props.vpc.publicSubnets.length > 0;
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'HTTPS to Open WebUI, from the networks that are allowed',
      allowAllOutbound: false,
    });
    cidrs.forEach((cidr) =>
      securityGroup.addIngressRule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(HTTPS_PORT), 'HTTPS to Open WebUI'),
    );
    if (cidrs.includes('0.0.0.0/0')) {
      Validations.of(securityGroup).acknowledge({
        id: 'AwsSolutions-EC23',
        reason: 'Asked for: allowedCidrs names 0.0.0.0/0. Open WebUI has its own login, and only HTTPS answers.',
      });
    }
    this.loadBalancer = new elbv2.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: props.vpc,
      internetFacing,
      securityGroup,
      ipAddressType: elbv2.IpAddressType.IPV4,
      // The socket layer pings every 25 seconds; an answer that is streamed may be silent for minutes while the model
      // thinks.
      idleTimeout: Duration.minutes(10),
      dropInvalidHeaderFields: true,
      desyncMitigationMode: elbv2.DesyncMitigationMode.DEFENSIVE,
    });
    Validations.of(this.loadBalancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason:
        'Access logs need a bucket of their own, which is billed; add loadBalancer.logAccessLogs(bucket) where an audit asks for them.',
    });
    const target = this.createTarget(props.vpc, props.service);
    const listener = this.loadBalancer.addListener('Https', {
      port: HTTPS_PORT,
      protocol: elbv2.ApplicationProtocol.HTTPS,
      certificates: [elbv2.ListenerCertificate.fromArn(certificateArn)],
      sslPolicy: elbv2.SslPolicy.TLS13_RES,
      open: false,
      defaultAction: elbv2.ListenerAction.forward([target]),
    });
    props.service.service.node.addDependency(listener);
    this.publish(props);
  }

  private createTarget(vpc: ec2.IVpc, service: StopFirstService): elbv2.ApplicationTargetGroup {
    const target = new elbv2.ApplicationTargetGroup(this, 'Tasks', {
      vpc,
      port: OPEN_WEBUI_PORT,
      protocol: elbv2.ApplicationProtocol.HTTP,
      targetType: elbv2.TargetType.IP,
      // A session's socket lives in one task.
      stickinessCookieDuration: Duration.days(1),
      // Every task is stopped before a new one starts: waiting for open connections only makes that longer.
      deregistrationDelay: Duration.seconds(15),
      healthCheck: {
        path: '/health',
        healthyHttpCodes: '200',
        interval: Duration.seconds(15),
        timeout: Duration.seconds(10),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 5,
      },
    });
    target.addTarget(
      service.service.loadBalancerTarget({ containerName: OPEN_WEBUI_CONTAINER, containerPort: OPEN_WEBUI_PORT }),
    );
    // A task that waits for the lease or copies a database after a crash does not answer yet; killed for that, the
    // next one would start the same copy again.
    (service.service.node.defaultChild as ecs.CfnService).healthCheckGracePeriodSeconds = 1800;
    return target;
  }

  private publish({ domainName, hostedZoneId }: LoadBalancerOptions): void {
    if (domainName && hostedZoneId) {
      new route53.CfnRecordSet(this, 'Record', {
        hostedZoneId,
        name: domainName,
        type: 'A',
        aliasTarget: {
          dnsName: this.loadBalancer.loadBalancerDnsName,
          hostedZoneId: this.loadBalancer.loadBalancerCanonicalHostedZoneId,
          evaluateTargetHealth: false,
        },
      });
    }
    new CfnOutput(this, 'Url', {
      description: domainName ? 'Open WebUI' : 'Open WebUI; point a name that the certificate covers here',
      value: `https://${domainName ?? this.loadBalancer.loadBalancerDnsName}`,
    });
  }

  private requireCidrs(cidrs: unknown): string[] {
    const wayOut = "Pass the networks that may connect, for example ['203.0.113.0/24'].";
    if (cidrs === undefined) {
      throw inputError(this, 'allowedCidrs is missing: who may connect has no default.', wayOut);
    }
    requireStrings(this, 'allowedCidrs', cidrs, wayOut);
    for (const cidr of cidrs as string[]) {
      if (!Token.isUnresolved(cidr) && !isCidr(cidr)) {
        throw inputError(this, `allowedCidrs holds ${JSON.stringify(cidr)}.`, wayOut);
      }
    }
    return cidrs as string[];
  }

  private refuseHalfAName({ domainName, hostedZoneId }: LoadBalancerOptions): void {
    if (hostedZoneId !== undefined && domainName === undefined) {
      throw inputError(this, 'hostedZoneId is set without domainName.', 'Pass the name that is to point here as well.');
    }
    if (domainName !== undefined) {
      requireName(
        this,
        'domainName',
        domainName,
        /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
        'Pass a host name in small letters, for example chat.example.com.',
      );
    }
  }
}

/** An IPv4 network: four bytes, a length, and no bit set beyond it, as EC2 asks for. */
export function isCidr(text: string): boolean {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!found) {
    return false;
  }
  const [, ...parts] = found.map(Number);
  const length = parts.pop()!;
  const address = parts.reduce((sum, byte) => sum * 256 + byte, 0);
  return length <= 32 && parts.every((byte) => byte <= 255) && address % 2 ** (32 - length) === 0;
}
