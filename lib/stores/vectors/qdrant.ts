import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { inputError } from '../../errors';
import { existingSecret, requireName } from '../context';
import { Wiring } from '../wiring';
import { VectorChoice } from './vector-choice';

/** Why Qdrant is not run on the volume; every error about it ends with this. */
export const WHY_NOT_QDRANT_ON_EFS =
  'Qdrant needs block storage with a POSIX file system and does not work on NFS, which EFS is (qdrant.tech/documentation/installation, read 2026-11). Run it on EC2 with EBS or as Qdrant Cloud and pass its address, or use VectorStore.pgvector() or s3Vectors().';

/** A Qdrant that exists. */
export interface QdrantProps {
  /** Its address, for example https://xyz.eu-west-1-0.aws.cloud.qdrant.io:6333. */
  readonly url: string;

  /**
   * The complete ARN of a secret that holds its API key: the whole text, no JSON. Required with https.
   *
   * @default - none: only for http within a network of your own
   */
  readonly apiKeySecretArn?: string;
}

export function qdrant(props: QdrantProps): VectorChoice {
  return {
    name: 'qdrant',
    onVolume: false,
    create: (scope) => {
      const own = new Construct(scope, 'Qdrant');
      if (!props?.url) {
        throw inputError(own, 'VectorStore.qdrant() has no url.', WHY_NOT_QDRANT_ON_EFS);
      }
      const url = requireName(
        own,
        'url',
        props.url,
        /^https?:\/\/[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?\/?$/,
        'Pass scheme, host and port, for example https://qdrant.example.com:6333, without a path and a key.',
      );
      if (url.startsWith('https:') && !props.apiKeySecretArn) {
        throw inputError(own, `url is ${url} and apiKeySecretArn is missing.`, 'Pass the secret that holds the key.');
      }
      const secrets: Wiring['secrets'] = props.apiKeySecretArn
        ? {
            QDRANT_API_KEY: ecs.Secret.fromSecretsManager(
              existingSecret(own, 'apiKeySecretArn', props.apiKeySecretArn),
            ),
          }
        : {};
      return { environment: { VECTOR_DB: 'qdrant', QDRANT_URI: url }, secrets };
    },
  };
}
