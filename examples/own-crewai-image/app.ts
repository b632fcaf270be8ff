/** Your own CrewAI image, with Chroma embedded: it is the one writer of /knowledge, in place of the Chroma server. */
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EfsDataLayer } from 'efs-data-layer';

const app = new App();
const stack = new Stack(app, 'Crew');

const data = new EfsDataLayer(stack, 'DataLayer', {
  knowledge: {
    image: ecs.ContainerImage.fromRegistry('ghcr.io/example/crew:1.4.2'),
    command: ['python', '-m', 'crew'],
  },
});
data.knowledge.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
