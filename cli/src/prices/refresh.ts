import { PriceBook, PriceEntry } from '../../../lib/bill';
import { CliError, usageError } from '../errors';
import { Clock, Io } from '../io';
import { BookFile, ratesSoFar } from './book-file';
import { download, NoSuchFile, Restart } from './download';
import { NotAPriceList, PriceList, readPriceList } from './price-list';
import { Progress } from './progress';
import { rateOf } from './rate-of-list';
import { plainUsageType } from './usage-type';

/** How often a file is begun anew that changed under the reader, or whose server gives no parts. */
const BEGINNINGS = 3;
const PATIENCE_MS = 30_000;

export interface RefreshContext {
  readonly io: Io;
  readonly clock: Clock;
  /** The server of the price list. */
  readonly endpoint: URL;
  /** Where books of an earlier refresh are. */
  readonly directory: string;
  readonly patienceMs?: number;
}

/** What became of an entry. */
export interface Outcome {
  readonly key: string;
  readonly before?: PriceEntry;
  /** Missing when there is no rate: a region's first book has only what was found. */
  readonly after?: PriceEntry;
  /** Why the price list gave no rate. */
  readonly problem?: string;
}

export interface RegionRefresh {
  readonly book: BookFile;
  readonly outcomes: readonly Outcome[];
}

/** Looks up every rate of a region. Writes nothing. */
export async function refreshRegion(context: RefreshContext, region: string): Promise<RegionRefresh> {
  const entries = entriesOf(context.directory, region);
  const services = [...new Set(entries.filter(isListed).map(({ entry }) => entry.serviceCode))].sort();
  const lists = new Map<string, PriceList | undefined>();
  for (const service of services) {
    const wanted = entries.filter(({ entry }) => entry.serviceCode === service && entry.usageType !== null);
    const usageTypes = new Set(wanted.map(({ entry }) => plainUsageType(entry.usageType!)));
    lists.set(service, await listOf(context, region, service, usageTypes));
  }
  if ([...lists.values()].every((list) => list === undefined)) {
    throw usageError(
      `--region ${region}`,
      `${context.endpoint.href} has no price list of it.`,
      'Look whether it is spelled right, for example eu-central-1; with --endpoint, whether the mirror has it.',
    );
  }
  const today = new Date(context.clock.now()).toISOString().slice(0, 10);
  const outcomes = entries.map((item) => outcomeOf(item, region, lists.get(item.entry.serviceCode), today));
  const kept = outcomes.flatMap(({ after }) => after ?? []);
  return { book: { region, entries: kept.sort((a, b) => (a.key < b.key ? -1 : 1)) }, outcomes };
}

interface Sought {
  readonly entry: PriceEntry;
  /** Not yet in the region's book: its usage type, unit and free allowance are known from us-east-1. */
  readonly isNew: boolean;
}

function isListed({ entry }: Sought): boolean {
  return entry.usageType !== null;
}

/** The region's own entries, from the directory or else from the package, and those that only us-east-1 has. */
function entriesOf(directory: string, region: string): Sought[] {
  const own = ratesSoFar(directory, region);
  const keys = new Set(own.map(({ key }) => key));
  const others = PriceBook.forRegion('us-east-1').entries.filter(({ key, usageType }) => usageType && !keys.has(key));
  return [
    ...own.map((entry) => ({ entry, isNew: false })),
    ...others.map((entry) => ({ entry: { ...entry, upperUsd: undefined }, isNew: true })),
  ];
}

/** Undefined: the region has no price list of the service. */
async function listOf(
  { io, clock, endpoint, patienceMs = PATIENCE_MS }: RefreshContext,
  region: string,
  service: string,
  usageTypes: ReadonlySet<string>,
): Promise<PriceList | undefined> {
  const url = new URL(`offers/v1.0/aws/${service}/current/${region}/index.json`, endpoint);
  const progress = new Progress(io, clock, `${region} ${service}`);
  const transfer = {
    clock,
    note: (line: string) => io.note(line),
    progress: (received: number, total: number | undefined) => progress.update(received, total),
    patienceMs,
  };
  try {
    for (let begun = 1; ; begun += 1) {
      try {
        return await readPriceList(() => download(url, transfer), region, usageTypes);
      } catch (error) {
        if (!(error instanceof Restart) || begun === BEGINNINGS) {
          throw error;
        }
        io.note(`${url.pathname}: ${error.message}; reading it from its beginning`);
      }
    }
  } catch (error) {
    if (error instanceof NoSuchFile) {
      return undefined;
    }
    if (error instanceof NotAPriceList || error instanceof Restart) {
      throw new CliError(
        url.href,
        `It cannot be read as a price list: ${error.message}.`,
        'Run the command again later; with --endpoint, look what the mirror sends. The price books are as they were.',
      );
    }
    throw error;
  } finally {
    progress.end();
  }
}

function outcomeOf({ entry, isNew }: Sought, region: string, list: PriceList | undefined, today: string): Outcome {
  const before = isNew ? undefined : entry;
  const { key, service, dimension, unit, serviceCode, operation, attributes } = entry;
  if (entry.usageType === null) {
    return { key, before, after: entry };
  }
  const rate = list ? rateOf(entry, list) : { problem: `there is no price list of ${entry.serviceCode} in ${region}` };
  if ('problem' in rate) {
    return { key, before, after: before && unconfirmed(before, today), problem: rate.problem };
  }
  const { version, publicationDate } = list!;
  const after: PriceEntry = {
    key,
    service,
    dimension,
    unit,
    ...(rate.usd === undefined ? { tiers: rate.tiers } : { usd: rate.usd }),
    serviceCode,
    usageType: rate.usageType,
    ...(operation === undefined ? {} : { operation }),
    ...(attributes === undefined ? {} : { attributes }),
    source: `AWS price list /offers/v1.0/aws/${serviceCode}/${version}/${region}/index.json`,
    asOf: publicationDate.slice(0, 10),
    confidence: 'high',
  };
  return { key, before, after };
}

/** The rate stays, but it is no longer of high confidence, so that the bill marks it. */
function unconfirmed(entry: PriceEntry, today: string): PriceEntry {
  const confidence = entry.confidence.endsWith('high') ? 'medium' : entry.confidence;
  return { ...entry, confidence, notFound: today };
}
