import { Confidence, PriceBook, priceOf } from './price-book';
import { RateSource } from './rate-source';
import { RATE, cacheNodeRate, rdsInstanceRate } from './rates';
import { HOURS, USAGE } from './usage-keys';

/** What all alternatives have to do. All figures are for a month. */
export interface Workload {
  /** Live data, in GiB. Each alternative is priced as if it held all of it, as the ADR does. */
  readonly gib: number;
  /** People who use the application. Above 50 the RDS instance is a db.t4g.small, as its smallest sizes share one burst budget. */
  readonly users: number;
  /** Evidence that queries read, in GB. */
  readonly scanGb: number;
  /** Vectors stored. */
  readonly vectors: number;
  /** Numbers in one vector; 4 bytes each. */
  readonly dimensions: number;
  /** Vector searches. */
  readonly queries: number;
  /** Hours in which the search service is used; a NextGen collection group sleeps in the others. */
  readonly searchHours: number;
  /** Hours in which somebody is connected to a database that can pause. A running service is connected always. */
  readonly awakeHours: number;
}

/** A workload of the size this project is made for. */
export const DEFAULT_WORKLOAD: Workload = {
  gib: 20,
  users: 50,
  scanGb: 10,
  vectors: 100_000,
  dimensions: 1024,
  queries: 10_000,
  searchHours: 176,
  awakeHours: HOURS,
};

/** What an alternative would replace. */
export type Purpose = 'relational' | 'vectors' | 'analytics' | 'search' | 'cache' | 'everything';

/** One line of an alternative's cost. */
export interface CostLine {
  readonly name: string;
  readonly quantity: number;
  readonly unit: string;
  /** Per month, in USD. */
  readonly usd: number;
  readonly confidence: Confidence;
  /** The region of the rate: us-east-1 where the price book of the region asked for has none. */
  readonly rateFrom: string;
}

/** A service that could hold (a part of) the data, with its cost for a workload. */
export interface Alternative {
  readonly id: string;
  readonly name: string;
  readonly purpose: Purpose;
  readonly lines: CostLine[];
  /** Per month, in USD. */
  readonly usd: number;
  /** What the number leaves open, or why the service does not fit. */
  readonly note?: string;
}

type Add = (name: string, rate: string, quantity: number) => void;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly purpose: Purpose;
  readonly note?: string;
  readonly price: (add: Add, workload: Workload) => void;
}

/** Gigabytes (10^9 bytes) that the vectors take: 4 bytes a number, and 300 of key and metadata (AWS's example: 4.4 GB for 1 M of 1,024). */
export function vectorGb({ vectors, dimensions }: Workload): number {
  return (vectors * (dimensions * 4 + 300)) / 1e9;
}

/** A db.t4g.micro up to 50 users, a db.t4g.small above. */
function rdsClass({ users }: Workload): string {
  return users > 50 ? 'db.t4g.small' : 'db.t4g.micro';
}

function rds(add: Add, workload: Workload, gb: number): void {
  const instance = rdsClass(workload);
  add(`RDS PostgreSQL ${instance}, Single-AZ`, rdsInstanceRate('postgresql', instance, false), HOURS);
  add('gp3 storage (at least 20 GB)', RATE.rdsGp3, Math.max(20, gb));
  add('secret with the password', RATE.secret, 1);
}

function aurora(add: Add, { gib }: Workload, hours: number): void {
  add('0.5 ACU', RATE.auroraAcu, 0.5 * hours);
  add('storage', RATE.auroraStorage, gib);
}

/** The default plan keeps backups for 7 days. */
const BACKUP_DAYS = 7;

/** As the bill of the default data layer has it, with its default usage. */
function efs(add: Add, { gib }: Workload): void {
  const snapshots = (gib * USAGE['efs.snapshotsKept'].default * USAGE['efs.snapshotPercent'].default) / 100;
  add('Standard storage', RATE.efsStandard, gib);
  add('snapshots on the volume', RATE.efsStandard, snapshots);
  add(
    'AWS Backup, kept 7 days',
    RATE.backupEfsWarm,
    gib + snapshots + USAGE['backup.changedGiBPerDay'].default * BACKUP_DAYS,
  );
}

/** Every alternative, in the order of the report. Facts on minimum sizes and floors: the price lists and pages named in prices/. */
const ROWS: readonly Row[] = [
  {
    id: 'efs-bursting',
    name: 'EFS, bursting (this data layer)',
    purpose: 'everything',
    note: 'Reads and writes cost nothing; 50 KiB/s for each GiB are sustained, more with burst credits.',
    price: efs,
  },
  {
    id: 'efs-elastic',
    name: 'EFS, elastic throughput',
    purpose: 'everything',
    note: 'The default of a file system made in the console.',
    price: (add, workload) => {
      efs(add, workload);
      add('elastic reads', RATE.efsElasticRead, workload.scanGb);
    },
  },
  {
    id: 'rds-postgresql',
    name: 'RDS PostgreSQL',
    purpose: 'relational',
    price: (add, workload) => rds(add, workload, workload.gib),
  },
  {
    id: 'aurora-serverless-v2',
    name: 'Aurora Serverless v2, 0.5 ACU',
    purpose: 'relational',
    note: 'Open connections keep it awake: a running Open WebUI does.',
    price: (add, workload) => aurora(add, workload, workload.awakeHours),
  },
  {
    id: 'aurora-serverless-v2-paused',
    name: 'Aurora Serverless v2, paused',
    purpose: 'relational',
    note: 'Only while the service is stopped.',
    price: (add, workload) => aurora(add, workload, 0),
  },
  {
    id: 'aurora-dsql',
    name: 'Aurora DSQL',
    purpose: 'relational',
    note: 'Its work is not estimated here: 100,000 DPU a month are free. Open WebUI is not known to run on it.',
    price: (add, { gib }) => add('storage', RATE.dsqlStorage, gib),
  },
  {
    id: 'pgvector-own-rds',
    name: 'pgvector on an RDS of its own',
    purpose: 'vectors',
    note: 'On an RDS that is there already it costs nothing more.',
    price: (add, workload) => rds(add, workload, vectorGb(workload)),
  },
  {
    id: 's3-vectors',
    name: 'S3 Vectors',
    purpose: 'vectors',
    price: (add, workload) => {
      add('storage', RATE.s3VectorsStorage, vectorGb(workload));
      add('queries', RATE.s3VectorsQueries, workload.queries / 1e6);
      add('data queries look at', RATE.s3VectorsProcessed, (workload.queries * vectorGb(workload)) / 1e3);
    },
  },
  {
    id: 'qdrant-fargate',
    name: 'Qdrant on Fargate (0.25 vCPU, 0.5 GB)',
    purpose: 'vectors',
    note: 'It needs block storage, which is not in the number; its documents rule NFS, and so EFS, out.',
    price: (add) => {
      add('Fargate vCPU, ARM64', RATE.fargateArmVcpu, 0.25 * HOURS);
      add('Fargate memory, ARM64', RATE.fargateArmMemory, 0.5 * HOURS);
      add('public IPv4 address', RATE.publicIpv4, HOURS);
    },
  },
  {
    id: 's3-tables-athena',
    name: 'S3 Tables and Athena',
    purpose: 'analytics',
    note: 'Scans are counted as they are on files; columnar files are read in part only.',
    price: (add, { gib, scanGb }) => {
      add('table storage', RATE.s3TablesStorage, gib);
      add('Athena, data scanned', RATE.athenaScan, scanGb / 1000);
    },
  },
  {
    id: 'opensearch-nextgen',
    name: 'OpenSearch Serverless NextGen',
    purpose: 'search',
    note: '1 OCU while it is used; asleep it costs its storage. The first search after a sleep takes 10 to 30 s.',
    price: (add, { gib, searchHours }) => {
      add('OCU while awake', RATE.openSearchNextGenOcu, searchHours);
      add('storage', RATE.openSearchStorage, gib);
    },
  },
  {
    id: 'opensearch-classic',
    name: 'OpenSearch Serverless classic, no standby (2 × 0.5 OCU)',
    purpose: 'search',
    price: (add, { gib }) => {
      add('OCU, always on', RATE.openSearchClassicOcu, HOURS);
      add('storage', RATE.openSearchStorage, gib);
    },
  },
  {
    id: 'opensearch-classic-redundant',
    name: 'OpenSearch Serverless classic, redundant (2 OCU)',
    purpose: 'search',
    price: (add, { gib }) => {
      add('OCU, always on', RATE.openSearchClassicOcu, 2 * HOURS);
      add('storage', RATE.openSearchStorage, gib);
    },
  },
  {
    id: 'valkey-serverless',
    name: 'ElastiCache Serverless for Valkey',
    purpose: 'cache',
    note: 'At the floor of 0.1 GB; its work adds cents.',
    price: (add) => add('data, at least 0.1 GB', RATE.valkeyData, 0.1 * HOURS),
  },
  {
    id: 'valkey-node',
    name: 'ElastiCache Valkey node, cache.t4g.micro',
    purpose: 'cache',
    price: (add) => add('node', cacheNodeRate('valkey', 'cache.t4g.micro'), HOURS),
  },
];

function costOf(row: Row, rates: RateSource, region: string, workload: Workload): Alternative {
  const lines: CostLine[] = [];
  row.price((name, rate, quantity) => {
    const found = rates.find(region, rate);
    if (!found) {
      throw new Error(`[${rate}] No price book has this rate.`);
    }
    lines.push({
      name,
      quantity,
      unit: found.entry.unit,
      usd: priceOf(found.entry, quantity),
      confidence: found.confidence,
      rateFrom: found.region,
    });
  }, workload);
  const { id, name, purpose, note } = row;
  return { id, name, purpose, note, lines, usd: lines.reduce((sum, line) => sum + line.usd, 0) };
}

/** What the alternatives cost in a region. A rate that its price book does not have is that of us-east-1, and marked. */
export class Alternatives {
  private readonly rates = new RateSource();

  /** @throws when there are no prices for the region */
  constructor(public readonly region: string) {
    PriceBook.forRegion(region);
  }

  /** Every alternative for a workload. */
  public all(workload: Workload): Alternative[] {
    return ROWS.map((row) => costOf(row, this.rates, this.region, workload));
  }

  /**
   * One alternative for a workload.
   *
   * @throws when there is no such alternative
   */
  public one(id: string, workload: Workload): Alternative {
    const row = ROWS.find((candidate) => candidate.id === id);
    if (!row) {
      throw new Error(`[${id}] There is no such alternative. There are: ${ROWS.map((each) => each.id).join(', ')}.`);
    }
    return costOf(row, this.rates, this.region, workload);
  }
}
