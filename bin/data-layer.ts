import { createDeployment } from './app';

try {
  const { app, budget } = createDeployment();
  app.synth();
  if (budget.summary) {
    console.error(budget.summary);
  }
} catch (error) {
  // A mistake in a flag or prop is told in one message, not in a stack trace.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
