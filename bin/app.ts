import { App, AppProps, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { DataLayerStack, EfsSafetyChecks, MonthlyBudget } from '../lib';
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
  const stack = new DataLayerStack(app, stackName(flags.stage), {
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
  const budget = new MonthlyBudget({
    limitUsd: flags.monthlyBudgetUsd!,
    region: flags.priceRegion,
    usage: flags.storedGiB === undefined ? {} : { 'efs.storedGiB': flags.storedGiB },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new EfsSafetyChecks(app), budget);
  acknowledgeFlags(stack, flags);
  return { app, budget };
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
