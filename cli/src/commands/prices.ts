import { Command, Option } from 'commander';
import { PriceBook } from '../../../lib/bill';
import { usageError } from '../errors';
import { writeBook } from '../prices/book-file';
import { refreshRegion } from '../prices/refresh';
import { reportOf } from '../prices/report';
import { Shell } from './shell';

interface RefreshOptions {
  readonly region: string[];
  readonly out: string;
  readonly endpoint: URL;
}

/** `efs-data-layer prices …` */
export function pricesCommand(shell: Shell): Command {
  const prices = new Command('prices').description('the price books that bills are made with');
  prices
    .command('refresh')
    .description('look every rate up in the public AWS price list, which needs no credentials, and say what changed')
    .addOption(new Option('--region <regions...>', 'the regions').default(PriceBook.regions(), 'all of the package'))
    .option('--out <directory>', 'where the books are written: <region>.json for each region', 'prices')
    .addOption(
      new Option('--endpoint <url>', 'the price list, or a mirror of it')
        .env('EFS_DATA_LAYER_PRICE_LIST')
        .default(new URL('https://pricing.us-east-1.amazonaws.com/'), 'https://pricing.us-east-1.amazonaws.com')
        .argParser(endpointOf),
    )
    .action(async (options: RefreshOptions) => {
      const regions = [...new Set(options.region)];
      regions.forEach(checkRegion);
      const context = { io: shell.io, clock: shell.clock, endpoint: options.endpoint, directory: options.out };
      for (const region of regions) {
        // A region is written when all of it was read: what fails later leaves it whole.
        const refreshed = await refreshRegion(context, region);
        const file = writeBook(options.out, refreshed.book);
        shell.io.out(reportOf(refreshed));
        shell.io.note(`Written: ${file}`);
      }
    });
  return prices;
}

function checkRegion(region: string): void {
  if (!/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    throw usageError(`--region ${region}`, 'It is no AWS region.', 'Pass for example --region ap-southeast-2.');
  }
}

function endpointOf(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usageError(`--endpoint ${value}`, 'It is no URL.', 'Pass for example --endpoint https://mirror.example.com.');
  }
  // A path that does not end as a directory does would be replaced by that of the file.
  return new URL(url.href.endsWith('/') ? url.href : `${url.href}/`);
}
