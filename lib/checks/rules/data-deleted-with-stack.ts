import { show } from '../json';
import { Finding, Rule } from '../rule';
import { Resource } from '../template';

/**
 * What holds data, and what CloudFormation does with it when nothing is said. Buckets are left out: most of them hold
 * logs and artifacts.
 */
const DATA_BEARING: { [type: string]: { snapshot: boolean; defaultDeletion: string } } = {
  'AWS::EFS::FileSystem': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::RDS::DBCluster': { snapshot: true, defaultDeletion: 'Snapshot' },
  'AWS::RDS::DBInstance': { snapshot: true, defaultDeletion: 'Snapshot' },
  'AWS::DynamoDB::Table': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::DynamoDB::GlobalTable': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::S3Tables::TableBucket': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::S3Tables::Table': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::S3Vectors::VectorBucket': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::S3Vectors::Index': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::OpenSearchServerless::Collection': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::OpenSearchService::Domain': { snapshot: false, defaultDeletion: 'Delete' },
  'AWS::DSQL::Cluster': { snapshot: false, defaultDeletion: 'Delete' },
};

export const DATA_DELETED_WITH_STACK: Rule = {
  name: 'DataDeletedWithStack',
  finding: 'A resource that holds data is deleted with its stack, or when an update replaces it.',
  why: 'A changed logical id, a property that cannot be updated, or a destroy of the wrong stack then takes the data with it.',
  source: 'AWS CloudFormation User Guide, DeletionPolicy and UpdateReplacePolicy attributes',
  wayOut: 'Call applyRemovalPolicy(RemovalPolicy.RETAIN), which sets both attributes (Snapshot where the type has it).',
  check: ({ app }) =>
    app
      .ofType(...Object.keys(DATA_BEARING))
      .filter(holdsData)
      .flatMap(deletable),
};

/** An instance of an Aurora cluster keeps its data in the cluster; a replica has it from its source. */
function holdsData({ type, properties }: Resource): boolean {
  return (
    type !== 'AWS::RDS::DBInstance' ||
    (properties.DBClusterIdentifier === undefined && properties.SourceDBInstanceIdentifier === undefined)
  );
}

function deletable(resource: Resource): Finding[] {
  const { snapshot, defaultDeletion } = DATA_BEARING[resource.type];
  const keeps = (policy: unknown) => policy === 'Retain' || (snapshot && policy === 'Snapshot');
  const deletion = resource.deletionPolicy ?? defaultDeletion;
  const replacement = resource.updateReplacePolicy ?? 'Delete';
  return [
    ...(keeps(deletion) || deletion === 'RetainExceptOnCreate'
      ? []
      : [{ resource, problem: `DeletionPolicy is ${show(resource.deletionPolicy)}.`, location: 'DeletionPolicy' }]),
    ...(keeps(replacement)
      ? []
      : [
          {
            resource,
            problem: `UpdateReplacePolicy is ${show(resource.updateReplacePolicy)}.`,
            location: 'UpdateReplacePolicy',
          },
        ]),
  ];
}
