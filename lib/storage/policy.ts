import * as iam from 'aws-cdk-lib/aws-iam';

/**
 * The file-system policy. Once a file system has a policy, EFS stops granting access to every client that reaches a
 * mount target: with nothing allowed here, only identity policies grant, each to one access point.
 * Root access is refused by being granted to nobody: an explicit Deny could not be lifted for a restore.
 * (docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html, read 2026-11.)
 */
export function fileSystemPolicy(): iam.PolicyDocument {
  return new iam.PolicyDocument({
    minimize: false,
    statements: [
      new iam.PolicyStatement({
        sid: 'DenyWithoutTls',
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['*'],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    ],
  });
}

/** The identity policy statement of a workload's role: its own access point and nothing else. */
export function accessPointStatement(
  fileSystemArn: string,
  accessPointArn: string,
  readOnly: boolean,
): iam.PolicyStatement {
  return new iam.PolicyStatement({
    actions: ['elasticfilesystem:ClientMount', ...(readOnly ? [] : ['elasticfilesystem:ClientWrite'])],
    resources: [fileSystemArn],
    conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': accessPointArn } },
  });
}
