import { BillError, PriceBook, PriceEntry } from '../../../../lib/bill';
import { Check } from '../examination';
import { show } from '../compare';

/** What the mode does to the bill, at the list prices that come with this package. */
function effect(region: string, mode: string | undefined, mibps = 0): string {
  let book: PriceBook;
  try {
    book = PriceBook.forRegion(region);
  } catch (error) {
    if (error instanceof BillError) {
      return `There are no prices for ${region} here; see efs-data-layer bill.`;
    }
    throw error;
  }
  const usd = (key: string) => rate(book.entry(key)).toFixed(2);
  if (mode === 'provisioned') {
    const month = mibps * rate(book.entry('efs/provisioned-throughput'));
    return `${mibps} MiB/s provisioned cost up to $${month.toFixed(2)} a month, whether they are used or not.`;
  }
  return `Each GiB read then costs $${usd('efs/elastic-read')} and each GiB written $${usd('efs/elastic-write')}; with bursting they cost nothing.`;
}

function rate(entry: PriceEntry): number {
  return entry.usd ?? entry.tiers![entry.tiers!.length - 1].usd;
}

export const throughput: Check = {
  name: 'throughput',
  kinds: {
    'throughput-mode': {
      severity: 'warning',
      title: 'The throughput mode is not the promised one',
      why: 'It decides the bill: bursting is in the price of storage, elastic is charged for every byte, provisioned for every hour.',
    },
  },
  async run({ live, find }) {
    const actual = await live.efs.fileSystem();
    const [promised] = live.stack.promised('AWS::EFS::FileSystem');
    const wanted = promised?.properties.ThroughputMode ?? (promised ? 'bursting' : undefined);
    if (wanted !== undefined && actual.ThroughputMode !== wanted) {
      find(
        'throughput-mode',
        actual.FileSystemId!,
        `It is ${show(actual.ThroughputMode)}; promised is ${show(wanted)}. ${effect(live.stack.region, actual.ThroughputMode, actual.ProvisionedThroughputInMibps)}`,
        `aws efs update-file-system --file-system-id ${actual.FileSystemId} --throughput-mode ${show(wanted)} ${live.at}   (once in 24 hours)`,
      );
    }
  },
};
