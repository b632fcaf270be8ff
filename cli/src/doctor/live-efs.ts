import {
  AccessPointDescription,
  DescribeAccessPointsCommand,
  DescribeBackupPolicyCommand,
  DescribeFileSystemPolicyCommand,
  DescribeFileSystemsCommand,
  DescribeLifecycleConfigurationCommand,
  DescribeMountTargetsCommand,
  DescribeMountTargetSecurityGroupsCommand,
  EFSClient,
  FileSystemDescription,
  LifecyclePolicy,
  MountTargetDescription,
} from '@aws-sdk/client-efs';
import { usageError } from '../errors';
import { Calls, NoAnswer } from './calls';
import { Memory, StackFacts } from './facts';
import { pages } from '../aws/pages';

/** The file system as EFS has it. */
export class LiveEfs {
  constructor(
    private readonly client: EFSClient,
    private readonly calls: Calls,
    private readonly stack: StackFacts,
    private readonly memory: Memory,
  ) {}

  /** That of the stack, or the one it adopted: an output names it. */
  public get id(): string {
    const [own] = this.stack.ids('AWS::EFS::FileSystem');
    const output = this.stack.stack.Outputs?.find((one) => /FileSystemId[0-9A-F]{0,8}$/.test(one.OutputKey ?? ''));
    const id = own ?? output?.OutputValue;
    if (!id) {
      throw usageError(
        this.stack.stack.StackName!,
        'This stack holds no data layer: it has no file system and no output FileSystemId.',
        'Pass the name of the stack that holds it, for example EfsDataLayer.',
      );
    }
    return id;
  }

  public get arn(): string {
    const { partition, region, account } = this.stack;
    return `arn:${partition}:elasticfilesystem:${region}:${account}:file-system/${this.id}`;
  }

  public fileSystem(): Promise<FileSystemDescription> {
    return this.memory.once('file system', async () => {
      const answer = await this.calls.find(
        'elasticfilesystem:DescribeFileSystems',
        /^FileSystemNotFound$/,
        this.stack.madeAt(this.id),
        () => this.client.send(new DescribeFileSystemsCommand({ FileSystemId: this.id })),
      );
      const found = answer?.FileSystems?.[0];
      if (!found) {
        throw new NoAnswer(`the file system ${this.id} does not exist any more`);
      }
      return found;
    });
  }

  /** Every file system of the account in this region. */
  public allFileSystems(): Promise<FileSystemDescription[]> {
    return this.memory.once('all file systems', () =>
      pages(async (Marker) => {
        const answer = await this.calls.ask('elasticfilesystem:DescribeFileSystems', () =>
          this.client.send(new DescribeFileSystemsCommand({ Marker, MaxItems: 100 })),
        );
        return { items: answer.FileSystems, token: answer.NextMarker };
      }),
    );
  }

  /** Undefined when it has none: EFS then lets everybody in who reaches a mount target, as root. */
  public policy(): Promise<string | undefined> {
    return this.memory.once('policy', async () => {
      const answer = await this.calls.find(
        'elasticfilesystem:DescribeFileSystemPolicy',
        /^PolicyNotFound$/,
        undefined,
        () => this.client.send(new DescribeFileSystemPolicyCommand({ FileSystemId: this.id })),
      );
      return answer?.Policy;
    });
  }

  public lifecycle(): Promise<LifecyclePolicy[]> {
    return this.memory.once('lifecycle', async () => {
      const answer = await this.calls.ask('elasticfilesystem:DescribeLifecycleConfiguration', () =>
        this.client.send(new DescribeLifecycleConfigurationCommand({ FileSystemId: this.id })),
      );
      return answer.LifecyclePolicies ?? [];
    });
  }

  /** The automatic backup of EFS itself. */
  public automaticBackup(): Promise<boolean> {
    return this.memory.once('backup policy', async () => {
      const answer = await this.calls.find(
        'elasticfilesystem:DescribeBackupPolicy',
        /^PolicyNotFound$/,
        undefined,
        () => this.client.send(new DescribeBackupPolicyCommand({ FileSystemId: this.id })),
      );
      return /^ENABL/.test(answer?.BackupPolicy?.Status ?? '');
    });
  }

  public mountTargets(): Promise<MountTargetDescription[]> {
    return this.memory.once('mount targets', () =>
      pages(async (Marker) => {
        const answer = await this.calls.ask('elasticfilesystem:DescribeMountTargets', () =>
          this.client.send(new DescribeMountTargetsCommand({ FileSystemId: this.id, Marker, MaxItems: 100 })),
        );
        return { items: answer.MountTargets, token: answer.NextMarker };
      }),
    );
  }

  public securityGroups(MountTargetId: string): Promise<string[]> {
    return this.memory.once(`groups ${MountTargetId}`, async () => {
      const answer = await this.calls.ask('elasticfilesystem:DescribeMountTargetSecurityGroups', () =>
        this.client.send(new DescribeMountTargetSecurityGroupsCommand({ MountTargetId })),
      );
      return answer.SecurityGroups ?? [];
    });
  }

  public accessPoints(): Promise<AccessPointDescription[]> {
    return this.memory.once('access points', () =>
      pages(async (NextToken) => {
        const answer = await this.calls.ask('elasticfilesystem:DescribeAccessPoints', () =>
          this.client.send(new DescribeAccessPointsCommand({ FileSystemId: this.id, NextToken, MaxResults: 100 })),
        );
        return { items: answer.AccessPoints, token: answer.NextToken };
      }),
    );
  }
}
