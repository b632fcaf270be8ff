import { Construct } from 'constructs';
import { StoreContext } from '../context';
import { Wiring } from '../wiring';

/** What stands behind a choice of a cache. */
export interface CacheChoice {
  readonly name: string;
  readonly create?: (scope: Construct, context: StoreContext) => Wiring;
}
