import { Clients } from '../aws/clients';
import { Clock, Io } from '../io';
import { Calls, NoAnswer } from './calls';
import { CHECKS } from './checks';
import { Check, Examination } from './examination';
import { StackFacts } from './facts';
import { Finding, NotChecked, Report, SEVERITIES } from './finding';
import { Live } from './live';

async function make(live: Live, check: Check): Promise<{ findings: Finding[]; notChecked: NotChecked[] }> {
  const examination = new Examination(live, check.name, check.kinds);
  try {
    await check.run(examination);
  } catch (error) {
    if (!(error instanceof NoAnswer)) {
      throw error;
    }
    examination.notChecked.push({ check: check.name, reason: error.message, notYet: false });
  }
  return examination;
}

/** Looks at everything. Only reads. */
export async function examine(aws: Clients, clock: Clock, io: Io, stack: string): Promise<Report> {
  const started = clock.now();
  const calls = new Calls(clock);
  const facts = await StackFacts.read(aws, calls, stack);
  const live = new Live(aws, calls, clock, facts);
  let done = 0;
  const results = await Promise.all(
    CHECKS.map(async (check) => {
      const result = await make(live, check);
      done++;
      io.status?.(
        `${done} of ${CHECKS.length} checks, ${calls.count} calls, ${((clock.now() - started) / 1000).toFixed(0)} s`,
      );
      return result;
    }),
  );
  io.status?.('');
  const rank = (one: Finding) => SEVERITIES.indexOf(one.severity);
  return {
    stack,
    region: facts.region,
    findings: results.flatMap((one) => one.findings).sort((a, b) => rank(a) - rank(b)),
    notChecked: results.flatMap((one) => one.notChecked),
    checks: CHECKS.length,
    calls: calls.count,
    seconds: (clock.now() - started) / 1000,
  };
}
