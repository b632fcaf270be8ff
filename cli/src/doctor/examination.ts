import { Live } from './live';
import { Finding, Kinds, NotChecked } from './finding';

/** What a check gets: the account, and where to put what it finds. */
export class Examination {
  public readonly findings: Finding[] = [];
  public readonly notChecked: NotChecked[] = [];

  constructor(
    public readonly live: Live,
    private readonly check: string,
    private readonly kinds: Kinds,
  ) {}

  /** Something is wrong with a resource. */
  public readonly find = (id: string, resource: string, what: string, mend: string): void => {
    const { severity, why } = this.kinds[id];
    this.findings.push({ id, check: this.check, severity, resource, what, why, mend });
  };

  /** There is nothing to look at yet, which is no fault. */
  public readonly notYet = (reason: string): void => {
    this.notChecked.push({ check: this.check, reason, notYet: true });
  };
}

/** One thing the doctor looks at. */
export interface Check {
  readonly name: string;
  readonly kinds: Kinds;
  run(examination: Examination): Promise<void>;
}
