/**
 * The decision record's table of upgrades, and its alternatives, as data: documentation, flags and tests are held
 * against it, so that they cannot disagree. Where the record's wording was found stale, `note` says so.
 */

/** What kind of change an upgrade is, in the words of the decision record. */
export enum UpgradeKind {
  /** Data is moved, with a phase for each step and a way back. */
  DATA_MIGRATION = 'Data Migration',
  /** A setting is changed; what the old store held is copied or indexed anew. */
  CONFIG_CHANGE = 'Config Change',
  /** Something is added beside what there is. */
  MODULE_ADDITION = 'Module Addition',
}

/** One way to a bigger service. */
export interface UpgradePath {
  /** The name of its runbook in docs/runbooks. */
  readonly name: string;
  /** What outgrows the volume. */
  readonly workload: string;
  /** When, as the decision record has it. */
  readonly trigger: string;
  /** What it moves to. */
  readonly target: string;
  readonly kind: UpgradeKind;
  /**
   * The flags of what it starts from.
   *
   * @default - none: everything on the volume
   */
  readonly from?: { readonly [name: string]: string };
  /** The flags of the deploy app that choose it, step by step: one deployment each. */
  readonly steps: { readonly flags: { readonly [name: string]: string }; readonly what: string }[];
  /** The way back. */
  readonly rollback: string;
  /** How long it takes, as far as it was measured, and how it was. */
  readonly duration: string;
  /** What users of the application see while it happens. */
  readonly usersNotice: string;
  /** What is worth knowing beside it. */
  readonly note?: string;
}

const STOPPED = 'The application is stopped during the copy and for the minutes that each deployment takes.';
const ONE_RESTART = 'One restart of the application: a few minutes without it.';

const MOVE = 'Run `efs-data-layer migrate --check`, then `efs-data-layer migrate`.';

function relational(store: string) {
  const flags = (relationalPhase: string) => ({ relational: store, relationalPhase });
  return [
    { flags: flags('prepare'), what: `The database is made, empty; the application stays on SQLite. ${MOVE}` },
    { flags: flags('cutover'), what: 'The application runs on the database; webui.db stays on the volume, untouched.' },
    { flags: flags('complete'), what: 'After `efs-data-layer migrate --complete`, which archives webui.db.' },
  ];
}

const RELATIONAL_BACK =
  'Run `efs-data-layer migrate --back`, which copies the database back with the same checks (or `--discard-since-cutover`, which prints what is dropped), then deploy with relationalPhase=prepare. The database stays, protected from deletion.';

/** docs/bench-migrate.json holds the numbers of the mover; those of a deployment are AWS's own. */
const NOT_AWS =
  'How long the deployments take was not measured: that is the time that AWS needs to make what is new and to stop and start a task.';

const MOVING = `The copy is what takes the application away: 1,000,000 messages (942 MiB) in 48 s, 20,661 rows/s, measured on two shared cores beside PostgreSQL 15 (docs/bench-migrate.json); across a network and on a small instance it is slower. \`migrate\` shows the rate and the time left. ${NOT_AWS}`;

const SETTING = `One deployment. ${NOT_AWS}`;

/** Every path that the deploy app has flags for. */
export const UPGRADE_PATHS: UpgradePath[] = [
  {
    name: 'rds-postgres',
    workload: 'Relational data',
    trigger: 'More than 50 concurrent writes',
    target: 'RDS PostgreSQL',
    kind: UpgradeKind.DATA_MIGRATION,
    steps: relational('rds-postgres'),
    rollback: RELATIONAL_BACK,
    duration: MOVING,
    usersNotice: STOPPED,
  },
  {
    name: 'aurora-serverless-v2',
    workload: 'Relational data',
    trigger: 'More than 200 users and a need for several zones',
    target: 'Aurora Serverless v2',
    kind: UpgradeKind.DATA_MIGRATION,
    steps: relational('aurora-serverless-v2'),
    rollback: RELATIONAL_BACK,
    duration: MOVING,
    usersNotice: `${STOPPED} After a pause the first request waits about 15 seconds.`,
    note: 'The record names a floor of 0.5 ACU. Since 2024-11 the least is 0, with a pause after five minutes without a connection; a running Open WebUI keeps connections open, so that it pauses only while the service is stopped.',
  },
  {
    name: 'pgvector',
    workload: 'Vector search',
    trigger: 'Cross-system SQL and vectors',
    target: 'pgvector',
    kind: UpgradeKind.CONFIG_CHANGE,
    from: { relational: 'rds-postgres', relationalPhase: 'complete' },
    steps: [
      {
        flags: { relational: 'rds-postgres', relationalPhase: 'complete', vectors: 'pgvector' },
        what: 'The application looks for vectors in PostgreSQL. What Chroma held stays on the volume: copy it with `efs-data-layer migrate --vectors`, or index the knowledge bases anew.',
      },
    ],
    rollback: 'Deploy with vectors=chroma-on-efs: Chroma is where it was, without what was added since.',
    duration: `The application is stopped while vectors are copied: 20,000 embeddings of 384 dimensions took 31 s with all comparisons, measured once on two shared cores beside PostgreSQL 16 with pgvector 0.6.2. ${NOT_AWS}`,
    usersNotice: `${ONE_RESTART} Until vectors are copied or indexed anew, answers do not find the documents they held.`,
    note: 'A config change only where PostgreSQL runs already. From SQLite it is the data migration first.',
  },
  {
    name: 's3-vectors',
    workload: 'Vector search',
    trigger: 'More vectors than the volume should hold, without SQL',
    target: 'Amazon S3 Vectors',
    kind: UpgradeKind.CONFIG_CHANGE,
    steps: [
      {
        flags: { vectors: 's3-vectors' },
        what: 'The application keeps vectors in a bucket, one index for each collection. Index the knowledge bases anew.',
      },
    ],
    rollback: 'Deploy with vectors=chroma-on-efs. The bucket stays in the account.',
    duration: `${SETTING} Indexing anew takes as long as the embedding service needs.`,
    usersNotice: `${ONE_RESTART} Until they are indexed anew, answers do not find the documents.`,
    note: 'Not in the record: it became available in 2025-12.',
  },
  {
    name: 'qdrant',
    workload: 'Vector search',
    trigger: 'A dedicated vector search',
    target: 'Qdrant',
    kind: UpgradeKind.CONFIG_CHANGE,
    steps: [
      {
        flags: { vectors: 'qdrant', qdrantUrl: 'https://<host>:6333', qdrantSecret: '<secret ARN>' },
        what: 'The application keeps vectors in a Qdrant that exists. Index the knowledge bases anew.',
      },
    ],
    rollback: 'Deploy with vectors=chroma-on-efs.',
    duration: `${SETTING} Indexing anew takes as long as the embedding service needs.`,
    usersNotice: `${ONE_RESTART} Until they are indexed anew, answers do not find the documents.`,
    note: 'The record calls it free of charge on the volume. Qdrant does not work on NFS, which EFS is: none is made there.',
  },
  {
    name: 'open-search-serverless',
    workload: 'Full-text search',
    trigger: 'Dedicated search workload',
    target: 'OpenSearch Serverless',
    kind: UpgradeKind.MODULE_ADDITION,
    steps: [
      {
        flags: { search: 'open-search-serverless', searchReaders: '<role ARN>' },
        what: 'A collection is made beside the files, empty and asleep. Then run `efs-data-layer search index`, which fills it from the files; the readers named may search.',
      },
    ],
    rollback: 'Deploy with search=none. The collection goes; the files it was made from never changed.',
    usersNotice:
      'Nothing: no service is restarted. After ten minutes without a search the next one waits 10 to 30 seconds.',
    duration: `${SETTING} Indexing takes as long as reading the files and sending them.`,
    note: 'The record’s $345 a month is the floor of Classic. NextGen (2026-05) sleeps at no charge but storage; an endpoint in the VPC (searchPrivate) is billed by the hour. It cannot be Open WebUI’s vector store: its client signs in with user name and password and sets document ids, Serverless takes neither. SQLite’s full-text index over the same files needs no service at all.',
  },
  {
    name: 's3-tables',
    workload: 'FinOps evidence',
    trigger: 'Queries read more than 1 TB a month',
    target: 'S3 Tables and Athena',
    kind: UpgradeKind.MODULE_ADDITION,
    steps: [
      {
        flags: { analytics: 's3-tables', focusExport: 's3://<bucket>/<prefix>/<export name>' },
        what: 'Tables, an Athena workgroup and a daily load of the FOCUS export are added. Evidence files stay where they are.',
      },
    ],
    rollback:
      'Deploy with analytics=evidence-files: the files were never changed. The table bucket stays in the account; take it up again with tableBucket=<its name> and glueCatalog=existing.',
    usersNotice: 'Nothing.',
    duration: SETTING,
    note: 'The record names $5 a month and $0.004 per GB scanned. Storage is $0.0265 per GB-month, and Athena takes $5.00 per TB scanned (us-east-1): for 20 GB and 10 GB scanned less than a dollar. Against a volume with bursting throughput it saves time, not money.',
  },
  {
    name: 'replicas',
    workload: 'Open WebUI itself',
    trigger: 'One task is not enough, or pub/sub between tasks is needed',
    target: 'Valkey and more than one task',
    kind: UpgradeKind.MODULE_ADDITION,
    from: { relational: 'rds-postgres', relationalPhase: 'complete', vectors: 'pgvector' },
    steps: [
      {
        flags: {
          relational: 'rds-postgres',
          relationalPhase: 'complete',
          vectors: 'pgvector',
          cache: 'valkey-serverless',
          replicas: '2',
        },
        what: 'Two tasks share database, vectors, cache, files and key. A deployment still stops all of them first.',
      },
    ],
    rollback: 'Deploy with replicas=1; then cache=none.',
    duration: SETTING,
    usersNotice: ONE_RESTART,
    note: 'Put a load balancer before them (certificateArn, allowedCidrs): a session stays with its task. Its price is not in the table: `efs-data-layer bill` shows it.',
  },
];
