import { asRecords, show } from '../json';
import { Rule } from '../rule';

export const ARCHIVE_WITHOUT_ELASTIC_THROUGHPUT: Rule = {
  name: 'ArchiveWithoutElasticThroughput',
  finding: 'A file system moves files to the Archive class without elastic throughput.',
  why: 'The Archive class exists only for file systems with elastic throughput: the lifecycle policy is refused when the stack is deployed.',
  source: 'Amazon EFS API, PutLifecycleConfiguration',
  wayOut: 'Set ThroughputMode to elastic, or leave TransitionToArchive out.',
  check: ({ app }) =>
    app
      .ofType('AWS::EFS::FileSystem')
      .filter(
        ({ properties }) =>
          properties.ThroughputMode !== 'elastic' &&
          asRecords(properties.LifecyclePolicies).some(({ TransitionToArchive }) => TransitionToArchive !== undefined),
      )
      .map((resource) => ({
        resource,
        problem: `LifecyclePolicies has TransitionToArchive, but ThroughputMode is ${show(resource.properties.ThroughputMode ?? 'bursting')}.`,
        location: 'Properties.LifecyclePolicies',
      })),
};
