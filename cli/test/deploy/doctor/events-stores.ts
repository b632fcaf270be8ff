import { CreateListenerCommand, DeleteListenerCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DeleteDBInstanceCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { Account, Undo } from './account';
import { recordedAt } from './break-stores';
import { Event, letIn } from './events';

const INSTANCE = 'AWS::RDS::DBInstance';
const CLUSTER = 'AWS::RDS::DBCluster';
const CACHE = 'AWS::ElastiCache::ServerlessCache';
const BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';

const tcp = (port: number) => ({ IpProtocol: 'tcp', FromPort: port, ToPort: port });

const open = (what: string, finding: string, group: string, port: number, CidrIp: string): Event => ({
  what,
  finding,
  happen: (account) => letIn(account, group, { ...tcp(port), IpRanges: [{ CidrIp }] }),
});

async function setCache(account: Account, keys: string[], value: unknown): Promise<Undo> {
  return account.set('emulator', [...(await recordedAt(account, CACHE)), ...keys], value);
}

async function listen(account: Account, Type: 'redirect' | 'forward'): Promise<Undo> {
  const { elb } = account.clients;
  const { Listeners } = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: account.id(BALANCER),
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions:
        Type === 'redirect'
          ? [{ Type, RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } }]
          : [{ Type, TargetGroupArn: account.id('AWS::ElasticLoadBalancingV2::TargetGroup') }],
    }),
  );
  return () => elb.send(new DeleteListenerCommand({ ListenerArn: Listeners![0].ListenerArn }));
}

/** Nothing brings it back: the last that happens to a deployment. */
async function lose(account: Account): Promise<Undo> {
  const { rds } = account.clients;
  const DBInstanceIdentifier = account.id(INSTANCE);
  await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, DeletionProtection: false }));
  await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true }));
  return async () => {};
}

export const UPGRADED_EVENTS: Event[] = [
  open('PostgreSQL is open to the world', 'port-open', 'RdsPostgresAccessSecurityGroup', 5432, '0.0.0.0/0'),
  open('Valkey, which has no password, is open to the VPC', 'port-open', 'ValkeyServerless', 6379, '10.0.0.0/16'),
  open(
    'The load balancer is open to a network that allowedCidrs does not name',
    'load-balancer-open',
    'LoadBalancerSecurityGroup',
    443,
    '0.0.0.0/0',
  ),
  {
    what: 'The load balancer has a second listener, without TLS',
    finding: 'load-balancer-plaintext',
    happen: (account) => listen(account, 'forward'),
  },
  {
    what: 'The load balancer has a second listener, which only redirects to HTTPS',
    finding: 'load-balancer-drift',
    happen: (account) => listen(account, 'redirect'),
  },
  {
    what: 'The load balancer failed',
    finding: 'load-balancer-missing',
    happen: (account) => account.set('elbv2', ['load_balancers', account.id(BALANCER), 'state'], 'failed'),
  },
  {
    what: 'The database was stopped',
    finding: 'database-unavailable',
    happen: (account) => account.set('rds', ['databases', account.id(INSTANCE), 'status'], 'stopped'),
  },
  {
    what: 'The database’s disk is full',
    finding: 'database-unavailable',
    happen: (account) => account.set('rds', ['databases', account.id(INSTANCE), 'status'], 'storage-full'),
  },
  {
    what: 'The database is backed up for one day only',
    finding: 'database-backup',
    happen: (account) => account.set('rds', ['databases', account.id(INSTANCE), 'backup_retention_period'], 1),
  },
  {
    what: 'The cache has no limits',
    finding: 'cache-limits',
    happen: (account) => setCache(account, ['properties', 'CacheUsageLimits'], {}),
  },
  {
    what: 'The cache was deleted',
    finding: 'cache-missing',
    happen: (account) => setCache(account, ['physicalId'], 'gone'),
  },
  {
    what: 'The cache failed',
    finding: 'cache-missing',
    happen: (account) => setCache(account, ['properties', 'Status'], 'create-failed'),
  },
];

export const AURORA_EVENTS: Event[] = [
  open('Aurora is open to the world', 'port-open', 'AuroraAccessSecurityGroup', 5432, '0.0.0.0/0'),
  {
    what: 'The cluster was stopped',
    finding: 'database-unavailable',
    happen: (account) => account.set('rds', ['clusters', account.id(CLUSTER), 'status'], 'stopped'),
  },
  {
    what: 'The cluster is backed up for one day only',
    finding: 'database-backup',
    happen: (account) => account.set('rds', ['clusters', account.id(CLUSTER), 'backup_retention_period'], 1),
  },
];

export const LAST_EVENT: Event = {
  what: 'The database instance was deleted',
  finding: 'database-missing',
  happen: lose,
};
