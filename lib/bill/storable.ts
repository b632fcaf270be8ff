import { BillOptions, totalsOf } from './bill';
import { TemplateResources } from './resources-of';
import { Usage } from './usage';

/** Steps of what is found, in GiB: rounded down, so that the budget is kept. */
const STEP = 0.01;
const MOST_GIB = 1_000_000;

/**
 * How many GiB of live data a budget for the data layer buys under the stated usage, with its backups and snapshots.
 * 0 when the budget does not even pay for what has to be there.
 */
export function storableGiB(resources: TemplateResources, limitUsd: number, options: BillOptions = {}): number {
  const usage = options.usage ?? Usage.from({});
  const fits = (steps: number) =>
    totalsOf(resources, usage.with('efs.storedGiB', steps * STEP), options).dataLayer.totalUsd <= limitUsd;
  // The bill never falls when more is stored: the border is found by halving.
  let low = 0;
  let high = MOST_GIB / STEP;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low / 100;
}
