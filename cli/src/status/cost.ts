import { FileSystemDescription } from '@aws-sdk/client-efs';
import { billOfResources, FALLBACK_REGION, PriceBook, TemplateResources, Usage } from '../../../lib/bill';
import { Meters, Point } from './meters';

const GIB = 1024 ** 3;
const HOUR = 3_600_000;
/** The bill's month. */
const MONTH_HOURS = 730;

/** Dollars of this month: computed from what is deployed and metered, before tax. What AWS bills is in Cost Explorer. */
export interface Cost {
  readonly region: string;
  readonly month: string;
  /** Since the first of the month, or since the file system was made. */
  readonly monthToDateUsd: number;
  /** The whole month, when what is stored and read stays as it is today. */
  readonly projectedUsd: number;
  /** The part of it that is compute: tasks, addresses, load balancers. */
  readonly projectedComputeUsd: number;
  /** A whole month at today's size. */
  readonly dataLayerUsd: number;
  /** Resources of the stack for which there is no price. */
  readonly notPriced: string[];
}

/** The usage that was metered, in place of the assumptions. */
function usageOf(
  gib: { standard: number; infrequent: number; archive: number },
  monthly: (points: Point[]) => number,
  meters?: Meters,
): Usage {
  return Usage.from({
    'efs.storedGiB': gib.standard,
    'efs.infrequentAccessGiB': gib.infrequent,
    'efs.archiveGiB': gib.archive,
    // The meter counts snapshots with everything else.
    'efs.snapshotsKept': 0,
    ...(meters && { 'efs.readGiB': monthly(meters.read) / GIB, 'efs.writtenGiB': monthly(meters.written) / GIB }),
  });
}

/** What the stack costs. */
export function costOf(
  template: string,
  wanted: string,
  fileSystem: FileSystemDescription,
  meters: Meters | undefined,
  now: number,
): Cost {
  const region = PriceBook.regions().includes(wanted) ? wanted : FALLBACK_REGION;
  const resources = new TemplateResources([
    {
      name: 'Stack',
      stackName: 'Stack',
      templateFile: 'the deployed template',
      template: JSON.parse(template),
      region,
    },
  ]);
  const date = new Date(now);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const since = Math.max(first, Math.min(fileSystem.CreationTime?.getTime() ?? first, now));
  const monthly = (points: Point[]) => {
    const days = points.filter(({ at }) => at >= now - 30 * 24 * HOUR);
    return days.length === 0 ? 0 : (days.reduce((sum, { value }) => sum + value, 0) / days.length) * (365 / 12);
  };
  const { ValueInStandard, ValueInIA = 0, ValueInArchive = 0, Value = 0 } = fileSystem.SizeInBytes ?? {};
  const today = {
    standard: (ValueInStandard ?? Value) / GIB,
    infrequent: ValueInIA / GIB,
    archive: ValueInArchive / GIB,
  };
  const stored = meters?.stored.filter(({ at }) => at >= since) ?? [];
  const average = stored.length === 0 ? Value : stored.reduce((sum, { bytes }) => sum + bytes, 0) / stored.length;
  // The other classes as today: the average is known of the total.
  const before = { ...today, standard: Math.max(average / GIB - today.infrequent - today.archive, 0) };
  const bill = (gib: typeof today) => billOfResources(resources, { region, usage: usageOf(gib, monthly, meters) });
  const [now_, then] = [bill(today), bill(before)];
  const share = (from: number, to: number) => (to - from) / HOUR / MONTH_HOURS;
  const project = (pick: (totals: (typeof now_)['totals']) => number) =>
    pick(then.totals) * share(since, now) + pick(now_.totals) * share(now, end);
  return {
    region,
    month: date.toISOString().slice(0, 7),
    monthToDateUsd: then.totals.all.totalUsd * share(since, now),
    projectedUsd: project((totals) => totals.all.totalUsd),
    projectedComputeUsd: project((totals) => totals.compute.totalUsd),
    dataLayerUsd: now_.totals.dataLayer.totalUsd,
    notPriced: now_.notPriced.map(({ address }) => address),
  };
}
