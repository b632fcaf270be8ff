export { EfsSafetyChecks, EfsSafetyChecksProps } from './efs-safety-checks';
