/**
 * CDK Pipelines: every push to main goes to dev, whose data may be deleted with its stack, and, once somebody approved,
 * to prod, whose data stays whatever happens to the stack.
 */
import { App, RemovalPolicy, Stack, Stage, StageProps } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } from 'aws-cdk-lib/pipelines';
import { Construct } from 'constructs';
import { EfsDataLayer } from 'efs-data-layer';

interface ChatProps extends StageProps {
  readonly destroyable: boolean;
}

class Chat extends Stage {
  constructor(scope: Construct, id: string, props: ChatProps) {
    super(scope, id, props);
    const stack = new Stack(this, 'Chat', { terminationProtection: !props.destroyable });
    const data = new EfsDataLayer(stack, 'DataLayer', {
      removalPolicy: props.destroyable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      backup: !props.destroyable,
    });
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc });
    data.openWebUi.runOn(cluster);
    data.knowledge.runOn(cluster);
  }
}

const app = new App();
const region = 'eu-west-1';
const tools = new Stack(app, 'Pipeline', { env: { account: '111111111111', region } });

const source = CodePipelineSource.connection('example/chat', 'main', {
  connectionArn: `arn:aws:codeconnections:${region}:111111111111:connection/01234567-89ab-cdef-0123-456789abcdef`,
});
const pipeline = new CodePipeline(tools, 'CodePipeline', {
  crossAccountKeys: true,
  synth: new ShellStep('Synth', { input: source, commands: ['npm ci', 'npx cdk synth --quiet'] }),
});
pipeline.addStage(new Chat(app, 'Dev', { destroyable: true, env: { account: '222222222222', region } }));
pipeline.addStage(new Chat(app, 'Prod', { destroyable: false, env: { account: '333333333333', region } }), {
  pre: [new ManualApprovalStep('Approve')],
});
