import { Stack, Token, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { IConstruct } from 'constructs';

/**
 * Gives cdk-nag the reason for a policy on objects of a bucket. The finding is named after the bucket: by its name, or
 * by its logical id when the stack makes it. A name that is a parameter has no finding that could be named.
 */
export function acknowledgeObjects(scope: IConstruct, bucket: s3.IBucket, keys: string, reason: string): void {
  const { defaultChild } = bucket.node;
  const arn =
    defaultChild instanceof s3.CfnBucket
      ? `<${Stack.of(defaultChild).getLogicalId(defaultChild)}.Arn>`
      : `arn:<AWS::Partition>:s3:::${bucket.bucketName}`;
  if (!Token.isUnresolved(arn)) {
    Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${arn}/${keys}]`, reason });
  }
}
