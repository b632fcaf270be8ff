import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { inputError, requireWholeNumber } from '../../errors';
import { requireObject } from '../../inputs';
import { requirePhase, StoreContext } from '../context';
import { MigrationPhase } from '../migration-phase';
import {
  acknowledgePort,
  COMMON_SETTINGS,
  deletionProtection,
  nameForPeople,
  PARAMETERS,
  POSTGRES_PORT,
  PostgresFoundation,
  requireDatabaseName,
} from './postgres';
import type { RelationalChoice } from './relational-store';

/** The newest PostgreSQL that aws-cdk-lib 2.276.0 knows of RDS. */
export const RDS_POSTGRES_VERSION = rds.PostgresEngineVersion.VER_18_3;

/** The least gp3 volume RDS makes (Amazon RDS User Guide, storage types, read 2026-11). */
const MIN_STORAGE_GIB = 20;

/** PostgreSQL on RDS. */
export interface RdsPostgresProps {
  /**
   * How far the move from SQLite has come.
   *
   * @default MigrationPhase.CUTOVER - right for a new installation, which has nothing to move
   */
  readonly phase?: MigrationPhase;

  /**
   * The size of the instance. Graviton: it costs less than the same size on x86.
   *
   * @default - t4g.micro: 2 vCPU, 1 GiB, about $11.68 a month in us-east-1 ($0.016 per hour, RDS price list 2026)
   */
  readonly instanceType?: ec2.InstanceType;

  /**
   * Storage in GiB, gp3, 20 to 65536. It grows by itself up to five times this.
   *
   * @default 20
   */
  readonly allocatedStorageGiB?: number;

  /**
   * The engine's version. Minor versions are applied by RDS in the maintenance window.
   *
   * @default - the newest this version of the CDK knows: 18.3
   */
  readonly engineVersion?: rds.PostgresEngineVersion;

  /**
   * The name of the database.
   *
   * @default openwebui
   */
  readonly databaseName?: string;
}

export function rdsPostgres(props: RdsPostgresProps): RelationalChoice {
  return {
    name: 'rds-postgres',
    phase: (scope) => requirePhase(scope, props.phase),
    create: (scope, context) => new RdsPostgres(scope, 'RdsPostgres', context, props).database,
  };
}

class RdsPostgres extends Construct {
  public readonly database;

  constructor(scope: Construct, id: string, context: StoreContext, props: RdsPostgresProps) {
    super(scope, id);
    requireObject(
      this,
      'instanceType',
      props.instanceType,
      ['toString', 'architecture'],
      'Pass for example ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.SMALL).',
    );
    const instanceType = props.instanceType ?? ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO);
    const storage = requireWholeNumber(
      this,
      'allocatedStorageGiB',
      props.allocatedStorageGiB ?? MIN_STORAGE_GIB,
      MIN_STORAGE_GIB,
      65536,
    );
    const version = (props.engineVersion ?? RDS_POSTGRES_VERSION).postgresFullVersion;
    if (typeof version !== 'string') {
      throw inputError(
        this,
        'engineVersion is not a version of PostgreSQL.',
        'Pass rds.PostgresEngineVersion.VER_18_3.',
      );
    }
    const databaseName = requireDatabaseName(this, props.databaseName);
    const foundation = new PostgresFoundation(this, 'Access', context, 'RDS');
    const parameters = new rds.CfnDBParameterGroup(this, 'Parameters', {
      description: `Parameters of ${this.node.path}`,
      family: `postgres${version.split('.')[0]}`,
      parameters: PARAMETERS,
    });
    parameters.applyRemovalPolicy(context.removalPolicy);
    // L1 on purpose: the L2's defaults (100 GiB of gp2, not encrypted, m5.large) and ids change with feature flags.
    const instance = new rds.CfnDBInstance(this, 'Database', {
      ...COMMON_SETTINGS,
      ...foundation.masterCredentials,
      engine: 'postgres',
      engineVersion: version,
      autoMinorVersionUpgrade: true,
      allowMajorVersionUpgrade: false,
      dbInstanceClass: `db.${instanceType.toString()}`,
      dbName: databaseName,
      port: `${POSTGRES_PORT}`,
      allocatedStorage: `${storage}`,
      maxAllocatedStorage: storage * 5,
      storageType: 'gp3',
      multiAz: false,
      publiclyAccessible: false,
      dbSubnetGroupName: foundation.subnetGroup.ref,
      vpcSecurityGroups: [foundation.securityGroup.securityGroupId],
      dbParameterGroupName: parameters.ref,
      deleteAutomatedBackups: false,
      deletionProtection: deletionProtection(context.removalPolicy),
      preferredMaintenanceWindow: 'sun:15:30-sun:16:30',
    });
    instance.applyRemovalPolicy(context.removalPolicy);
    nameForPeople(instance);
    acknowledgePort(instance);
    Validations.of(instance).acknowledge({
      id: 'AwsSolutions-RDS3',
      reason:
        'A second zone doubles the price of the instance and its storage. A failure costs minutes, not data: backups are kept seven days and restore to any second of them.',
    });
    this.database = foundation.database(instance.attrEndpointAddress, instance.attrEndpointPort, databaseName);
  }
}
