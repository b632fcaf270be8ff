import * as fs from 'fs';
import { CHECKS } from '../../../src/doctor/checks';
import { Report } from '../../../src/doctor/finding';
import { main } from '../../../src/main';
import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm';
import { Deployment, deployments, flagsOf } from '../../doctor/deployments';
import { promisesOf } from '../../doctor/promises';
import { rowOf, TYPES_NOT_JUDGED, wrongValue } from '../../doctor/seeds';
import { Account, STACK, Undo } from './account';
import { breakPromise } from './break';
import { Event, EVENTS } from './events';
import { AURORA_EVENTS, LAST_EVENT, UPGRADED_EVENTS } from './events-stores';
import { counted, Examples, falseAlarms, Result } from './results';

jest.setTimeout(3_600_000);

let account: Account;
/** What was found, for each deployment. */
const recorders = deployments('of the account').map(() => ({
  results: [] as Result[],
  examples: new Examples(),
  seconds: [] as number[],
  calls: 0,
}));
let all: Deployment[];

beforeAll(async () => {
  account = await Account.start();
  const acm = new ACMClient(account.aws.client);
  const { CertificateArn } = await acm.send(new RequestCertificateCommand({ DomainName: 'chat.example.org' }));
  all = deployments(CertificateArn!);
});

afterAll(() => account?.stop());

async function doctor(): Promise<Report> {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await main(['doctor', STACK, '--json'], {
    clients: () => account.clients,
    io: { out: (line) => out.push(line), note: (line) => notes.push(line) },
  });
  if (out.length === 0) {
    throw new Error(`exit code ${code}: ${notes.join('\n')}`);
  }
  return JSON.parse(out.join('\n')) as Report;
}

async function seed(
  { results, examples, seconds }: (typeof recorders)[number],
  property: string,
  what: string,
  finding: string,
  happen: () => Promise<Undo>,
): Promise<void> {
  const undo = await happen().catch((error: Error) => {
    throw new Error(`${property} ${what}: ${error.stack}`);
  });
  const report = await doctor();
  await undo();
  examples.add(report, account, finding);
  seconds.push(report.seconds);
  results.push({ property, what, finding, found: [...new Set(report.findings.map((one) => one.id))] });
}

/** Cases of the template, one for each property that can be broken. */
function fromTemplate(types: RegExp, only: RegExp) {
  return promisesOf(account.template)
    .filter((one) => !(one.type in TYPES_NOT_JUDGED) && types.test(one.type) && only.test(one.type))
    .flatMap((promised) => {
      const row = rowOf(promised);
      return row?.finding ? [{ promised, row, value: wrongValue(row, promised) }] : [];
    });
}

async function expectNothing(): Promise<number> {
  const { findings, notChecked, calls } = await doctor();
  expect({ findings, notChecked }).toEqual({ findings: [], notChecked: [] });
  return calls;
}

const EVENTS_OF = [EVENTS, UPGRADED_EVENTS, AURORA_EVENTS];

describe.each(deployments('of the account').map(({ name }, index) => [name, index] as const))('%s', (_name, index) => {
  test('a correct deployment yields nothing', async () => {
    await account.deploy(...flagsOf(all[index]));
    recorders[index].calls = await expectNothing();
  });

  test('each misconfiguration is found, and named, and nothing else is', async () => {
    // SEEDS='^AWS::EFS' and the like, while one works on a check.
    const only = new RegExp(process.env.SEEDS ?? '.');
    for (const { promised, row, value } of fromTemplate(all[index].types, only)) {
      const what = `${promised.logicalId} ${promised.path.join('.')}`;
      await seed(recorders[index], `${promised.type} ${row.path}`, what, row.finding!, () =>
        breakPromise(account, promised, value),
      );
    }
    for (const event of EVENTS_OF[index].filter((one) => only.test(one.what))) {
      await happen(index, event);
    }
    expectFound(index);
  });

  test('afterwards all is as before', async () => {
    expect(await expectNothing()).toBe(recorders[index].calls);
  });

  test('the last thing that happens', async () => {
    if (index > 0) {
      await happen(index, LAST_EVENT);
    }
    expectFound(index);
  });
});

function happen(index: number, { what, finding, happen: begin }: Event): Promise<void> {
  return seed(recorders[index], '', what, finding, () => begin(account));
}

function expectFound(index: number): void {
  const { results } = recorders[index];
  expect(results.filter(({ finding, found }) => !found.includes(finding))).toEqual([]);
  expect(results.filter((one) => falseAlarms(one).length > 0)).toEqual([]);
}

test('every kind of finding was seeded', () => {
  const kinds = CHECKS.flatMap((check) => Object.keys(check.kinds)).sort();
  const seeded = [...new Set(recorders.flatMap(({ results }) => results.map((one) => one.finding)))].sort();
  expect(process.env.SEEDS ? kinds : seeded).toEqual(kinds);
});

// npm run docs:doctor. A deployment that was not run (jest -t) keeps what was found the last time.
afterAll(() => {
  const file = process.env.DOCTOR_RESULTS;
  if (file && all) {
    const parts = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as object) : {};
    const ran = all.flatMap(({ name }, index) => (recorders[index].results.length > 0 ? [[name, partOf(index)]] : []));
    fs.writeFileSync(file, `${JSON.stringify({ ...parts, ...Object.fromEntries(ran) }, undefined, 2)}\n`);
  }
});

function partOf(index: number) {
  const { results, examples, seconds, calls } = recorders[index];
  const sorted = [...seconds].sort((a, b) => a - b);
  const summary = {
    seeded: results.length,
    caught: results.filter(({ finding, found }) => found.includes(finding)).length,
    falseAlarms: results.flatMap(falseAlarms).length,
    calls,
    medianSeconds: sorted[Math.floor(sorted.length / 2)],
  };
  return { summary, rows: counted(results), examples: examples.byId };
}
