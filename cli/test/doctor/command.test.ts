import { ACTIONS } from '../../src/doctor/actions';
import { exitCodeOf, Finding, Report, Severity } from '../../src/doctor/finding';
import { printReport } from '../../src/doctor/report';
import { main } from '../../src/main';

function finding(severity: Severity): Finding {
  return { id: 'x', check: 'y', severity, resource: 'fs-1', what: 'It is so.', why: 'Because.', mend: 'aws efs' };
}

function report(findings: Finding[], notChecked: Report['notChecked'] = []): Report {
  return { stack: 'S', region: 'eu-west-1', findings, notChecked, checks: 23, calls: 50, seconds: 1.25 };
}

const denied = { check: 'roles', reason: 'needs iam:GetRole', notYet: false };
const young = { check: 'recovery points', reason: 'too young', notYet: true };

test.each([
  ['nothing', report([]), 0],
  ['a notice', report([finding('notice')]), 0],
  ['what is not there yet', report([], [young]), 0],
  ['a warning', report([finding('notice'), finding('warning')]), 3],
  ['a check that could not be made', report([], [denied]), 3],
  ['something critical', report([finding('warning'), finding('critical')], [denied]), 4],
])('%s: the exit code', (_what, found, code) => {
  expect(exitCodeOf(found)).toBe(code);
});

function printed(found: Report, colour: boolean): string {
  const out: string[] = [];
  printReport({ out: (line) => out.push(line), note: () => {}, colour }, found);
  return out.join('\n');
}

test('the report says what, why and what mends it, what was not checked, and counts', () => {
  const text = printed(report([finding('critical')], [denied, young]), false);
  expect(text).toBe(
    [
      'critical x  fs-1',
      '         It is so.',
      '         Why:  Because.',
      '         Mend: aws efs',
      '',
      'not checked  roles: needs iam:GetRole',
      'not yet      recovery points: too young',
      'S in eu-west-1: 1 critical. 23 checks, 50 calls, 1.3 s, 1 not made.',
    ].join('\n'),
  );
});

test('colours only where they are wanted', () => {
  expect(printed(report([finding('critical')]), true)).toContain('\u001b[31mcritical');
  expect(printed(report([finding('critical')]), false)).not.toContain('\u001b');
  expect(printed(report([]), false)).toContain('nothing found');
});

test('--print-policy prints the actions, all of which only read, and asks nobody', async () => {
  const out: string[] = [];
  const clients = () => {
    throw new Error('asked');
  };
  expect(
    await main(['doctor', '--print-policy'], { clients, io: { out: (line) => out.push(line), note: () => {} } }),
  ).toBe(0);
  const [statement] = (JSON.parse(out.join('\n')) as { Statement: { Action: string[] }[] }).Statement;
  expect(statement.Action).toEqual(ACTIONS);
  expect(statement.Action.filter((one) => !/:(Describe|Get|List|Filter)[A-Z]/.test(one))).toEqual([]);
});

describe('without a region', () => {
  const saved = { ...process.env };
  afterEach(() => {
    process.env = saved;
  });

  test('it says which option to pass', async () => {
    process.env = { ...saved, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE'].forEach((name) => delete process.env[name]);
    const notes: string[] = [];
    const code = await main(['doctor'], { io: { out: () => {}, note: (line) => notes.push(line) } });
    expect([code, notes.join('\n')]).toEqual([1, expect.stringContaining('Pass --region')]);
  });
});

test('--help shows examples and the exit codes', async () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    expect(await main(['doctor', '--help'])).toBe(0);
  } finally {
    write.mockRestore();
  }
  expect(written.join('')).toMatch(/Examples:[^]*--print-policy > [^]*Exit codes:[^]*4 {3}something critical/);
});
