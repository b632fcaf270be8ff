/**
 * Most usage types begin with the region in short, such as APS2-, USE1- or EU-, those of AWS KMS with the region's own
 * name. In us-east-1 older services have no prefix at all. Nothing else in the price list begins so: PS-Advanced-… or
 * Global-… are part of the name.
 */
const REGION_PREFIX = /^(?:[A-Z]{2,3}\d+|EU|[a-z]{2}(?:-[a-z]+)+-\d+)-/;

/** A usage type as it is called in every region. */
export function plainUsageType(usageType: string): string {
  return usageType.replace(REGION_PREFIX, '');
}
