import { App, AppProps, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  AnalyticsStore,
  CacheStore,
  DataLayerStack,
  EfsSafetyChecks,
  MigrationPhase,
  MonthlyBudget,
  RelationalStore,
  SearchStore,
  VectorStore,
} from '../lib';
import { FlagValues, parseFocusExport, readFlags } from './flags';

/** Names the stack of a stage. */
export function stackName(stage: string): string {
  return stage === 'prod' ? 'EfsDataLayer' : `EfsDataLayer-${stage}`;
}

/**
 * The deploy app: one stack, not bound to an account or region, so that a pipeline without credentials and a
 * workstation make the same template.
 */
export function createApp(props?: AppProps): App {
  return createDeployment(props).app;
}

/** The app and its budget, which after the synth can say what it found. */
export function createDeployment(props?: AppProps): { app: App; budget: MonthlyBudget } {
  const app = new App(props);
  const flags = readFlags(app);
  const stack = createStack(app, flags);
  const budget = new MonthlyBudget({
    limitUsd: flags.monthlyBudgetUsd!,
    region: flags.priceRegion,
    usage: flags.storedGiB === undefined ? {} : { 'efs.storedGiB': flags.storedGiB },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new EfsSafetyChecks(app), budget);
  acknowledgeFlags(stack, flags);
  return { app, budget };
}

/** The stack, and the one of its export where that is apart, without the checks at every synth. */
export function createStack(app: App, flags: FlagValues): DataLayerStack {
  const stack = new DataLayerStack(app, stackName(flags.stage), {
    description: `efs-data-layer (${flags.stage}): Open WebUI, CrewAI Knowledge and FinOps evidence on one EFS volume`,
    services: flags.services,
    loadBalancer: flags.certificateArn
      ? {
          certificateArn: flags.certificateArn,
          allowedCidrs: flags.allowedCidrs!,
          domainName: flags.domainName,
          hostedZoneId: flags.hostedZoneId,
        }
      : undefined,
    alarmTopicArn: flags.alarmTopicArn,
    env: flags.createFocusExport ? { region: flags.createFocusExport } : undefined,
    focusExport: flags.focusExport
      ? { ...parseFocusExport(flags.focusExport), create: flags.createFocusExport !== undefined }
      : undefined,
    dataLayer: {
      analytics: analyticsStore(flags),
      relational: relationalStore(flags),
      vectors: vectorStore(flags),
      cache: flags.cache === 'valkey-serverless' ? CacheStore.valkeyServerless() : CacheStore.none(),
      search:
        flags.search === 'open-search-serverless'
          ? SearchStore.openSearchServerless({
              readerArns: flags.searchReaders,
              indexerArns: flags.searchIndexers,
              privateAccess: flags.searchPrivate,
            })
          : SearchStore.none(),
      openWebUi: { replicas: flags.replicas },
      cpuArchitecture: flags.architecture === 'x86_64' ? ecs.CpuArchitecture.X86_64 : ecs.CpuArchitecture.ARM64,
      backup: flags.backup,
      removalPolicy: flags.allowDestroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      costCenter: flags.costCenter,
      alarms: flags.alarms ? {} : undefined,
    },
  });
  makeExportStack(app, stack);
  return stack;
}

/** Where CloudFormation makes no export, a second stack in the region where it does. */
function makeExportStack(app: App, { focusExport, region, stackName: name }: DataLayerStack): void {
  if (!focusExport || focusExport.isExported) {
    return;
  }
  const exportStack = new Stack(app, `${name}-FocusExport`, {
    description: 'efs-data-layer: the AWS Data Exports export of FOCUS 1.2 that the data layer collects',
    env: { region: region.startsWith('cn-') ? 'cn-northwest-1' : 'us-east-1' },
  });
  Tags.of(exportStack).add('ManagedBy', 'efs-data-layer');
  focusExport.exportFrom(exportStack);
}

function analyticsStore(flags: FlagValues): AnalyticsStore {
  return flags.analytics === 's3-tables'
    ? AnalyticsStore.s3Tables({
        createGlueCatalog: flags.glueCatalog === 'create',
        existingTableBucketName: flags.tableBucket,
      })
    : AnalyticsStore.evidenceFiles();
}

function relationalStore(flags: FlagValues): RelationalStore {
  const phase =
    flags.relationalPhase && MigrationPhase[flags.relationalPhase.toUpperCase() as keyof typeof MigrationPhase];
  switch (flags.relational) {
    case 'rds-postgres':
      return RelationalStore.rdsPostgres({ phase });
    case 'aurora-serverless-v2':
      return RelationalStore.auroraServerlessV2({ phase });
    case 'external':
      return RelationalStore.external({ phase, host: flags.relationalHost!, secretArn: flags.relationalSecret! });
    default:
      return RelationalStore.sqliteOnEfs();
  }
}

function vectorStore(flags: FlagValues): VectorStore {
  switch (flags.vectors) {
    case 'pgvector':
      return VectorStore.pgvector();
    case 's3-vectors':
      return VectorStore.s3Vectors();
    case 'qdrant':
      return VectorStore.qdrant({ url: flags.qdrantUrl!, apiKeySecretArn: flags.qdrantSecret });
    default:
      return VectorStore.chromaOnEfs();
  }
}

/** A flag that gives safety up on purpose is its own reason. */
function acknowledgeFlags(stack: Stack, flags: FlagValues): void {
  if (!flags.backup) {
    Validations.of(stack).acknowledge({
      id: 'EfsSafety-FileSystemWithoutBackup',
      reason: 'Switched off by the flag data-layer:backup=false.',
    });
  }
  if (flags.allowDestroy) {
    Validations.of(stack).acknowledge({
      id: 'EfsSafety-DataDeletedWithStack',
      reason: 'Both keys are turned: data-layer:stage=dev and data-layer:allowDestroy=true.',
    });
  }
}
