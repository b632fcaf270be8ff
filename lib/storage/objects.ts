import { Stack, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { IConstruct } from 'constructs';

/**
 * Gives cdk-nag the reason for a policy whose resource ends with a wildcard. The finding is named after the ARN as it
 * stands in the template, which depends on what the stack makes and on whether its region is known.
 */
export function acknowledgeWildcard(scope: IConstruct, arn: string, reason: string): void {
  const written = inTemplate(Stack.of(scope).resolve(arn));
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${written}]`, reason });
}

/** The same for objects of a bucket. */
export function acknowledgeObjects(scope: IConstruct, bucket: s3.IBucket, keys: string, reason: string): void {
  acknowledgeWildcard(scope, bucket.arnForObjects(keys), reason);
}

/** A reference as cdk-nag writes it: between angle brackets. */
function inTemplate(value: unknown): string {
  const [[name, argument]] = typeof value === 'object' && value !== null ? Object.entries(value) : [['', value]];
  switch (name) {
    case 'Ref':
      return `<${argument}>`;
    case 'Fn::GetAtt':
      return `<${(argument as string[]).join('.')}>`;
    case 'Fn::Join':
      return (argument as [string, unknown[]])[1].map(inTemplate).join(argument[0]);
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}
