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
  const costOf = (steps: number) =>
    totalsOf(resources, usage.with('efs.storedGiB', steps * STEP), options).dataLayer.totalUsd;
  // The bill never falls when more is stored, and mostly it is a straight line: the guess is then right at once. A step
  // beside each guess, and halving when a guess was far off, find the border of any other bill too.
  let [low, high] = [0, MOST_GIB / STEP];
  let [lowUsd, highUsd] = [costOf(low), costOf(high)];
  if (lowUsd > limitUsd || highUsd <= limitUsd) {
    return (lowUsd > limitUsd ? low : high) / 100;
  }
  const narrow = (steps: number) => {
    if (steps > low && steps < high) {
      const usd = costOf(steps);
      [low, lowUsd, high, highUsd] = usd <= limitUsd ? [steps, usd, high, highUsd] : [low, lowUsd, steps, usd];
    }
  };
  while (high - low > 1) {
    const guess = low + Math.floor(((limitUsd - lowUsd) / (highUsd - lowUsd)) * (high - low));
    narrow(guess);
    narrow(guess + 1);
    narrow(Math.floor((low + high) / 2));
  }
  return low / 100;
}
