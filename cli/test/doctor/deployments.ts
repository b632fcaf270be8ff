/** A correct deployment that is broken, one promise at a time. */
export interface Deployment {
  readonly name: string;
  readonly flags: Record<string, string>;
  /** Of which types the promises are broken; the others are broken in the default. */
  readonly types: RegExp;
}

const STORES = /^AWS::(RDS|SecretsManager|ElastiCache|ElasticLoadBalancingV2|EC2::SecurityGroup)/;

const DEFAULT = { services: 'true', focusExport: 's3://my-exports/focus/cost' };
const UPGRADED = { ...DEFAULT, monthlyBudgetUsd: '300' };

/** The default, then what it grows into. Each is deployed over the one before; the certificate is one of the account. */
export const deployments = (certificateArn: string): Deployment[] => [
  { name: 'the default', flags: DEFAULT, types: /./ },
  {
    name: 'PostgreSQL on RDS, pgvector, a cache, two replicas and a load balancer',
    flags: {
      ...UPGRADED,
      ...{ relational: 'rds-postgres', relationalPhase: 'cutover', vectors: 'pgvector' },
      ...{ cache: 'valkey-serverless', replicas: '2', certificateArn, allowedCidrs: '203.0.113.0/24,198.51.100.7/32' },
    },
    types: STORES,
  },
  {
    name: 'Aurora, S3 Vectors',
    flags: {
      ...UPGRADED,
      ...{ relational: 'aurora-serverless-v2', relationalPhase: 'cutover', vectors: 's3-vectors' },
    },
    types: STORES,
  },
];

/** Its flags, for the cdk command. */
export function flagsOf({ flags }: Deployment): string[] {
  return Object.entries(flags).flatMap(([name, value]) => ['-c', `data-layer:${name}=${value}`]);
}
