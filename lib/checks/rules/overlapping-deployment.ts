import { WHY_ONE_WRITER } from '../../single-writer';
import { Rule } from '../rule';
import { brokenServiceSettings } from '../single-writer-services';

export const OVERLAPPING_DEPLOYMENT: Rule = {
  name: 'OverlappingDeployment',
  finding: 'A service that writes into a single-writer directory may run two tasks at once, or roll back by itself.',
  why: WHY_ONE_WRITER,
  source: 'Amazon ECS API, Service and DeploymentConfiguration; louislam/uptime-kuma #5915',
  wayOut:
    'Set DesiredCount to 1 (or 0), MinimumHealthyPercent 0, MaximumPercent 100, the rolling strategy of the ECS controller, and no rollback; or use the SingleWriterService of efs-data-layer; or move the data to a store that takes several writers.',
  check: (checked) => brokenServiceSettings(checked, (property) => property !== 'AvailabilityZoneRebalancing'),
};
