import { spawn } from 'child_process';
import * as fs from 'fs';
import * as http from 'http';
import { AddressInfo } from 'net';
import * as os from 'os';
import * as path from 'path';
import { PriceBook } from '../lib/bill/price-book';
import { priceListFile } from '../cli/test/prices/price-list-file';
import { productsOf } from '../cli/test/prices/lists-of-book';

/**
 * How long `prices refresh` takes and how much memory, for a price list file of about 1 GB. Amazon EC2's is the large
 * one; the file made here has its layout, and the two NAT gateway prices that are sought in it stand at its end, so that
 * all of it must be read. All comes from a server on this machine. Usage: npm run bench:prices -- [MB]
 */
const ROOT = path.join(__dirname, '..');
const REGION = 'us-east-1';
const BOOK = PriceBook.forRegion(REGION).entries;
const MEGABYTES = Math.max(1, Number.parseInt(process.argv[2] ?? '1000', 10) || 1000);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-prices-'));
const big = path.join(folder, 'AmazonEC2.json');

/** A list of instances of at least so many bytes, and the products of the book after them. */
function makeFile(bytes: number, termsFirst: boolean): void {
  const [instance, sought] = [
    [{ usagetype: 'BoxUsage:m5.large', unit: 'Hrs', usd: '0.0960000000', attributes: INSTANCE }],
    productsOf(BOOK, 'AmazonEC2'),
  ].map((products) => JSON.parse(priceListFile({ service: 'AmazonEC2', region: REGION, products })));
  const [sku] = Object.keys(instance.products);
  const member = (value: unknown, at: string) => JSON.stringify({ [at]: value }, undefined, 2).slice(2, -2);
  const product = member(instance.products[sku], sku);
  const term = member(instance.terms.OnDemand[sku], sku);
  const count = Math.ceil(bytes / (product.length + term.length));

  const file = fs.openSync(big, 'w');
  const members = (one: string, last: Record<string, object>) => {
    let text = '';
    for (let index = 0; index < count; index += 1) {
      text += `${one.replaceAll(sku, `BOX${String(index).padStart(13, '0')}`)},\n`;
      if (text.length > 1 << 20) {
        fs.writeSync(file, text);
        text = '';
      }
    }
    const end = Object.entries(last).map(([name, value]) => member(value, name.replace('SKU', 'NAT')));
    fs.writeSync(file, `${text}${end.join(',\n')}\n`);
  };
  const products = () => {
    fs.writeSync(file, '"products" : {\n');
    members(product, sought.products);
    fs.writeSync(file, '}');
  };
  const terms = () => {
    fs.writeSync(file, '"terms" : { "OnDemand" : {\n');
    members(term, sought.terms.OnDemand);
    fs.writeSync(file, '} }');
  };
  fs.writeSync(file, `{ "version" : "1", "publicationDate" : "2026-05-07T00:00:00Z",\n`);
  const parts = termsFirst ? [terms, products] : [products, terms];
  parts[0]();
  fs.writeSync(file, ',\n');
  parts[1]();
  fs.writeSync(file, '}\n');
  fs.closeSync(file);
}

const INSTANCE = {
  instanceType: 'm5.large',
  currentGeneration: 'Yes',
  instanceFamily: 'General purpose',
  vcpu: '2',
  physicalProcessor: 'Intel Xeon Platinum 8175',
  clockSpeed: '3.1 GHz',
  memory: '8 GiB',
  storage: 'EBS only',
  networkPerformance: 'Up to 10 Gigabit',
  tenancy: 'Shared',
  operatingSystem: 'Linux',
  licenseModel: 'No License required',
  operation: 'RunInstances',
};

/** Serves the large file, and for every other service a list that agrees with the book. */
const server = http.createServer((request, response) => {
  const [, service] = /^\/offers\/v1.0\/aws\/(\w+)\/current\//.exec(request.url ?? '') ?? [];
  if (service === 'AmazonEC2') {
    response.writeHead(200, { 'content-length': fs.statSync(big).size });
    fs.createReadStream(big).pipe(response);
    return;
  }
  response.end(priceListFile({ service, region: REGION, products: productsOf(BOOK, service) }));
});

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly report: string;
}

function refresh(): Promise<Run> {
  const usage = path.join(folder, 'usage');
  fs.rmSync(usage, { force: true });
  const { port } = server.address() as AddressInfo;
  const args = ['prices', 'refresh', '--region', REGION, '--endpoint', `http://127.0.0.1:${port}`, '--out', folder];
  const started = process.hrtime.bigint();
  const child = spawn(process.execPath, [path.join(ROOT, 'cli', 'bin', 'efs-data-layer.js'), ...args], {
    env: { ...process.env, BENCH_USAGE: usage, NODE_OPTIONS: `--require ${path.join(__dirname, 'usage.js')}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let report = '';
  child.stdout.on('data', (text) => (report += text));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code !== 0) {
        return reject(new Error(`prices refresh ended with ${code}`));
      }
      const [peak, cpu] = fs.readFileSync(usage, 'utf8').trim().split('\n').at(-1)!.split(' ').map(Number);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      resolve({ seconds, cpuSeconds: cpu / 1e6, peakMiB: peak / 1024, report });
    });
  });
}

async function main(): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cases: [name: string, megabytes: number, termsFirst: boolean][] = [
    ['small', 1, false],
    ['products, then prices', MEGABYTES, false],
    ['prices, then products (read twice)', MEGABYTES, true],
  ];
  console.log(`Node ${process.version}, ${os.cpus().length} processors\n`);
  for (const [name, megabytes, termsFirst] of cases) {
    makeFile(megabytes * 1e6, termsFirst);
    const size = fs.statSync(big).size;
    const { seconds, cpuSeconds, peakMiB, report } = await refresh();
    const figures = [
      `${(size / 1e6).toFixed(0)} MB`,
      `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor)`,
      `peak RSS ${peakMiB.toFixed(0)} MiB`,
    ];
    console.log(`${name}: ${figures.join(', ')}\n  ${report.split('\n')[0]}`);
    if (!/0 changed/.test(report) || !/ 0 not found/.test(report)) {
      throw new Error(`The prices were not all found:\n${report}`);
    }
  }
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => {
    server.close();
    fs.rmSync(folder, { recursive: true });
  });
