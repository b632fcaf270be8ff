import { App, AppProps, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { DataLayerStack } from '../lib';
import { parseFocusExport, readFlags } from './flags';

/** Names the stack of a stage. */
export function stackName(stage: string): string {
  return stage === 'prod' ? 'EfsDataLayer' : `EfsDataLayer-${stage}`;
}

/**
 * The deploy app: one stack, not bound to an account or region, so that a pipeline without credentials and a
 * workstation make the same template.
 */
export function createApp(props?: AppProps): App {
  const app = new App(props);
  const flags = readFlags(app);
  new DataLayerStack(app, stackName(flags.stage), {
    description: `efs-data-layer (${flags.stage}): Open WebUI, CrewAI Knowledge and FinOps evidence on one EFS volume`,
    services: flags.services,
    focusExport: flags.focusExport ? parseFocusExport(flags.focusExport) : undefined,
    dataLayer: {
      cpuArchitecture: flags.architecture === 'x86_64' ? ecs.CpuArchitecture.X86_64 : ecs.CpuArchitecture.ARM64,
      backup: flags.backup,
      removalPolicy: flags.allowDestroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      costCenter: flags.costCenter,
    },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
