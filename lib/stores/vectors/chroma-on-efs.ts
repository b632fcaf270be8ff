import { VectorChoice } from './vector-choice';

/** Open WebUI's embedded Chroma in DATA_DIR/vector_db, under the keeper: its own default, nothing is set. */
export function chromaOnEfs(): VectorChoice {
  return { name: 'chroma-on-efs', onVolume: true, create: () => ({ environment: {}, secrets: {} }) };
}
