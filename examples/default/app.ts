import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EfsDataLayer } from 'efs-data-layer';

const stack = new Stack(new App(), 'Chat');
const data = new EfsDataLayer(stack, 'DataLayer');
const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
data.openWebUi.runOn(cluster); // a service that cannot run two writers
data.knowledge.runOn(cluster); // the Chroma server, http://chroma:8000 by Service Connect
