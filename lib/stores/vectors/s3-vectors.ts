import { Names, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3vectors from 'aws-cdk-lib/aws-s3vectors';
import { Construct } from 'constructs';
import { stackPart } from '../../stack-part';
import { VectorChoice } from './vector-choice';

/** What Open WebUI's client calls (open_webui/retrieval/vector/dbs/s3vector.py, 0.12.4). */
const INDEX_ACTIONS = [
  's3vectors:CreateIndex',
  's3vectors:GetIndex',
  's3vectors:DeleteIndex',
  's3vectors:PutVectors',
  's3vectors:GetVectors',
  's3vectors:ListVectors',
  's3vectors:QueryVectors',
  's3vectors:DeleteVectors',
];

export function s3Vectors(): VectorChoice {
  return {
    name: 's3-vectors',
    onVolume: false,
    create: (scope, context) => {
      const own = new Construct(scope, 'S3Vectors');
      const stack = Stack.of(own);
      // Named here, because the application asks by name and CloudFormation gives back only an ARN. A part of the
      // stack's id keeps a second deployment from the bucket that a first one left behind.
      const name = `efs-data-layer-${Names.nodeUniqueId(own.node).slice(-8).toLowerCase()}-${stackPart(own)}`;
      const bucket = new s3vectors.CfnVectorBucket(own, 'Bucket', {
        vectorBucketName: name,
        encryptionConfiguration: { sseType: 'AES256' },
      });
      bucket.applyRemovalPolicy(context.removalPolicy);
      return {
        environment: { VECTOR_DB: 's3vector', S3_VECTOR_BUCKET_NAME: name, S3_VECTOR_REGION: stack.region },
        secrets: {},
        grant: (role) => grant(own, role, bucket.attrVectorBucketArn),
      };
    },
  };
}

function grant(scope: Construct, role: iam.IRole, bucketArn: string): void {
  const policy = new iam.Policy(scope, 'Access', {
    roles: [role],
    statements: [
      new iam.PolicyStatement({ actions: ['s3vectors:ListIndexes'], resources: [bucketArn] }),
      new iam.PolicyStatement({ actions: INDEX_ACTIONS, resources: [`${bucketArn}/index/*`] }),
    ],
  });
  Validations.of(policy).acknowledge({
    id: `AwsSolutions-IAM5[Resource::<${Stack.of(scope).getLogicalId(scope.node.findChild('Bucket') as s3vectors.CfnVectorBucket)}.VectorBucketArn>/index/*]`,
    reason:
      'Open WebUI makes one index for each collection, under names it chooses; the bucket holds nothing but its vectors.',
  });
}
