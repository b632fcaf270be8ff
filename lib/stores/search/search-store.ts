import { OpenSearchServerlessProps, openSearchServerless } from './open-search-serverless';
import { SearchChoice } from './search-choice';

/** Full-text search over evidence: reports and findings. The files stay where they are; the search is made from them. */
export class SearchStore {
  /** None: the files, and `efs-data-layer evidence query`. */
  public static none(): SearchStore {
    return new SearchStore({ name: 'none' });
  }

  /**
   * Amazon OpenSearch Serverless, NextGen: asleep it costs its storage only ($0.024 per GB-month in us-east-1, price list
   * 2026-09-29). Ten minutes without a request put it to sleep; the first request after that waits 10 to 30 seconds.
   * `efs-data-layer search index` fills it.
   *
   * It is no vector store for Open WebUI, whose client for OpenSearch signs in with a user name and a password and sets
   * its own document ids in a vector collection: Serverless takes neither.
   *
   * @param props who may read, whether it is private, the limits
   */
  public static openSearchServerless(props: OpenSearchServerlessProps = {}): SearchStore {
    return new SearchStore(openSearchServerless(props));
  }

  /** The name, as the deploy app's flag has it: none or open-search-serverless. */
  public readonly storeName: string;
  /** @internal */
  public readonly _choice: SearchChoice;

  private constructor(choice: SearchChoice) {
    this._choice = choice;
    this.storeName = choice.name;
  }
}
