import { WHY_ONE_WRITER } from '../../single-writer';
import { Rule } from '../rule';
import { brokenServiceSettings } from '../single-writer-services';

export const ZONE_REBALANCING: Rule = {
  name: 'ZoneRebalancing',
  finding: 'ECS may move a service that writes into a single-writer directory to another zone.',
  why: `New services are rebalanced unless they say otherwise (since September 2025). ${WHY_ONE_WRITER}`,
  source: 'Amazon ECS API, CreateService, availabilityZoneRebalancing',
  wayOut: 'Set AvailabilityZoneRebalancing to DISABLED.',
  check: (checked) => brokenServiceSettings(checked, (property) => property === 'AvailabilityZoneRebalancing'),
};
