import * as fs from 'fs';
import { main } from '../../../src/main';
import { Report } from '../../../src/doctor/finding';
import { promisesOf } from '../../doctor/promises';
import { rowOf, TYPES_NOT_JUDGED, wrongValue } from '../../doctor/seeds';
import { Account, STACK, Undo } from './account';
import { breakPromise } from './break';
import { EVENTS } from './events';

jest.setTimeout(1_200_000);

/** A row of the table: what was broken, what the doctor must call it, and what it said. */
export interface Result {
  readonly where: string;
  readonly what: string;
  readonly finding: string;
  readonly found: string[];
}

let account: Account;

beforeAll(async () => {
  account = await Account.start();
  await account.deploy('-c', 'data-layer:services=true', '-c', 'data-layer:focusExport=s3://my-exports/focus/cost');
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

async function seed(what: string, where: string, finding: string, happen: () => Promise<Undo>): Promise<Result> {
  try {
    const undo = await happen();
    const report = await doctor();
    await undo();
    return { where, what, finding, found: [...new Set(report.findings.map((one) => one.id))] };
  } catch (error) {
    return { where, what, finding, found: [`! ${(error as Error).stack}`] };
  }
}

/** Cases of the template, one for each property that can be broken. */
function fromTemplate(only: RegExp) {
  return promisesOf(account.template)
    .filter((one) => !(one.type in TYPES_NOT_JUDGED) && only.test(one.type))
    .flatMap((promised) => {
      const row = rowOf(promised);
      return row?.finding ? [{ promised, finding: row.finding, value: wrongValue(row, promised) }] : [];
    });
}

test('a correct deployment yields nothing', async () => {
  const { findings, notChecked } = await doctor();
  expect({ findings, notChecked }).toEqual({ findings: [], notChecked: [] });
});

test('each misconfiguration is found, and named', async () => {
  const only = new RegExp(process.env.SEEDS ?? '.');
  const results: Result[] = [];
  for (const { promised, finding, value } of fromTemplate(only)) {
    const where = `${promised.type} ${promised.logicalId}`;
    const what = `${promised.path.join('.')}: ${JSON.stringify(value)?.slice(0, 80)}`;
    results.push(await seed(what, where, finding, () => breakPromise(account, promised, value)));
  }
  for (const event of EVENTS.filter((one) => only.test(one.what))) {
    results.push(await seed(event.what, '', event.finding, () => event.happen(account)));
  }
  if (process.env.DOCTOR_RESULTS) {
    fs.writeFileSync(process.env.DOCTOR_RESULTS, `${JSON.stringify(results, undefined, 1)}\n`);
  }
  expect(results.filter(({ finding, found }) => !found.includes(finding))).toEqual([]);
});

test('afterwards all is as before', async () => {
  const { findings, notChecked } = await doctor();
  expect({ findings, notChecked }).toEqual({ findings: [], notChecked: [] });
});
