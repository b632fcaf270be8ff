import { CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import { Construct } from 'constructs';
import { AlarmsProps, DataLayerAlarms } from './alarms';
import { requireObject, requireTagValue } from './inputs';
import { volumeMetric } from './metrics';
import { requireOneCopy } from './one-copy';
import { DataVolume, DataVolumeProps } from './storage';
import { DataStores, StoreChoices } from './stores';
import { SearchAccess } from './stores/internal';
import {
  EvidenceProps,
  EvidenceWorkload,
  KnowledgeProps,
  KnowledgeWorkload,
  OpenWebUiProps,
  OpenWebUiWorkload,
  PosixIdentity,
  TaskSettings,
  Workload,
  WorkloadOptions,
} from './workloads';
import { requireWorkloadProps } from './workloads/internal';

/** A data layer. Every prop has a safe default. */
export interface EfsDataLayerProps extends DataVolumeProps, StoreChoices, TaskSettings, PosixIdentity {
  /**
   * Open WebUI.
   *
   * @default - the official image with SQLite on the volume
   */
  readonly openWebUi?: OpenWebUiProps;

  /**
   * CrewAI Knowledge.
   *
   * @default - the official Chroma server with its data on the volume
   */
  readonly knowledge?: KnowledgeProps;

  /**
   * FinOps evidence.
   *
   * @default - a collector without a source
   */
  readonly evidence?: EvidenceProps;

  /**
   * Alarms and a dashboard. `{}` makes all with their defaults. They are priced by the bill and count in the budget.
   *
   * @default - none
   */
  readonly alarms?: AlarmsProps;

  /**
   * Value of the cost allocation tag CostCenter on every resource.
   *
   * @default - no such tag
   */
  readonly costCenter?: string;

  /**
   * Value of the tag DataClassification on every resource.
   *
   * @default confidential
   */
  readonly dataClassification?: string;
}

/**
 * The data layer of an application on ECS Fargate on one EFS volume: Open WebUI's SQLite, CrewAI's Chroma and FinOps
 * evidence files. 20 GiB cost $6.00 a month in us-east-1 (EFS Standard, $0.30 per GiB-month) and $7.20 in
 * ap-southeast-2 ($0.36), before backup; compute is apart.
 *
 * @example
 * const data = new EfsDataLayer(this, 'DataLayer');
 */
export class EfsDataLayer extends Construct {
  /** The volume: file system, mount targets, policy, backup. */
  public readonly volume: DataVolume;
  /** The stores that were chosen beside the volume. */
  public readonly stores: DataStores;
  /** Open WebUI. */
  public readonly openWebUi: OpenWebUiWorkload;
  /** CrewAI Knowledge. */
  public readonly knowledge: KnowledgeWorkload;
  /** FinOps evidence. */
  public readonly evidence: EvidenceWorkload;
  /** Alarms and dashboard. Undefined without the prop alarms. */
  public readonly alarms?: DataLayerAlarms;
  private readonly identity: PosixIdentity;
  private readonly search?: SearchAccess;

  constructor(scope: Construct, id: string, props: EfsDataLayerProps = {}) {
    super(scope, id);
    requireOneCopy(this);
    requireObject(this, 'props', props, [], 'Pass an object of props, or none.');
    requireWorkloadProps(this, 'openWebUi', props.openWebUi);
    requireWorkloadProps(this, 'knowledge', props.knowledge);
    requireWorkloadProps(this, 'evidence', props.evidence);
    requireTagValue(this, 'costCenter', props.costCenter);
    requireTagValue(this, 'dataClassification', props.dataClassification);
    this.identity = { uid: props.uid, gid: props.gid };
    this.volume = new DataVolume(this, 'Volume', props);
    this.stores = new DataStores(this, 'Stores', this.volume, props, props.evidence?.focusExport);
    this.openWebUi = new OpenWebUiWorkload(
      this,
      'OpenWebUi',
      this.volume,
      this.identity,
      props,
      props.openWebUi,
      this.stores,
    );
    this.knowledge = new KnowledgeWorkload(this, 'Knowledge', this.volume, this.identity, props, props.knowledge);
    this.evidence = new EvidenceWorkload(this, 'Evidence', this.volume, this.identity, props, props.evidence);
    this.search = this.stores._createSearch(this.evidence.taskDefinition.taskRole);
    if (this.search) {
      this.evidence._reaches(this.search);
    }
    if (props.alarms !== undefined) {
      this.alarms = new DataLayerAlarms(this, 'Alarms', this, props.alarms);
    }

    Tags.of(this).add('ManagedBy', 'efs-data-layer');
    Tags.of(this).add('DataClassification', props.dataClassification ?? 'confidential');
    if (props.costCenter) {
      Tags.of(this).add('CostCenter', props.costCenter);
    }
    this.addOutputs();
  }

  /** The VPC of the mount targets. */
  public get vpc(): ec2.IVpc {
    return this.volume.vpc;
  }

  /** The file system. */
  public get fileSystem(): efs.IFileSystem {
    return this.volume.fileSystem;
  }

  /**
   * A directory of one's own on the volume, with an access point of its own.
   *
   * @param id the construct's id
   * @param options directory, number of writers and the rest
   */
  public addWorkload(id: string, options: WorkloadOptions): Workload {
    return new Workload(this, id, { volume: this.volume, ...this.identity, ...options });
  }

  /**
   * Bytes stored, all storage classes, as EFS meters them.
   *
   * @param props statistic, period and the rest
   */
  public metricStorageBytes(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'StorageBytes', 'Average', props, { StorageClass: 'Total' });
  }

  /**
   * Burst credits left, in bytes. At zero the volume falls back to its baseline: 50 KiB/s per GiB, at least 1 MiB/s.
   *
   * @param props statistic, period and the rest
   */
  public metricBurstCreditBalance(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'BurstCreditBalance', 'Minimum', props);
  }

  /**
   * How near the volume is to the I/O limit of General Purpose mode, in percent.
   *
   * @param props statistic, period and the rest
   */
  public metricPercentIoLimit(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'PercentIOLimit', 'Maximum', props);
  }

  /**
   * Client connections to the volume.
   *
   * @param props statistic, period and the rest
   */
  public metricClientConnections(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'ClientConnections', 'Sum', props);
  }

  /**
   * Bytes read, written and used for metadata.
   *
   * @param props statistic, period and the rest
   */
  public metricTotalIoBytes(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'TotalIOBytes', 'Sum', props);
  }

  /**
   * Write operations on the volume, the keepers' heartbeat of one a second included.
   *
   * @param props statistic, period and the rest
   */
  public metricWriteOperations(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'DataWriteIOBytes', 'SampleCount', props);
  }

  /**
   * Bytes read.
   *
   * @param props statistic, period and the rest
   */
  public metricReadBytes(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'DataReadIOBytes', 'Sum', props);
  }

  /**
   * Bytes written.
   *
   * @param props statistic, period and the rest
   */
  public metricWrittenBytes(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return volumeMetric(this.fileSystem, 'DataWriteIOBytes', 'Sum', props);
  }

  private addOutputs(): void {
    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('FileSystemId', this.fileSystem.fileSystemId, 'The EFS file system');
    const workloads = { OpenWebUi: this.openWebUi, Knowledge: this.knowledge, Evidence: this.evidence };
    for (const [name, workload] of Object.entries(workloads)) {
      output(`${name}AccessPointId`, workload.accessPoint.accessPointId, `Access point of ${workload.directory}`);
      output(
        `${name}MountPath`,
        `${workload.directory} -> ${workload.mountPath}`,
        'Directory on the volume -> path in the container',
      );
      output(`${name}TaskDefinitionArn`, workload.taskDefinition.taskDefinitionArn, `Task definition of ${name}`);
    }
    this.addStoreOutputs(output);
    if (this.search) {
      output('SearchEndpoint', this.search.endpoint, 'Search over evidence: what efs-data-layer search index fills');
      output('SearchIndex', this.search.indexName, 'The index in it');
    }
    output('Region', Stack.of(this).region, 'Region of the data layer');
  }

  /** What `efs-data-layer migrate` needs to know. */
  private addStoreOutputs(output: (name: string, value: string, description: string) => CfnOutput): void {
    const { _database: database, phase, relationalName } = this.stores;
    if (!database || !phase) {
      return;
    }
    output('RelationalStore', relationalName, 'The relational store');
    output('RelationalPhase', phase, 'How far the move from SQLite has come');
    output(
      'RelationalEndpoint',
      `${database.host}:${database.port}/${database.databaseName}`,
      'Host, port and name of the database',
    );
    output('RelationalSecretArn', database.secret.secretArn, 'Secret with username and password of its owner');
  }
}
