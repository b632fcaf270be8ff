export { MonthlyBudget, MonthlyBudgetProps } from './bill/budget';
export { EfsSafetyChecks, EfsSafetyChecksProps } from './checks';
export * from './data-layer-stack';
export * from './efs-data-layer';
export { SingleWriterService, SingleWriterServiceOptions, SingleWriterServiceProps } from './single-writer';
export * from './storage';
export * from './workloads';
