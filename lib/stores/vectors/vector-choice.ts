import { Construct } from 'constructs';
import { StoreContext } from '../context';
import { PostgresDatabase } from '../relational/postgres';
import { Wiring } from '../wiring';

/** What stands behind a choice of a vector store. */
export interface VectorChoice {
  readonly name: string;
  /** True when the vectors are files that one process writes. */
  readonly onVolume: boolean;
  create(scope: Construct, context: StoreContext, relational: PostgresDatabase | undefined): Wiring;
}
