// The deploy app with every flag at its default, and its bill in each region there are prices for.
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { createApp } from '../../bin/app';
import { Bill, billOfResources, PriceBook, readSource, storableGiB, TemplateResources, Usage } from '../../lib/bill';
import { RATE } from '../../lib/bill/rates';

/** The record's volume. */
export const STORED_GIB = 20;
/** The budget, USD a month. */
export const BUDGET_USD = 6;

/** The resources of the default topology, which is bound to no account and no region. */
export function defaultTopology(): TemplateResources {
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'costs-'));
  try {
    return new TemplateResources(readSource(createApp({ outdir, analyticsReporting: false }).synth().directory));
  } finally {
    fs.rmSync(outdir, { recursive: true, force: true });
  }
}

/** The default topology in one region. */
export interface RegionCosts {
  readonly region: string;
  readonly book: PriceBook;
  /** With 20 GiB of live data and everything else at its default. */
  readonly bill: Bill;
  /** How much live data the budget buys, with its snapshots and backups. */
  readonly storableGiB: number;
  /** The same without snapshots and backups. */
  readonly storableBareGiB: number;
}

/** What the default topology costs, and holds, in each region. */
export function costsByRegion(topology: TemplateResources): RegionCosts[] {
  return PriceBook.regions().map((region) => {
    const book = PriceBook.forRegion(region);
    const usage = Usage.from({ 'efs.storedGiB': STORED_GIB });
    return {
      region,
      book,
      bill: billOfResources(topology, { region, usage }),
      storableGiB: storableGiB(topology, BUDGET_USD, { region }),
      storableBareGiB: BUDGET_USD / book.entry(RATE.efsStandard).usd!,
    };
  });
}

/** The line for the live data itself. */
export function storageUsd(bill: Bill): number {
  const lines = bill.resources.flatMap((resource) => resource.lines);
  return lines.find(({ name }) => name === 'Storage (Standard)')!.monthlyUsd!;
}
