import { Confidence, priceOf, PriceEntry } from './price-book';
import { isUsage, Part, Pricing, RequestedLine } from './pricing';
import { FALLBACK_REGION, RateSource } from './rate-source';
import { TemplateResources } from './resources-of';
import { isFree, PRICERS } from './resources';
import { readSource, SourceStack } from './source';
import { Usage } from './usage';
import { USAGE, UsageKey } from './usage-keys';

/** One line of a bill. */
export interface BillLine {
  readonly name: string;
  /** The rate in the price book. */
  readonly rate: string;
  readonly quantity: number;
  /** What one is, for example GB-month. */
  readonly unit: string;
  /** For one, in USD, in the tier that the quantity reaches. Undefined when there is no rate. */
  readonly unitUsd?: number;
  /** USD a month. Undefined when there is no rate: the bill is then incomplete. */
  readonly monthlyUsd?: number;
  /** With the upper estimate of the rate, where one is known; else the same. */
  readonly upperUsd?: number;
  /** Whether an assumption about usage decides the quantity. */
  readonly dependsOnUsage: boolean;
  readonly usage: UsageKey[];
  readonly confidence?: Confidence;
  /** The date of the rate. */
  readonly asOf?: string;
  /** The region of the rate. */
  readonly priceRegion: string;
  readonly note?: string;
}

/** A resource and its lines. */
export interface BilledResource {
  /** The path of its construct. */
  readonly address: string;
  readonly type: string;
  readonly logicalId: string;
  readonly templateFile: string;
  readonly part: Part;
  readonly lines: BillLine[];
  readonly monthlyUsd: number;
}

/** A resource, or a part of one, without a price. */
export interface NotPriced {
  readonly address: string;
  readonly type: string;
  readonly logicalId: string;
  readonly templateFile: string;
  readonly reason: string;
}

/** USD a month. */
export interface Total {
  /** What exists costs this whether it is used or not. */
  readonly baselineUsd: number;
  /** What the assumptions about usage add. */
  readonly usageUsd: number;
  readonly totalUsd: number;
  /** With the upper estimates of rates that are not sure. */
  readonly upperUsd: number;
}

/** An assumption that matters. */
export interface Assumption {
  readonly key: UsageKey;
  readonly value: number;
  readonly unit: string;
  readonly isDefault: boolean;
  /** By how much the total would be lower with none of it, USD a month. */
  readonly movesUsd: number;
}

/** What a template costs in a month of 730 hours. USD, on-demand, before tax. */
export interface Bill {
  readonly regions: string[];
  readonly resources: BilledResource[];
  readonly notPriced: NotPriced[];
  /** Free types and how many resources there are of each. */
  readonly free: { readonly [type: string]: number };
  readonly totals: { readonly dataLayer: Total; readonly compute: Total; readonly all: Total };
  /** Those that move the total of the data layer or of compute by more than 1 %. */
  readonly assumptions: Assumption[];
  /** Addresses in the usage that are no resource of the template. */
  readonly unusedUsage: string[];
}

/** What a bill is made for. */
export interface BillOptions {
  /** Default: every assumption's default. */
  readonly usage?: Usage;
  /** The directory of refreshed price books, which go before those of the package. Default: those of the package alone. */
  readonly prices?: string;
  /** The region whose prices hold. Default: that of each stack, us-east-1 for a stack without one. */
  readonly region?: string;
}

/** Moves below this part of the total are not named. */
const NAMED_FROM = 0.01;

/** Bills a template file or an assembly directory. */
export function billOf(source: string, options: BillOptions = {}): Bill {
  return billOfStacks(readSource(source), options);
}

/** Bills stacks that were read. */
export function billOfStacks(stacks: SourceStack[], options: BillOptions = {}): Bill {
  return billOfResources(new TemplateResources(stacks), options);
}

/** Bills resources. */
export function billOfResources(resources: TemplateResources, options: BillOptions = {}): Bill {
  const usage = options.usage ?? Usage.from({});
  const rates = new RateSource(options.prices);
  const bill = compute(resources, usage, options.region, rates);
  const read = new Set(bill.resources.flatMap(({ lines }) => lines.flatMap((line) => line.usage)));
  const addresses = new Set(resources.all.map(({ address }) => address));
  return {
    ...bill,
    assumptions: assumptions(
      [...read].filter((key) => mayMatter(key, bill)),
      bill.totals,
      usage,
      (other) => compute(resources, other, options.region, rates),
    ),
    unusedUsage: usage.addresses.filter((address) => !addresses.has(address)),
  };
}

/** The totals alone, for whoever tries many usages. */
export function totalsOf(
  resources: TemplateResources,
  usage: Usage,
  { region, prices }: Omit<BillOptions, 'usage'> = {},
): Bill['totals'] {
  return compute(resources, usage, region, new RateSource(prices)).totals;
}

/** Only lines that read an assumption change with it: one whose lines cost next to nothing need not be tried. */
function mayMatter(key: UsageKey, { resources, totals }: Pick<Bill, 'resources' | 'totals'>): boolean {
  const lines = resources.flatMap((resource) => resource.lines).filter(({ usage }) => usage.includes(key));
  const least = Math.min(...[totals.dataLayer, totals.compute].map(({ totalUsd }) => totalUsd || Infinity));
  return sum(lines.map(({ monthlyUsd }) => monthlyUsd ?? 0)) > least * NAMED_FROM;
}

/** What moves a total, that of the data layer or that of compute, found by leaving it out. */
function assumptions(
  keys: UsageKey[],
  totals: Bill['totals'],
  usage: Usage,
  billWith: (usage: Usage) => { readonly totals: Bill['totals'] },
): Assumption[] {
  const named: Assumption[] = [];
  for (const key of keys) {
    const without = billWith(usage.with(key, 0)).totals;
    const moves = (total: 'dataLayer' | 'compute' | 'all') => totals[total].totalUsd - without[total].totalUsd;
    const matters = (['dataLayer', 'compute'] as const).some(
      (total) => Math.abs(moves(total)) > totals[total].totalUsd * NAMED_FROM,
    );
    if (matters) {
      const value = usage.generalValue(key);
      named.push({ key, value, unit: USAGE[key].unit, isDefault: usage.isDefault(key), movesUsd: moves('all') });
    }
  }
  return named.sort((a, b) => b.movesUsd - a.movesUsd);
}

function compute(
  resources: TemplateResources,
  usage: Usage,
  fixedRegion: string | undefined,
  rates: RateSource,
): Omit<Bill, 'assumptions' | 'unusedUsage'> {
  const billed: BilledResource[] = [];
  const notPriced: NotPriced[] = [];
  const free: { [type: string]: number } = {};
  const regions = new Set<string>();
  // A free allowance and a tier are those of the account and region, so quantities of one rate add up over resources.
  const sold = new Map<string, number>();
  for (const resource of resources.all) {
    const { address, type, logicalId, templateFile } = resource;
    const pricer = PRICERS[type];
    if (!pricer) {
      if (isFree(type)) {
        free[type] = (free[type] ?? 0) + 1;
      } else {
        notPriced.push({ address, type, logicalId, templateFile, reason: 'the type is not known to the price book' });
      }
      continue;
    }
    const region = fixedRegion ?? resource.region ?? FALLBACK_REGION;
    rates.require(region, address);
    regions.add(region);
    const pricing = new Pricing(resource, resources, usage);
    pricer.price(pricing);
    if (pricing.lines.length === 0 && pricing.problems.length === 0) {
      free[type] = (free[type] ?? 0) + 1; // For example a gateway endpoint.
      continue;
    }
    const lines = pricing.lines.map((line) => priceLine(line, line.region ?? region, rates, sold));
    const unknown = lines
      .filter(({ monthlyUsd }) => monthlyUsd === undefined)
      .map(({ name, rate, priceRegion }) => `${name}: no rate ${rate} for ${priceRegion}`);
    for (const reason of [...pricing.problems, ...unknown]) {
      notPriced.push({ address, type, logicalId, templateFile, reason });
    }
    const monthlyUsd = sum(lines.map((line) => line.monthlyUsd ?? 0));
    billed.push({ address, type, logicalId, templateFile, part: pricer.part, lines, monthlyUsd });
  }
  const of = (part?: Part) => totalOf(billed.filter((one) => part === undefined || one.part === part));
  const totals = { dataLayer: of('data layer'), compute: of('compute'), all: of() };
  return { regions: [...regions], resources: billed, notPriced, free, totals };
}

function priceLine(line: RequestedLine, region: string, rates: RateSource, sold: Map<string, number>): BillLine {
  const { name, rate, quantity, usage, note } = line;
  const common = { name, rate, quantity, usage, dependsOnUsage: isUsage(usage), note };
  const found = rates.find(region, rate);
  if (!found) {
    // Nothing of it costs nothing, whatever the rate.
    return { ...common, unit: '', priceRegion: region, ...(quantity === 0 && { monthlyUsd: 0, upperUsd: 0 }) };
  }
  const { entry } = found;
  const account = `${region} ${rate}`;
  const before = sold.get(account) ?? 0;
  sold.set(account, before + quantity);
  const full = priceOf(entry, before + quantity) - priceOf(entry, before);
  const monthlyUsd = (full * line.percent) / 100;
  const unitUsd = (marginal(entry, before + quantity) * line.percent) / 100;
  const surcharge = entry.upperUsd === undefined || unitUsd === 0 ? 1 : entry.upperUsd / lastRate(entry);
  return {
    ...common,
    unit: entry.unit,
    unitUsd,
    monthlyUsd,
    upperUsd: full * surcharge,
    confidence: line.percentOfRate === undefined ? found.confidence : 'low',
    asOf: entry.asOf ?? undefined,
    priceRegion: found.region,
  };
}

const lastRate = (entry: PriceEntry) => entry.usd ?? entry.tiers!.at(-1)!.usd;

/** What the last unit costs; with nothing bought, what the first one would that is not free. */
function marginal(entry: PriceEntry, quantity: number): number {
  const tiers = entry.tiers ?? [{ usd: entry.usd! }];
  if (quantity === 0) {
    return tiers.find(({ usd }) => usd > 0)?.usd ?? 0;
  }
  return (tiers.find(({ upTo }) => upTo === undefined || quantity <= upTo) ?? tiers.at(-1)!).usd;
}

function totalOf(resources: BilledResource[]): Total {
  const lines = resources.flatMap((resource) => resource.lines);
  const of = (some: BillLine[]) => sum(some.map(({ monthlyUsd }) => monthlyUsd ?? 0));
  const usageUsd = of(lines.filter(({ dependsOnUsage }) => dependsOnUsage));
  const baselineUsd = of(lines.filter(({ dependsOnUsage }) => !dependsOnUsage));
  const upperUsd = sum(lines.map((line) => line.upperUsd ?? 0));
  return { baselineUsd, usageUsd, totalUsd: baselineUsd + usageUsd, upperUsd };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
