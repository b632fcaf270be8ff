import { Validations } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { inputError } from '../../errors';
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

/** The newest PostgreSQL that aws-cdk-lib 2.276.0 knows of Aurora; by number, as the oldest supported one lacks the name. */
export const AURORA_POSTGRES_VERSION = rds.AuroraPostgresEngineVersion.of('18.6', '18');

/** The least and the most Aurora Serverless v2 scales to, in ACU (Amazon Aurora User Guide, read 2026-11). */
const ACU = { lowest: 0, leastMaximum: 1, highest: 256 };

/** Aurora PostgreSQL, Serverless v2. */
export interface AuroraServerlessV2Props {
  /**
   * How far the move from SQLite has come.
   *
   * @default MigrationPhase.CUTOVER - right for a new installation, which has nothing to move
   */
  readonly phase?: MigrationPhase;

  /**
   * The least capacity in ACU (about 2 GiB of memory each), 0 to maxCapacity in steps of 0.5. At 0 the cluster pauses
   * after five minutes without a connection, and compute costs nothing while it does; a running Open WebUI keeps
   * connections open, so it pauses only while the service is stopped.
   *
   * @default 0
   */
  readonly minCapacity?: number;

  /**
   * The most capacity in ACU, 1 to 256 in steps of 0.5: what the bill may rise to ($0.12 per ACU-hour in us-east-1,
   * RDS price list 2026).
   *
   * @default 1
   */
  readonly maxCapacity?: number;

  /**
   * The engine's version. Minor versions are applied by Aurora in the maintenance window.
   *
   * @default - the newest this version of the CDK knows: 18.6
   */
  readonly engineVersion?: rds.AuroraPostgresEngineVersion;

  /**
   * The name of the database.
   *
   * @default openwebui
   */
  readonly databaseName?: string;
}

export function auroraServerlessV2(props: AuroraServerlessV2Props): RelationalChoice {
  return {
    name: 'aurora-serverless-v2',
    phase: (scope) => requirePhase(scope, props.phase),
    create: (scope, context) => new AuroraServerlessV2(scope, 'Aurora', context, props).database,
  };
}

function requireCapacity(scope: Construct, name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value * 2) || value < min || value > max) {
    throw inputError(
      scope,
      `${name} is ${JSON.stringify(value)}.`,
      `Pass Aurora capacity units from ${min} to ${max} in steps of 0.5.`,
    );
  }
  return value;
}

class AuroraServerlessV2 extends Construct {
  public readonly database;

  constructor(scope: Construct, id: string, context: StoreContext, props: AuroraServerlessV2Props) {
    super(scope, id);
    const max = requireCapacity(this, 'maxCapacity', props.maxCapacity ?? 1, ACU.leastMaximum, ACU.highest);
    const min = requireCapacity(this, 'minCapacity', props.minCapacity ?? 0, ACU.lowest, max);
    const version = (props.engineVersion ?? AURORA_POSTGRES_VERSION).auroraPostgresFullVersion;
    if (typeof version !== 'string') {
      throw inputError(
        this,
        'engineVersion is not a version of Aurora PostgreSQL.',
        "Pass rds.AuroraPostgresEngineVersion.of('18.6', '18').",
      );
    }
    const databaseName = requireDatabaseName(this, props.databaseName);
    const foundation = new PostgresFoundation(this, 'Access', context, 'Aurora');
    const parameters = new rds.CfnDBClusterParameterGroup(this, 'Parameters', {
      description: `Parameters of ${this.node.path}`,
      family: `aurora-postgresql${version.split('.')[0]}`,
      parameters: PARAMETERS,
    });
    parameters.applyRemovalPolicy(context.removalPolicy);
    const cluster = new rds.CfnDBCluster(this, 'Database', {
      ...COMMON_SETTINGS,
      ...foundation.masterCredentials,
      engine: 'aurora-postgresql',
      engineVersion: version,
      databaseName,
      port: POSTGRES_PORT,
      serverlessV2ScalingConfiguration: {
        minCapacity: min,
        maxCapacity: max,
        ...(min === 0 && { secondsUntilAutoPause: 300 }),
      },
      dbSubnetGroupName: foundation.subnetGroup.ref,
      vpcSecurityGroupIds: [foundation.securityGroup.securityGroupId],
      dbClusterParameterGroupName: parameters.ref,
      deletionProtection: deletionProtection(context.removalPolicy),
      preferredMaintenanceWindow: 'sun:15:30-sun:16:30',
    });
    cluster.applyRemovalPolicy(context.removalPolicy);
    nameForPeople(cluster);
    acknowledgePort(cluster);
    const writer = new rds.CfnDBInstance(this, 'Writer', {
      engine: 'aurora-postgresql',
      dbInstanceClass: 'db.serverless',
      dbClusterIdentifier: cluster.ref,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: true,
    });
    // Without its writer a cluster that outlives the stack could not be reached.
    writer.applyRemovalPolicy(context.removalPolicy);
    for (const id of ['AwsSolutions-RDS3', 'AwsSolutions-RDS10', 'AwsSolutions-RDS11']) {
      Validations.of(writer).acknowledge({
        id,
        reason:
          'A setting of the cluster this instance belongs to: its storage stands in three zones and the cluster is protected from deletion.',
      });
    }
    this.database = foundation.database(cluster.attrEndpointAddress, cluster.attrEndpointPort, databaseName);
  }
}
