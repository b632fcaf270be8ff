import { EXIT } from '../errors';

/** How bad it is. */
export type Severity = 'critical' | 'warning' | 'notice';

export const SEVERITIES: Severity[] = ['critical', 'warning', 'notice'];

/** A kind of finding: one row of the runbook. */
export interface Kind {
  readonly severity: Severity;
  /** What is wrong, in general. */
  readonly title: string;
  /** What happens when it is left. */
  readonly why: string;
}

/** Kinds by their id. */
export type Kinds = Readonly<Record<string, Kind>>;

/** Something that is wrong with one resource. */
export interface Finding {
  readonly id: string;
  readonly check: string;
  readonly severity: Severity;
  readonly resource: string;
  /** What was found, with the values. */
  readonly what: string;
  readonly why: string;
  /** The command that mends it. */
  readonly mend: string;
}

/** A check that could not be made. */
export interface NotChecked {
  readonly check: string;
  readonly reason: string;
  /** True when there is nothing to look at yet, such as the first backup: no fault. */
  readonly notYet: boolean;
}

/** Everything a run of the doctor found. */
export interface Report {
  readonly stack: string;
  readonly region: string;
  readonly findings: Finding[];
  readonly notChecked: NotChecked[];
  readonly checks: number;
  readonly calls: number;
  readonly seconds: number;
}

/**
 * 0: nothing, or notices only; 3: a warning, or a check that could not be made; 4: something critical. 1 and 64 are those
 * of every command.
 */
export function exitCodeOf({ findings, notChecked }: Report): number {
  if (findings.some((one) => one.severity === 'critical')) {
    return EXIT.critical;
  }
  const doubtful = findings.some((one) => one.severity === 'warning') || notChecked.some((one) => !one.notYet);
  return doubtful ? EXIT.warning : EXIT.ok;
}
