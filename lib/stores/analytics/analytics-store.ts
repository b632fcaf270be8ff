import { AnalyticsChoice } from './analytics-choice';
import { S3TablesProps, s3Tables } from './s3-tables';

/** Where FinOps evidence is queried. The files stay on the volume with every choice. */
export class AnalyticsStore {
  /** The files on the volume: enough until queries read about 1 TB a month. */
  public static evidenceFiles(): AnalyticsStore {
    return new AnalyticsStore({ name: 'evidence-files' });
  }

  /**
   * Amazon S3 Tables, loaded from the FOCUS export of the evidence workload, and Athena.
   *
   * @param props limits, and what exists already
   */
  public static s3Tables(props: S3TablesProps = {}): AnalyticsStore {
    return new AnalyticsStore({ name: 's3-tables', create: s3Tables(props) });
  }

  /** The name, as the deploy app's flag has it: evidence-files or s3-tables. */
  public readonly storeName: string;
  /** @internal */
  public readonly _choice: AnalyticsChoice;

  private constructor(choice: AnalyticsChoice) {
    this._choice = choice;
    this.storeName = choice.name;
  }
}
