import * as ec2 from 'aws-cdk-lib/aws-ec2';

/**
 * A file system that exists already and is to carry the data layer.
 *
 * CloudFormation cannot attach a file-system policy to a file system it does not own, so the isolation between access
 * points is only as good as the policy that is attached by hand: see `policyAttached`.
 */
export interface ExistingFileSystem {
  /**
   * The id, for example fs-0123456789abcdef0.
   */
  readonly fileSystemId: string;

  /**
   * The VPC in which its mount targets are, or are to be made. A file system has mount targets in one VPC only.
   */
  readonly vpc: ec2.IVpc;

  /**
   * The security group of its mount targets. Rules that let the workloads in are added to it.
   *
   * @default - required, unless createMountTargets is true; then a new group is made
   */
  readonly securityGroup?: ec2.ISecurityGroup;

  /**
   * Make mount targets. After a stack was destroyed its file system stays, but the mount targets go with the VPC.
   *
   * @default false
   */
  readonly createMountTargets?: boolean;

  /**
   * State that the policy this construct prints is attached to the file system. Without it every client that reaches
   * a mount target may read and write everything, whatever the access points say; a warning says so at every synth.
   *
   * @default false
   */
  readonly policyAttached?: boolean;
}
