import { Bill, storableGiB, TemplateResources, Usage } from '../../../lib/bill';

/** What a budget for the data layer buys. */
export interface Storable {
  readonly region: string;
  readonly limitUsd: number;
  readonly gib: number;
}

/** For each region of a bill; nothing for a template without a file system, which stores nothing. */
export function storableIn(
  bill: Bill,
  resources: TemplateResources,
  usage: Usage,
  limitUsd: number,
  prices?: string,
): Storable[] {
  return resources.ofType('AWS::EFS::FileSystem').length === 0
    ? []
    : bill.regions.map((region) => ({
        region,
        limitUsd,
        gib: storableGiB(resources, limitUsd, { usage, region, prices }),
      }));
}
