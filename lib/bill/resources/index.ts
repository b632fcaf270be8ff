import { Pricer } from '../pricing';
import { BACKUP } from './backup';
import { CACHES, DATABASES } from './databases';
import { EFS } from './efs';
import { FARGATE } from './fargate';
import { FUNCTIONS_AND_EVENTS } from './functions-and-events';
import { KEYS_AND_SECRETS } from './keys-and-secrets';
import { MONITORING } from './monitoring';
import { NETWORK } from './network';
import { OBJECT_STORES, SEARCH } from './storage-and-search';

export { isFree } from './free';

/** Every type that has a price. */
export const PRICERS: { readonly [type: string]: Pricer } = {
  ...EFS,
  ...BACKUP,
  ...FARGATE,
  ...NETWORK,
  ...MONITORING,
  ...KEYS_AND_SECRETS,
  ...DATABASES,
  ...CACHES,
  ...OBJECT_STORES,
  ...SEARCH,
  ...FUNCTIONS_AND_EVENTS,
};
