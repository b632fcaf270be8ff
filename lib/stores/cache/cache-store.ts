import { ValkeyServerlessProps, valkeyServerless } from './valkey-serverless';
import { CacheChoice } from './cache-choice';

/** What several replicas share beside their database: sessions of the socket layer, running tasks, who is online. */
export class CacheStore {
  /** None: right for one task. */
  public static none(): CacheStore {
    return new CacheStore({ name: 'none' });
  }

  /**
   * ElastiCache Serverless for Valkey, made for it, with a limit to what it may cost.
   *
   * @param props the limits
   */
  public static valkeyServerless(props: ValkeyServerlessProps = {}): CacheStore {
    return new CacheStore(valkeyServerless(props));
  }

  /** The name, as the deploy app's flag has it: none or valkey-serverless. */
  public readonly storeName: string;
  /** @internal */
  public readonly _choice: CacheChoice;

  private constructor(choice: CacheChoice) {
    this._choice = choice;
    this.storeName = choice.name;
  }
}
