import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { inputError, requireWholeNumber } from '../../errors';
import { requireObject } from '../../inputs';
import { PostgresDatabase } from '../relational/postgres';
import type { RelationalStore } from '../relational/relational-store';
import { Wiring } from '../wiring';
import { VectorChoice } from './vector-choice';

/** A column of type vector is indexed up to 2000 dimensions, of halfvec up to 4000 (pgvector/pgvector, README, 0.8). */
const INDEXED = { vector: 2000, halfvec: 4000 };

/** pgvector. */
export interface PgvectorProps {
  /**
   * A database of its own.
   *
   * @default - the relational store's
   */
  readonly database?: RelationalStore;

  /**
   * The dimensions of the longest embedding, 1 to 4000. Shorter ones are filled with zeros. It cannot be changed later
   * without making the table anew. Above 2000 each number is stored in two bytes (halfvec).
   *
   * @default 1536
   */
  readonly dimensions?: number;
}

export function pgvector(props: PgvectorProps): VectorChoice {
  return {
    name: 'pgvector',
    onVolume: false,
    create: (scope, context, relational) => {
      const own = new Construct(scope, 'Pgvector');
      const dimensions = requireWholeNumber(own, 'dimensions', props.dimensions ?? 1536, 1, INDEXED.halfvec);
      requireObject(own, 'database', props.database, ['_create'], 'Pass RelationalStore.rdsPostgres().');
      if (props.database) {
        const database = props.database._create(own, context);
        if (!database) {
          throw inputError(
            own,
            `database is ${props.database.storeName}: pgvector is an extension of PostgreSQL.`,
            'Pass RelationalStore.rdsPostgres(), auroraServerlessV2() or external().',
          );
        }
        return wiring(dimensions, database, ownDatabase(database));
      }
      if (!relational) {
        throw inputError(
          own,
          'vectors is pgvector, but the relational data is not in PostgreSQL yet.',
          'Move it first (relational: RelationalStore.rdsPostgres(), phase CUTOVER), or give pgvector a database of its own: VectorStore.pgvector({ database: RelationalStore.rdsPostgres() }).',
        );
      }
      // PGVECTOR_DB_URL defaults to the relational store's address (open_webui/config.py, 0.12.4).
      return wiring(dimensions, relational, { environment: {}, secrets: {} });
    },
  };
}

function wiring(dimensions: number, database: PostgresDatabase, address: Wiring): Wiring {
  return {
    environment: {
      VECTOR_DB: 'pgvector',
      PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH: `${dimensions}`,
      PGVECTOR_USE_HALFVEC: `${dimensions > INDEXED.vector}`,
      PGVECTOR_INDEX_METHOD: 'hnsw',
      PGVECTOR_POOL_SIZE: '5',
      PGVECTOR_POOL_MAX_OVERFLOW: '5',
      ...address.environment,
    },
    secrets: address.secrets,
    allowFrom: (peer) => database.allowFrom(peer),
  };
}

/** The entry program puts these together to PGVECTOR_DB_URL: an environment variable cannot hold half a secret. */
function ownDatabase({ host, port, databaseName, secret, tls }: PostgresDatabase): Wiring {
  return {
    environment: {
      DATA_LAYER_VECTORS_HOST: host,
      DATA_LAYER_VECTORS_PORT: port,
      DATA_LAYER_VECTORS_NAME: databaseName,
      DATA_LAYER_VECTORS_SSLMODE: tls.PGSSLMODE,
      ...(tls.PGSSLROOTCERT && { DATA_LAYER_VECTORS_SSLROOTCERT: tls.PGSSLROOTCERT }),
    },
    secrets: {
      DATA_LAYER_VECTORS_USER: ecs.Secret.fromSecretsManager(secret, 'username'),
      DATA_LAYER_VECTORS_PASSWORD: ecs.Secret.fromSecretsManager(secret, 'password'),
    },
  };
}
