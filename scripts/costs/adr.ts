// The figures of the decision record, each beside the same figure from the price book.
import { Alternatives, DEFAULT_WORKLOAD, Workload } from '../../lib/bill/alternatives';
import { PriceBook, priceOf } from '../../lib/bill';
import { RATE } from '../../lib/bill/rates';

/** A figure of the decision record, and what it is with the prices of today. */
export interface AdrRow {
  readonly claim: string;
  /** As it stands in the record. */
  readonly stated: string;
  /** From the price book of us-east-1, in which the record reckons. */
  readonly computed: string;
  /** Why they differ; undefined where they do not. */
  readonly reason?: string;
}

/** The record's volume: 20 GiB. Its price is that of the template, so it comes from there. */
export interface AdrInputs {
  readonly book: PriceBook;
  /** The line "Storage (Standard)" of the default topology, with 20 GiB stored. USD a month. */
  readonly storageUsd: number;
  /** Everything the data layer of the default topology costs with it. USD a month. */
  readonly wholeUsd: number;
}

export const usd = (amount: number): string => `$${amount.toFixed(2)}`;
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
const times = (factor: number): string => `${factor.toFixed(1)}x`;

/** Aurora's floor before auto-pause existed: half a capacity unit, all month, without storage. */
export function auroraFloorUsd(book: PriceBook): number {
  return priceOf(book.entry(RATE.auroraAcu), 0.5 * 730);
}

/** All figures of the record's text and tables that have a dollar, a percent or a factor in them. */
export function adrRows({ book, storageUsd, wholeUsd }: AdrInputs): AdrRow[] {
  const alternatives = new Alternatives(book.region);
  const alternative = (id: string, workload: Partial<Workload> = {}) =>
    alternatives.one(id, { ...DEFAULT_WORKLOAD, ...workload }).usd;
  const rate = (key: string, quantity: number) => priceOf(book.entry(key), quantity);
  const aurora = auroraFloorUsd(book);
  const openSearch = rate(RATE.openSearchClassicOcu, 2 * 730);
  const micro = alternative('rds-postgresql', { users: 50 });
  const small = alternative('rds-postgresql', { users: 51 });
  const node = alternative('valkey-node');
  const tables = { gib: 20, scanGb: 1000 };
  return [
    {
      claim: 'EFS, the whole data layer',
      stated: '$6/mo',
      computed: `${usd(storageUsd)} for 20 GiB stored; ${usd(wholeUsd)} with snapshots, backups and logs`,
      reason: 'The record counts storage alone.',
    },
    {
      claim: 'Aurora Serverless v2, minimum of 0.5 ACU',
      stated: '$43/mo',
      computed: `${usd(aurora)} awake; $0.00 paused, plus ${usd(rate(RATE.auroraStorage, 20))} for 20 GB`,
      reason:
        'Cut, not rounded. Since November 2024 the minimum may be 0 ACU, but a cluster pauses only with no connection open, and a running Open WebUI holds some.',
    },
    {
      claim: 'Saved against Aurora',
      stated: '87 %',
      computed: percent(1 - storageUsd / aurora),
      reason: 'No pair of the figures gives 87: even $6 of $43 is 86.0 %.',
    },
    { claim: 'Aurora, in EFS costs', stated: '7x', computed: times(aurora / storageUsd) },
    {
      claim: 'RDS PostgreSQL',
      stated: '$20/mo',
      computed: `${usd(micro)} (db.t4g.micro) or ${usd(small)} (db.t4g.small)`,
      reason: 'The record lies between two sizes and names none. Both: Single-AZ, 20 GB of gp3, a secret.',
    },
    {
      claim: 'pgvector, on top of RDS',
      stated: '+$20/mo',
      computed: `$0.00, or ${usd(alternative('pgvector-own-rds'))} for an RDS of its own`,
      reason: 'It is an extension: it costs something only where there is no RDS yet.',
    },
    {
      claim: 'S3 Tables',
      stated: '$5/mo',
      computed: `${usd(rate(RATE.s3TablesStorage, 20))} for 20 GB; ${usd(alternative('s3-tables-athena', tables))} with 1 TB scanned`,
      reason: 'At 20 GB the stated sum is nearly all scan, and there is no floor.',
    },
    {
      claim: 'S3 Tables, scan',
      stated: '$0.004/GB',
      computed: `$${(rate(RATE.athenaScan, 1) / 1000).toFixed(3)}/GB`,
      reason: 'S3 Tables has no such charge. The engine bills the scan: the figure is that of Amazon Athena.',
    },
    {
      claim: 'OpenSearch Serverless, minimum of 2 OCU',
      stated: '$345/mo',
      computed: `${usd(openSearch)} (classic); ${usd(openSearch / 2)} without standby; NextGen asleep ${usd(rate(RATE.openSearchStorage, 20))} for 20 GB`,
      reason: '730 hours at $0.24. NextGen (May 2026) scales to zero after ten minutes without work.',
    },
    {
      claim: 'OpenSearch Serverless, in EFS costs',
      stated: '58x',
      computed: times(openSearch / storageUsd),
    },
    {
      claim: 'Valkey / ElastiCache',
      stated: '$15/mo',
      computed: `${usd(alternative('valkey-serverless'))} serverless; ${usd(node)} one cache.t4g.micro, ${usd(2 * node)} two`,
      reason: 'The record names neither form nor size; serverless for Valkey has a floor of 100 MB.',
    },
    {
      claim: 'Qdrant, self-hosted',
      stated: '$0',
      computed: `${usd(alternative('qdrant-fargate'))} without storage`,
      reason: 'The software is free; a task and its address are not. It cannot sit on EFS: its documents rule NFS out.',
    },
    {
      claim: 'More than 1 TB scanned: change to S3 Tables',
      stated: 'trigger',
      computed: `1 TiB read: $0.00 bursting, ${usd(rate(RATE.efsElasticRead, 1024))} elastic; ${usd(rate(RATE.athenaScan, 1))} for 1 TB in Athena`,
      reason: 'With bursting throughput the reason to change is speed, not money: 20 GiB sustain about 1 MiB/s.',
    },
  ];
}
