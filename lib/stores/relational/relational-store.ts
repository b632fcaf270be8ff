import { Construct } from 'constructs';
import { StoreContext } from '../context';
import { MigrationPhase } from '../migration-phase';
import { AuroraServerlessV2Props, auroraServerlessV2 } from './aurora-serverless-v2';
import { ExternalPostgresProps, externalPostgres } from './external';
import { PostgresDatabase } from './postgres';
import { RdsPostgresProps, rdsPostgres } from './rds-postgres';

/** What stands behind a choice. SQLite has neither a phase nor a database. */
export interface RelationalChoice {
  readonly name: string;
  readonly phase?: (scope: Construct) => MigrationPhase;
  readonly create?: (scope: Construct, context: StoreContext) => PostgresDatabase;
}

/** Where Open WebUI's relational data lives: users, chats, settings. */
export class RelationalStore {
  /** SQLite on the volume: one writer, no cost of its own. */
  public static sqliteOnEfs(): RelationalStore {
    return new RelationalStore({ name: 'sqlite-on-efs' });
  }

  /**
   * PostgreSQL on RDS, made for it: encrypted, backed up seven days, protected from deletion, TLS only, no public
   * address.
   *
   * @param props phase, size and the rest
   */
  public static rdsPostgres(props: RdsPostgresProps = {}): RelationalStore {
    return new RelationalStore(rdsPostgres(props));
  }

  /**
   * Aurora PostgreSQL, Serverless v2, made for it: encrypted, backed up seven days, protected from deletion, TLS only,
   * no public address.
   *
   * @param props phase, capacity and the rest
   */
  public static auroraServerlessV2(props: AuroraServerlessV2Props = {}): RelationalStore {
    return new RelationalStore(auroraServerlessV2(props));
  }

  /**
   * A PostgreSQL that exists. Nothing is made; backups are its owner's.
   *
   * @param props host, secret and the rest
   */
  public static external(props: ExternalPostgresProps): RelationalStore {
    return new RelationalStore(externalPostgres(props));
  }

  /** The name, as the deploy app's flag has it: sqlite-on-efs, rds-postgres, aurora-serverless-v2 or external. */
  public readonly storeName: string;
  private readonly choice: RelationalChoice;

  private constructor(choice: RelationalChoice) {
    this.choice = choice;
    this.storeName = choice.name;
  }

  /** @internal */
  public _phase(scope: Construct): MigrationPhase | undefined {
    return this.choice.phase?.(scope);
  }

  /** @internal */
  public _create(scope: Construct, context: StoreContext): PostgresDatabase | undefined {
    return this.choice.create?.(scope, context);
  }
}
