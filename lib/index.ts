export { MonthlyBudget, MonthlyBudgetProps } from './bill/budget';
export { EfsSafetyChecks, EfsSafetyChecksProps } from './checks';
export * from './data-layer-stack';
export * from './efs-data-layer';
export { SingleWriterService, StopFirstService, StopFirstServiceOptions, StopFirstServiceProps } from './single-writer';
export * from './load-balancer';
export * from './storage';
export * from './stores';
export * from './workloads';
