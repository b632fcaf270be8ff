import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { inputError } from '../errors';
import { requireObject } from '../inputs';
import { DataVolume } from '../storage';
import { AnalyticsStore, IS3Tables } from './analytics';
import { CacheStore } from './cache/cache-store';
import { StoreContext } from './context';
import { MigrationPhase } from './migration-phase';
import { PostgresDatabase } from './relational/postgres';
import type { FocusExportSource } from '../workloads';
import { RelationalStore } from './relational/relational-store';
import { SearchAccess, SearchChoice } from './search/search-choice';
import { SearchStore } from './search/search-store';
import { VectorStore } from './vectors/vector-store';
import { Wiring } from './wiring';

/** Which store each kind of data lives in. */
export interface StoreChoices {
  /**
   * Open WebUI's users, chats and settings.
   *
   * @default RelationalStore.sqliteOnEfs()
   */
  readonly relational?: RelationalStore;

  /**
   * The embeddings of Open WebUI's knowledge, files and memories.
   *
   * @default VectorStore.chromaOnEfs()
   */
  readonly vectors?: VectorStore;

  /**
   * What several replicas of Open WebUI share.
   *
   * @default CacheStore.none()
   */
  readonly cache?: CacheStore;

  /**
   * Full-text search over evidence.
   *
   * @default SearchStore.none()
   */
  readonly search?: SearchStore;

  /**
   * FinOps evidence that queries have outgrown the files for. The files stay where they are.
   *
   * @default AnalyticsStore.evidenceFiles()
   */
  readonly analytics?: AnalyticsStore;
}

/** The stores that were chosen, made, and what an application needs to reach them. */
export class DataStores extends Construct {
  /** The name of the relational store, as the flag has it. */
  public readonly relationalName: string;
  /** The name of the vector store, as the flag has it. */
  public readonly vectorsName: string;
  /** The name of the cache, as the flag has it. */
  public readonly cacheName: string;
  /** The name of the search, as the flag has it. */
  public readonly searchName: string;
  /** The name of the analytics store, as the flag has it. */
  public readonly analyticsName: string;
  /** Evidence in S3 Tables. Undefined when the files were chosen. */
  public readonly s3Tables?: IS3Tables;
  /** How far the move from SQLite has come. Undefined when SQLite was chosen. */
  public readonly phase?: MigrationPhase;
  /** @internal */
  public readonly _database?: PostgresDatabase;
  /** @internal */
  public readonly _vectors: Wiring;
  /** @internal */
  public readonly _cache?: Wiring;
  /** @internal */
  public readonly _vectorsOnVolume: boolean;
  private readonly search: SearchChoice;
  private readonly context: StoreContext;

  /**
   * @param scope the data layer
   * @param id the construct's id
   * @param volume whose VPC and removal policy they share
   * @param choices the stores
   * @param focusExport the export that an analytics store loads
   */
  constructor(
    scope: Construct,
    id: string,
    volume: DataVolume,
    choices: StoreChoices = {},
    focusExport?: FocusExportSource,
  ) {
    super(scope, id);
    requireObject(
      this,
      'relational',
      choices.relational,
      ['_create'],
      'Pass RelationalStore.rdsPostgres() or another.',
    );
    requireObject(this, 'vectors', choices.vectors, ['_choice'], 'Pass VectorStore.pgvector() or another.');
    requireObject(this, 'cache', choices.cache, ['_choice'], 'Pass CacheStore.valkeyServerless() or none().');
    requireObject(this, 'search', choices.search, ['_choice'], 'Pass SearchStore.openSearchServerless() or none().');
    requireObject(
      this,
      'analytics',
      choices.analytics,
      ['_choice'],
      'Pass AnalyticsStore.s3Tables() or evidenceFiles().',
    );
    const relational = choices.relational ?? RelationalStore.sqliteOnEfs();
    const vectors = choices.vectors ?? VectorStore.chromaOnEfs();
    const cache = choices.cache ?? CacheStore.none();
    const search = choices.search ?? SearchStore.none();
    const context: StoreContext = { vpc: volume.vpc, removalPolicy: volume._removalPolicy ?? RemovalPolicy.RETAIN };

    this.relationalName = relational.storeName;
    this.vectorsName = vectors.storeName;
    this.cacheName = cache.storeName;
    this.searchName = search.storeName;
    this.search = search._choice;
    this.context = context;
    this.phase = relational._phase(this);
    this._database = relational._create(this, context);
    this._vectorsOnVolume = vectors._choice.onVolume;
    this._vectors = vectors._choice.create(this, context, this._relationalOnVolume ? undefined : this._database);
    this._cache = cache._choice.create?.(this, context);
    const analytics = choices.analytics ?? AnalyticsStore.evidenceFiles();
    this.analyticsName = analytics.storeName;
    this.s3Tables = analytics._choice.create?.(this, { removalPolicy: context.removalPolicy, export: focusExport });
  }

  /**
   * Tells a container of yours where the PostgreSQL is, by the names that libpq and psycopg read by themselves: PGHOST,
   * PGPORT, PGDATABASE and PGSSLMODE as environment, PGUSER and PGPASSWORD as secrets; and lets its service in. For
   * CrewAI, see docs/crewai.md.
   *
   * @param container a container, for example knowledge.container
   * @param service the service that runs it
   * @throws when no relational store in PostgreSQL was chosen
   */
  public connect(container: ecs.ContainerDefinition, service: ec2.IConnectable): void {
    if (!this._database) {
      throw inputError(
        this,
        `${container.node.path} cannot be connected: relational is ${this.relationalName}, which is no PostgreSQL.`,
        'Pass RelationalStore.rdsPostgres(), auroraServerlessV2() or external().',
      );
    }
    const { host, port, databaseName, secret, tls } = this._database;
    const environment = { PGHOST: host, PGPORT: port, PGDATABASE: databaseName, ...tls };
    Object.entries(environment).forEach(([name, value]) => container.addEnvironment(name, value));
    container.addSecret('PGUSER', ecs.Secret.fromSecretsManager(secret, 'username'));
    container.addSecret('PGPASSWORD', ecs.Secret.fromSecretsManager(secret, 'password'));
    this._database.allowFrom(service);
  }

  /**
   * Makes the search, which lets in the role that fills it: it is made after the workloads.
   *
   * @internal
   */
  public _createSearch(indexer: iam.IRole): SearchAccess | undefined {
    return this.search.create?.(this, this.context, indexer);
  }

  /**
   * Whether the application runs on SQLite: it is the store, or the move to another is only prepared.
   *
   * @internal
   */
  public get _relationalOnVolume(): boolean {
    return this.phase === undefined || this.phase === MigrationPhase.PREPARE;
  }

  /**
   * What is missing for more than one replica of Open WebUI, in words. The files and the key are shared by the volume.
   *
   * @internal
   */
  public _missingForReplicas(): string[] {
    const missing: string[] = [];
    if (this.phase === undefined) {
      missing.push(
        `relational is ${this.relationalName}: pass RelationalStore.rdsPostgres(), auroraServerlessV2() or external()`,
      );
    } else if (this._relationalOnVolume) {
      missing.push(
        `relational is in phase ${this.phase}, in which the application still runs on SQLite: go on to CUTOVER`,
      );
    }
    if (this._vectorsOnVolume) {
      missing.push(`vectors is ${this.vectorsName}: pass VectorStore.pgvector(), s3Vectors() or qdrant()`);
    }
    if (!this._cache) {
      missing.push(`cache is ${this.cacheName}: pass CacheStore.valkeyServerless()`);
    }
    return missing;
  }
}
