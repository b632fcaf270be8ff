import { chromaOnEfs } from './chroma-on-efs';
import { PgvectorProps, pgvector } from './pgvector';
import { QdrantProps, qdrant } from './qdrant';
import { s3Vectors } from './s3-vectors';
import { VectorChoice } from './vector-choice';

/** Where Open WebUI keeps the embeddings of its knowledge, files and memories. */
export class VectorStore {
  /** Chroma on the volume: one writer, no cost of its own. */
  public static chromaOnEfs(): VectorStore {
    return new VectorStore(chromaOnEfs());
  }

  /**
   * The pgvector extension in the relational store's database, or in one of its own.
   *
   * @param props dimensions and the rest
   */
  public static pgvector(props: PgvectorProps = {}): VectorStore {
    return new VectorStore(pgvector(props));
  }

  /** An Amazon S3 vector bucket: no server and no floor price. Open WebUI makes an index for each collection. */
  public static s3Vectors(): VectorStore {
    return new VectorStore(s3Vectors());
  }

  /**
   * A Qdrant server that exists, by its address.
   *
   * @param props address and secret
   */
  public static qdrant(props: QdrantProps): VectorStore {
    return new VectorStore(qdrant(props));
  }

  /** The name, as the deploy app's flag has it: chroma-on-efs, pgvector, s3-vectors or qdrant. */
  public readonly storeName: string;
  /** @internal */
  public readonly _choice: VectorChoice;

  private constructor(choice: VectorChoice) {
    this._choice = choice;
    this.storeName = choice.name;
  }
}
