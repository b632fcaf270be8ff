import { Pricer, Pricing } from '../pricing';
import { RATE } from '../rates';

function priceKey(pricing: Pricing): void {
  pricing.line('Customer managed key', RATE.kmsKey, () => 1);
  if (pricing.text('EnableKeyRotation') === 'true') {
    pricing.line('Key versions from rotation', RATE.kmsKey, (use) => Math.min(2, use('kms.rotations')));
  }
  pricing.line('Requests', RATE.kmsRequests, (use) => use('kms.requests') / 10_000);
}

/** KMS, Secrets Manager, SSM parameters. AWS managed keys and standard parameters are free. */
export const KEYS_AND_SECRETS: { [type: string]: Pricer } = {
  'AWS::KMS::Key': { part: 'data layer', price: priceKey },
  'AWS::KMS::ReplicaKey': { part: 'data layer', price: priceKey },
  'AWS::SecretsManager::Secret': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('Secret', RATE.secret, () => 1 + replicas(pricing));
      pricing.line('API calls', RATE.secretCalls, (use) => use('secrets.apiCalls') / 10_000);
    },
  },
  'AWS::SSM::Parameter': {
    part: 'data layer',
    price: (pricing) => {
      const tier = pricing.text('Tier', 'Standard');
      if (tier === 'Advanced') {
        pricing.line('Advanced parameter', RATE.ssmAdvanced, () => 1);
      } else if (tier !== 'Standard') {
        pricing.notPriced(`a parameter of tier ${tier} is standard or advanced only at deployment`);
      }
    },
  },
};

/** A secret is billed in every region it is replicated to. */
function replicas(pricing: Pricing): number {
  return pricing.count('ReplicaRegions', 0);
}
