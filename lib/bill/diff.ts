import { Bill, BilledResource, BillLine } from './bill';

/** A line that changed, or came or went with its resource. */
export interface LineChange {
  readonly name: string;
  readonly before?: BillLine;
  readonly after?: BillLine;
  readonly changeUsd: number;
}

/** A resource that changed its cost. */
export interface ResourceChange {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly address: string;
  readonly type: string;
  readonly beforeUsd: number;
  readonly afterUsd: number;
  readonly changeUsd: number;
  readonly lines: LineChange[];
}

/** What a change of the template does to its bill. */
export interface BillDiff {
  readonly beforeUsd: number;
  readonly afterUsd: number;
  readonly changeUsd: number;
  /** Undefined when nothing was billed before. */
  readonly changePercent?: number;
  readonly dataLayerChangeUsd: number;
  readonly computeChangeUsd: number;
  readonly resources: ResourceChange[];
  /** What the new template has that cannot be priced: the change may be more. */
  readonly notPriced: Bill['notPriced'];
}

/** Differences below this are rounding. */
const NOTHING = 1e-9;

/** Compares two bills, resource by resource: a resource is the same when its construct path is. */
export function diffOf(before: Bill, after: Bill): BillDiff {
  const old = new Map(before.resources.map((resource) => [resource.address, resource]));
  const now = new Map(after.resources.map((resource) => [resource.address, resource]));
  const addresses = [...new Set([...old.keys(), ...now.keys()])];
  const resources = addresses
    .map((address) => change(old.get(address), now.get(address)))
    .filter((found) => found !== undefined)
    .sort((a, b) => Math.abs(b.changeUsd) - Math.abs(a.changeUsd));
  const [beforeUsd, afterUsd] = [before.totals.all.totalUsd, after.totals.all.totalUsd];
  return {
    beforeUsd,
    afterUsd,
    changeUsd: afterUsd - beforeUsd,
    ...(beforeUsd > 0 && { changePercent: ((afterUsd - beforeUsd) / beforeUsd) * 100 }),
    dataLayerChangeUsd: after.totals.dataLayer.totalUsd - before.totals.dataLayer.totalUsd,
    computeChangeUsd: after.totals.compute.totalUsd - before.totals.compute.totalUsd,
    resources,
    notPriced: after.notPriced,
  };
}

function change(before: BilledResource | undefined, after: BilledResource | undefined): ResourceChange | undefined {
  const lines = changedLines(before?.lines ?? [], after?.lines ?? []);
  if (before && after && lines.length === 0) {
    return undefined;
  }
  const { address, type } = (after ?? before)!;
  const [beforeUsd, afterUsd] = [before?.monthlyUsd ?? 0, after?.monthlyUsd ?? 0];
  const kind = !before ? 'added' : !after ? 'removed' : 'changed';
  return { kind, address, type, beforeUsd, afterUsd, changeUsd: afterUsd - beforeUsd, lines };
}

function changedLines(before: BillLine[], after: BillLine[]): LineChange[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const find = (lines: BillLine[], name: string) => lines.filter((line) => line.name === name);
  const cost = (lines: BillLine[]) => lines.reduce((total, { monthlyUsd }) => total + (monthlyUsd ?? 0), 0);
  return names
    .map((name) => {
      const [old, now] = [find(before, name), find(after, name)];
      return { name, before: old[0], after: now[0], changeUsd: cost(now) - cost(old) };
    })
    .filter(({ before: old, after: now, changeUsd }) => {
      const appeared = (old === undefined) !== (now === undefined);
      const known = old?.monthlyUsd !== undefined || now?.monthlyUsd !== undefined;
      return Math.abs(changeUsd) > NOTHING || (appeared && !known);
    });
}
