/**
 * Open WebUI moves from SQLite to PostgreSQL in three deployments: -c phase=prepare, then `efs-data-layer migrate`,
 * -c phase=cutover, `efs-data-layer migrate --complete`, -c phase=complete.
 */
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EfsDataLayer, MigrationPhase, RelationalStore } from 'efs-data-layer';

const PHASES: Record<string, MigrationPhase> = {
  prepare: MigrationPhase.PREPARE,
  cutover: MigrationPhase.CUTOVER,
  complete: MigrationPhase.COMPLETE,
};

const app = new App();
const asked = app.node.tryGetContext('phase') ?? 'prepare';
const phase = PHASES[asked];
if (phase === undefined) {
  throw new Error(`phase is ${JSON.stringify(asked)}. Pass one of: ${Object.keys(PHASES).join(', ')}.`);
}

const stack = new Stack(app, 'Chat');
const data = new EfsDataLayer(stack, 'DataLayer', { relational: RelationalStore.rdsPostgres({ phase }) });
data.openWebUi.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
