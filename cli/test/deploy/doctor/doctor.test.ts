import * as fs from 'fs';
import { CHECKS } from '../../../src/doctor/checks';
import { Report } from '../../../src/doctor/finding';
import { main } from '../../../src/main';
import { promisesOf } from '../../doctor/promises';
import { rowOf, TYPES_NOT_JUDGED, wrongValue } from '../../doctor/seeds';
import { Account, STACK, Undo } from './account';
import { breakPromise } from './break';
import { EVENTS } from './events';
import { counted, Examples, falseAlarms, Result } from './results';

jest.setTimeout(1_200_000);

let account: Account;
const examples = new Examples();
const results: Result[] = [];
const measured = { calls: 0, seconds: [] as number[] };

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

async function seed(property: string, what: string, finding: string, happen: () => Promise<Undo>): Promise<void> {
  const undo = await happen().catch((error: Error) => {
    throw new Error(`${property} ${what}: ${error.stack}`);
  });
  const report = await doctor();
  await undo();
  examples.add(report, account, finding);
  measured.seconds.push(report.seconds);
  results.push({ property, what, finding, found: [...new Set(report.findings.map((one) => one.id))] });
}

/** Cases of the template, one for each property that can be broken. */
function fromTemplate(only: RegExp) {
  return promisesOf(account.template)
    .filter((one) => !(one.type in TYPES_NOT_JUDGED) && only.test(one.type))
    .flatMap((promised) => {
      const row = rowOf(promised);
      return row?.finding ? [{ promised, row, value: wrongValue(row, promised) }] : [];
    });
}

async function expectNothing(): Promise<void> {
  const { findings, notChecked, calls } = await doctor();
  measured.calls = calls;
  expect({ findings, notChecked }).toEqual({ findings: [], notChecked: [] });
}

test('a correct deployment yields nothing', expectNothing);

test('each misconfiguration is found, and named, and nothing else is', async () => {
  // SEEDS='^AWS::EFS' and the like, while one works on a check.
  const only = new RegExp(process.env.SEEDS ?? '.');
  for (const { promised, row, value } of fromTemplate(only)) {
    const what = `${promised.logicalId} ${promised.path.join('.')}`;
    await seed(`${promised.type} ${row.path}`, what, row.finding!, () => breakPromise(account, promised, value));
  }
  for (const event of EVENTS.filter((one) => only.test(one.what))) {
    await seed('', event.what, event.finding, () => event.happen(account));
  }
  expect(results.filter(({ finding, found }) => !found.includes(finding))).toEqual([]);
  expect(results.filter((one) => falseAlarms(one).length > 0)).toEqual([]);
});

test('afterwards all is as before', expectNothing);

test('every kind of finding was seeded', () => {
  const kinds = CHECKS.flatMap((check) => Object.keys(check.kinds)).sort();
  const seeded = [...new Set(results.map((one) => one.finding))].sort();
  expect(process.env.SEEDS ? kinds : seeded).toEqual(kinds);
});

// npm run docs:doctor
afterAll(() => {
  if (process.env.DOCTOR_RESULTS && results.length > 0) {
    const sorted = [...measured.seconds].sort((a, b) => a - b);
    const summary = {
      seeded: results.length,
      caught: results.filter(({ finding, found }) => found.includes(finding)).length,
      falseAlarms: results.flatMap(falseAlarms).length,
      calls: measured.calls,
      medianSeconds: sorted[Math.floor(sorted.length / 2)],
    };
    fs.writeFileSync(
      process.env.DOCTOR_RESULTS,
      `${JSON.stringify({ summary, rows: counted(results), examples: examples.byId }, undefined, 2)}\n`,
    );
  }
});
