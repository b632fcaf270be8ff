import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CacheStore, EfsDataLayer, EfsDataLayerProps, RelationalStore, VectorStore } from '../../lib';

/** Prints what Open WebUI is told with each choice of stores: test_settings.py holds it against the real application. */
const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf';
const external = RelationalStore.external({ host: 'db.example.com', secretArn: SECRET });
const own = RelationalStore.external({ host: 'vectors.example.com', secretArn: SECRET });
const CHOICES: Record<string, EfsDataLayerProps> = {
  sqlite: {},
  external: { relational: external },
  'rds-postgres': { relational: RelationalStore.rdsPostgres() },
  'aurora-serverless-v2': { relational: RelationalStore.auroraServerlessV2() },
  pgvector: { relational: external, vectors: VectorStore.pgvector() },
  'pgvector-halfvec': { relational: external, vectors: VectorStore.pgvector({ dimensions: 3072 }) },
  'pgvector-own': { vectors: VectorStore.pgvector({ database: own }) },
  's3-vectors': { vectors: VectorStore.s3Vectors() },
  qdrant: { vectors: VectorStore.qdrant({ url: 'https://q.example.com:6333', apiKeySecretArn: SECRET }) },
  'valkey-serverless': { cache: CacheStore.valkeyServerless() },
  replicas: {
    relational: external,
    vectors: VectorStore.pgvector({ database: own }),
    cache: CacheStore.valkeyServerless(),
    openWebUi: { replicas: 2 },
  },
};

interface Container {
  Name: string;
  EntryPoint?: string[];
  Command?: string[];
  Environment: { Name: string; Value: unknown }[];
  Secrets?: { Name: string }[];
}

const printed = Object.entries(CHOICES).map(([name, props]) => {
  const stack = new Stack(new App(), 'Test');
  new EfsDataLayer(stack, 'Data', props);
  const tasks = Template.fromStack(stack).findResources('AWS::ECS::TaskDefinition');
  const container = Object.values(tasks)
    .flatMap(({ Properties }) => Properties.ContainerDefinitions as Container[])
    .find(({ Name }) => Name === 'open-webui')!;
  // What is known at deployment only becomes a word that may stand in an address.
  const text = (value: unknown): string =>
    typeof value === 'string'
      ? value
      : ((value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join']?.[1].map(text).join('') ?? 'deployed');
  return [
    name,
    {
      environment: Object.fromEntries(container.Environment.map(({ Name, Value }) => [Name, text(Value)])),
      entry: container.EntryPoint ?? [],
      command: container.Command ?? [],
      secrets: (container.Secrets ?? []).map(({ Name }) => Name),
    },
  ];
});
console.log(JSON.stringify(Object.fromEntries(printed)));
