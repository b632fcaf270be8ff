import { Io } from '../io';
import { Finding, Report, SEVERITIES, Severity } from './finding';

const COLOUR: Record<Severity, number> = { critical: 31, warning: 33, notice: 36 };

function paint(io: Io, code: number, text: string): string {
  return io.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function oneFinding(io: Io, finding: Finding): string[] {
  return [
    `${paint(io, COLOUR[finding.severity], finding.severity.padEnd(8))} ${paint(io, 1, finding.id)}  ${finding.resource}`,
    `         ${finding.what}`,
    `         Why:  ${finding.why}`,
    `         Mend: ${finding.mend}`,
    '',
  ];
}

/** The report for people. */
export function printReport(io: Io, report: Report): void {
  const { findings, notChecked, stack, region, checks, calls, seconds } = report;
  findings.flatMap((one) => oneFinding(io, one)).forEach((line) => io.out(line));
  const missing = notChecked.filter((one) => !one.notYet);
  missing.forEach((one) => io.out(`${paint(io, 33, 'not checked')}  ${one.check}: ${one.reason}`));
  notChecked.filter((one) => one.notYet).forEach((one) => io.out(`not yet      ${one.check}: ${one.reason}`));
  const counts = SEVERITIES.map(
    (severity) => [severity, findings.filter((one) => one.severity === severity).length] as const,
  )
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  const result = counts.length > 0 ? counts.join(', ') : 'nothing found';
  io.out(
    `${stack} in ${region}: ${result}. ${checks} checks, ${calls} calls, ${seconds.toFixed(1)} s${missing.length > 0 ? `, ${missing.length} not made` : ''}.`,
  );
}
