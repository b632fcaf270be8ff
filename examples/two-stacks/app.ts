/** The data in a stack that is seldom touched, the services in one that is deployed every day. */
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EfsDataLayer } from 'efs-data-layer';

const app = new App();

const dataStack = new Stack(app, 'Data', { terminationProtection: true });
const data = new EfsDataLayer(dataStack, 'DataLayer');

const services = new Stack(app, 'Services');
const cluster = new ecs.Cluster(services, 'Cluster', { vpc: data.vpc });
data.openWebUi.runOn(cluster);
data.knowledge.runOn(cluster);
