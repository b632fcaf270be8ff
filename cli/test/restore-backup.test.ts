import {
  DescribeRestoreJobCommand,
  ListRecoveryPointsByResourceCommand,
  StartRestoreJobCommand,
} from '@aws-sdk/client-backup';
import { RunTaskCommand } from '@aws-sdk/client-ecs';
import {
  CreateAccessPointCommand,
  DeleteAccessPointCommand,
  DescribeAccessPointsCommand,
  DescribeFileSystemsCommand,
} from '@aws-sdk/client-efs';
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { ACCESS_POINT, FakeAccount, Scene } from './fake-account';

const ROOT_POINT = {
  AccessPointId: 'fsap-0000000000000009f',
  AccessPointArn: ACCESS_POINT.AccessPointArn.replace('1a', '9f'),
};
const FS_ARN = 'arn:aws:elasticfilesystem:ap-southeast-2:123456789012:file-system/fs-00000000000000001';
const TREE = 'aws-backup-restore_2026-11-25T03-10-00-417Z';
const POINTS = [1, 3, 2].map((day) => ({
  RecoveryPointArn: `arn:aws:backup:ap-southeast-2:123456789012:recovery-point:${day}`,
  CreationDate: new Date(`2026-11-0${day}T16:00:00Z`),
  Status: 'COMPLETED' as const,
}));
const LISTED = {
  lines: [
    JSON.stringify({ restored: 'aws-backup-restore_2026-10-01T00-00-00-000Z', directories: ['open-webui'] }),
    JSON.stringify({ restored: TREE, directories: ['open-webui'] }),
  ],
};
const BROUGHT = {
  lines: [
    '{"keeper": "leased", "previous": "released"}',
    '{"keeper": "snapshot", "id": "webui.db/2026-11-25T04-00-00Z", "reason": "aws-backup"}',
    '{"keeper": "snapshot", "id": "vector_db/2026-11-25T04-00-01Z", "reason": "aws-backup"}',
  ],
};
const CLEAN_UP = ['delete role policy', 'delete role', 'delete access point'];

/** An account with the parts a restore needs as well. */
class RestoreAccount extends FakeAccount {
  public job: { Status: 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED'; StatusMessage?: string }[] = [
    { Status: 'PENDING' },
    { Status: 'RUNNING' },
    { Status: 'COMPLETED' },
  ];

  constructor(scene: Scene) {
    super(scene);
    const { efs, iam, backup } = this;
    const noting = (what: string, answer: object) => () => {
      this.did(what);
      return answer;
    };
    efs.on(CreateAccessPointCommand).callsFake(noting('access point', ROOT_POINT));
    efs.on(DeleteAccessPointCommand).callsFake(noting('delete access point', {}));
    const states = ['creating', 'available'];
    efs.on(DescribeAccessPointsCommand, { AccessPointId: ROOT_POINT.AccessPointId }).callsFake(() => ({
      AccessPoints: [{ ...ROOT_POINT, LifeCycleState: states.length > 1 ? states.shift() : states[0] }],
    }));
    efs.on(DescribeFileSystemsCommand).resolves({
      FileSystems: [
        {
          FileSystemId: ACCESS_POINT.FileSystemId,
          FileSystemArn: FS_ARN,
          Encrypted: true,
          PerformanceMode: 'generalPurpose',
        },
      ] as never,
    });
    iam.on(CreateRoleCommand).callsFake(({ RoleName }) => {
      this.did('role');
      return { Role: { Arn: `arn:aws:iam::123456789012:role/${RoleName}` } };
    });
    iam.on(PutRolePolicyCommand).callsFake(noting('role policy', {}));
    iam.on(DeleteRolePolicyCommand).callsFake(noting('delete role policy', {}));
    iam.on(DeleteRoleCommand).callsFake(noting('delete role', {}));
    iam.on(AttachRolePolicyCommand).callsFake(noting('attach', {}));
    iam.on(DetachRolePolicyCommand).callsFake(noting('detach', {}));
    backup.on(ListRecoveryPointsByResourceCommand).resolves({ RecoveryPoints: POINTS });
    backup.on(StartRestoreJobCommand).callsFake(noting('restore job', { RestoreJobId: 'job-1' }));
    backup.on(DescribeRestoreJobCommand).callsFake(() => ({
      CreationDate: new Date('2026-11-25T03:00:00Z'),
      PercentDone: '50%',
      ...(this.job.length > 1 ? this.job.shift() : this.job[0]),
    }));
  }

  public restoreBackup(...args: string[]): Promise<number> {
    return this.run('restore-backup', '--stack', 'EfsDataLayer', '--workload', 'open-webui', ...args);
  }
}

let account: RestoreAccount;

afterEach(() => account?.restore());

describe('from a restored directory', () => {
  test('access is made, the application stopped, the tree brought back, and all of it taken back', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    expect(await account.restoreBackup('--restored-directory', TREE)).toBe(0);
    expect(account.calls).toEqual([
      ...['access point', 'role', 'role policy', 'count 0', 'register', 'run'],
      ...['deregister', 'count 1', ...CLEAN_UP],
    ]);
    expect(account.said).toContain(
      'efs-data-layer snapshots restore webui.db/2026-11-25T04-00-00Z vector_db/2026-11-25T04-00-01Z --stack EfsDataLayer --workload open-webui',
    );
  });

  test('the root is mounted read-only, with the workload’s user; only its own directory may be written', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    await account.restoreBackup('--restored-directory', TREE);
    const [point] = account.efs.commandCalls(CreateAccessPointCommand);
    expect(point.args[0].input).toMatchObject({
      FileSystemId: ACCESS_POINT.FileSystemId,
      PosixUser: { Uid: 1000, Gid: 1000 },
      RootDirectory: { Path: '/' },
    });
    const [policy] = account.iam.commandCalls(PutRolePolicyCommand);
    expect(JSON.parse(policy.args[0].input.PolicyDocument!).Statement).toEqual([
      {
        Sid: 'TheRoot',
        Effect: 'Allow',
        Action: ['elasticfilesystem:ClientMount'],
        Resource: FS_ARN,
        Condition: { StringEquals: { 'elasticfilesystem:AccessPointArn': ROOT_POINT.AccessPointArn } },
      },
      {
        Sid: 'TheWorkload',
        Effect: 'Allow',
        Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
        Resource: FS_ARN,
        Condition: { StringEquals: { 'elasticfilesystem:AccessPointArn': ACCESS_POINT.AccessPointArn } },
      },
    ]);
    const [definition] = account.definitions;
    expect(definition.taskRoleArn).toMatch(/:role\/efs-data-layer-bring-back-[0-9a-f]{8}$/);
    expect(definition.volumes![1].efsVolumeConfiguration).toEqual({
      fileSystemId: ACCESS_POINT.FileSystemId,
      transitEncryption: 'ENABLED',
      authorizationConfig: { accessPointId: ROOT_POINT.AccessPointId, iam: 'ENABLED' },
    });
    const [container] = definition.containerDefinitions!;
    expect(container.mountPoints![1]).toMatchObject({ containerPath: '/mnt/file-system-root', readOnly: true });
    expect(container.command).toEqual(['bring-back', `/mnt/file-system-root/${TREE}/open-webui`]);
  });

  test('only ECS, in this account, may assume the temporary role', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    await account.restoreBackup('--restored-directory', TREE);
    const [role] = account.iam.commandCalls(CreateRoleCommand);
    expect(JSON.parse(role.args[0].input.AssumeRolePolicyDocument!).Statement).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 'ecs-tasks.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
      },
    ]);
  });

  test('--as-root reads as user 0 with ClientRootAccess, and still writes as the workload’s user', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    expect(await account.restoreBackup('--restored-directory', TREE, '--as-root')).toBe(0);
    const [point] = account.efs.commandCalls(CreateAccessPointCommand);
    expect(point.args[0].input.PosixUser).toEqual({ Uid: 0, Gid: 0 });
    const [policy] = account.iam.commandCalls(PutRolePolicyCommand);
    const [read, write] = JSON.parse(policy.args[0].input.PolicyDocument!).Statement;
    expect(read.Action).toEqual(['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientRootAccess']);
    expect(write.Action).not.toContain('elasticfilesystem:ClientRootAccess');
    const [own] = account.definitions[0].volumes!;
    expect(own.efsVolumeConfiguration!.authorizationConfig!.accessPointId).toBe(ACCESS_POINT.AccessPointId);
  });

  test('--stores brings back what the keeper does not copy by itself, and restores it under the keeper of all', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT, {}] });
    await account.restoreBackup('--restored-directory', TREE, '--restore', '--stores', 'uploads/');
    const stores = account.definitions.map(
      ({ containerDefinitions: [container] = [] }) =>
        container.environment!.find((variable) => variable.name === 'KEEPER_STORES')!.value,
    );
    expect(stores).toEqual(['uploads/', 'webui.db,vector_db/,uploads/']);
  });

  test('--restore puts the snapshots in place while the application is stopped once', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT, {}] });
    expect(await account.restoreBackup('--restored-directory', TREE, '--restore')).toBe(0);
    expect(account.calls).toEqual([
      ...['access point', 'role', 'role policy', 'count 0', 'register', 'run', 'register', 'run'],
      ...['deregister', 'deregister', 'count 1', ...CLEAN_UP],
    ]);
    const [, second] = account.definitions;
    expect(second.containerDefinitions![0].command).toEqual(
      'snapshots restore webui.db/2026-11-25T04-00-00Z ; snapshots restore vector_db/2026-11-25T04-00-01Z'.split(' '),
    );
    // What only reads snapshots needs no way to the root.
    expect(second.volumes).toHaveLength(1);
    expect(second.taskRoleArn).not.toContain('bring-back');
  });

  test('a tree that fails its check is not put in place, and everything is taken back', async () => {
    account = new RestoreAccount({ tasks: [{ exitCode: 65 }] });
    expect(await account.restoreBackup('--restored-directory', TREE, '--restore')).toBe(65);
    expect(account.calls.filter((call) => call === 'run')).toHaveLength(1);
    expect(account.calls.slice(-5)).toEqual(['deregister', 'count 1', ...CLEAN_UP]);
    expect(account.said).toContain('--as-root');
  });

  test('RunTask is tried again while the new role is not known everywhere', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    const refusal = new Error('ECS was unable to assume the role that was provided for this task');
    account.ecs.on(RunTaskCommand).rejectsOnce(refusal).rejectsOnce(refusal).rejects(new Error('something else'));
    expect(await account.restoreBackup('--restored-directory', TREE)).toBe(1);
    expect(account.ecs.commandCalls(RunTaskCommand)).toHaveLength(3);
    expect(account.said).toContain('something else');
    expect(account.calls.slice(-5)).toEqual(['deregister', 'count 1', ...CLEAN_UP]);
  });
});

describe('failures while access is made', () => {
  test('no role: the access point goes, the application was never stopped', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    account.iam
      .on(CreateRoleCommand)
      .rejects(Object.assign(new Error('not authorized to perform iam:CreateRole'), { name: 'AccessDenied' }));
    expect(await account.restoreBackup('--restored-directory', TREE)).toBe(1);
    expect(account.said).toContain('iam:CreateRole');
    expect(account.calls).toEqual(['access point', ...CLEAN_UP]);
  });

  test('an access point that never becomes available is deleted', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    account.efs
      .on(DescribeAccessPointsCommand, { AccessPointId: ROOT_POINT.AccessPointId })
      .resolves({ AccessPoints: [{ LifeCycleState: 'creating' }] });
    expect(await account.restoreBackup('--restored-directory', TREE)).toBe(1);
    expect(account.calls).toEqual(['access point', 'delete access point']);
  });

  test('clean-up that fails names the commands, and does the rest', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    account.efs.on(DeleteAccessPointCommand).rejects(new Error('throttled'));
    account.iam
      .on(DeleteRolePolicyCommand)
      .rejects(Object.assign(new Error('gone'), { name: 'NoSuchEntityException' }));
    expect(await account.restoreBackup('--restored-directory', TREE)).toBe(1);
    expect(account.said).toContain(`aws efs delete-access-point --access-point-id ${ROOT_POINT.AccessPointId}`);
    expect(account.calls).toContain('delete role');
    expect(account.said).not.toContain('iam delete-role');
  });

  test('Ctrl-C while the tree is brought back stops the task and takes everything back', async () => {
    account = new RestoreAccount({ tasks: [BROUGHT] });
    account.onSleep = () => account.calls.includes('run') && process.emit('SIGINT');
    expect(await account.restoreBackup('--restored-directory', TREE)).toBe(130);
    expect(account.calls.slice(-6)).toEqual(['stop task', 'deregister', 'count 1', ...CLEAN_UP]);
  });
});

describe('from a recovery point', () => {
  test('the job is started and awaited while the application runs; its tree is found and brought back', async () => {
    account = new RestoreAccount({ tasks: [LISTED, BROUGHT] });
    expect(await account.restoreBackup('--recovery-point', POINTS[0].RecoveryPointArn)).toBe(0);
    expect(account.calls).toEqual([
      ...['role', 'attach', 'restore job', 'access point', 'role', 'role policy', 'register', 'run'],
      ...['count 0', 'register', 'run', 'deregister', 'count 1', 'deregister', ...CLEAN_UP, 'detach', 'delete role'],
    ]);
    const [job] = account.backup.commandCalls(StartRestoreJobCommand);
    expect(job.args[0].input).toMatchObject({
      RecoveryPointArn: POINTS[0].RecoveryPointArn,
      IamRoleArn: expect.stringMatching(/:role\/efs-data-layer-restore-[0-9a-f]{8}$/),
      Metadata: {
        'file-system-id': ACCESS_POINT.FileSystemId,
        newFileSystem: 'false',
        Encrypted: 'true',
        PerformanceMode: 'generalPurpose',
        itemsToRestore: '["/open-webui"]',
      },
    });
    const [, bringBack] = account.definitions;
    expect(bringBack.containerDefinitions![0].command![1]).toBe(`/mnt/file-system-root/${TREE}/open-webui`);
  });

  test('"latest" is the newest, and a role of one’s own is used and left alone', async () => {
    account = new RestoreAccount({ tasks: [LISTED, BROUGHT] });
    const role = 'arn:aws:iam::123456789012:role/restorer';
    expect(await account.restoreBackup('--recovery-point', 'latest', '--restore-role', role)).toBe(0);
    const [job] = account.backup.commandCalls(StartRestoreJobCommand);
    expect(job.args[0].input).toMatchObject({ RecoveryPointArn: POINTS[1].RecoveryPointArn, IamRoleArn: role });
    expect(account.calls).not.toContain('attach');
  });

  test('another file system’s recovery point is refused, with the newest of this one', async () => {
    account = new RestoreAccount({ tasks: [] });
    expect(await account.restoreBackup('--recovery-point', 'arn:aws:backup:x:1:recovery-point:9')).toBe(64);
    expect(account.said).toMatch(/2026-11-03.*\n.*2026-11-02.*\n.*2026-11-01/);
    expect(account.calls).toEqual([]);
  });

  test('a job that fails: its reason, and its role goes', async () => {
    account = new RestoreAccount({ tasks: [] });
    account.job = [{ Status: 'RUNNING' }, { Status: 'FAILED', StatusMessage: 'Insufficient privileges' }];
    expect(await account.restoreBackup('--recovery-point', 'latest')).toBe(1);
    expect(account.said).toContain('It ended as FAILED: Insufficient privileges.');
    expect(account.calls).toEqual(['role', 'attach', 'restore job', 'detach', 'delete role']);
  });

  test('Ctrl-C during the job leaves the role it needs, and says so', async () => {
    account = new RestoreAccount({ tasks: [] });
    account.job = [{ Status: 'RUNNING' }];
    account.onSleep = () => account.calls.includes('restore job') && process.emit('SIGINT');
    expect(await account.restoreBackup('--recovery-point', 'latest')).toBe(130);
    expect(account.calls).toEqual(['role', 'attach', 'restore job']);
    expect(account.said).toMatch(/restore job job-1 still needs it/);
    expect(account.said).toMatch(
      /aws iam detach-role-policy .*; aws iam delete-role --role-name efs-data-layer-restore-/,
    );
  });

  test('a tree the workload’s user may not read: nothing is stopped, --as-root is named', async () => {
    const lines = [JSON.stringify({ restored: TREE, directories: [], error: 'Permission denied' })];
    account = new RestoreAccount({ tasks: [{ lines }] });
    expect(await account.restoreBackup('--recovery-point', 'latest')).toBe(1);
    expect(account.said).toContain(`--restored-directory ${TREE} --as-root`);
    expect(account.calls).not.toContain('count 0');
  });

  test('no new tree, or two: never a guess', async () => {
    for (const names of [[], [TREE, TREE.replace('10-00', '20-00')]]) {
      const lines = names.map((restored) => JSON.stringify({ restored, directories: ['open-webui'] }));
      account = new RestoreAccount({ tasks: [{ lines: [...lines, LISTED.lines[0], 'noise'] }] });
      expect(await account.restoreBackup('--recovery-point', 'latest')).toBe(64);
      expect(account.said).toContain(`${names.length} restored trees of since 2026-11-25T03:00:00.000Z`);
      expect(account.said).toContain('aws-backup-restore_2026-10-01T00-00-00-000Z (open-webui)');
      expect(account.calls).not.toContain('count 0');
      account.restore();
    }
  });
});

describe('input', () => {
  test('--list shows the trees and does nothing else', async () => {
    account = new RestoreAccount({ tasks: [LISTED] });
    expect(await account.restoreBackup('--list')).toBe(0);
    expect(account.out).toEqual(LISTED.lines);
    expect(account.calls).not.toContain('count 0');
    expect(account.calls.slice(-4)).toEqual(['deregister', ...CLEAN_UP]);
  });

  test('--discard is the one that may write at the root, and nothing is stopped for it', async () => {
    account = new RestoreAccount({ tasks: [{}] });
    expect(await account.restoreBackup('--discard', TREE)).toBe(0);
    const [policy] = account.iam.commandCalls(PutRolePolicyCommand);
    expect(JSON.parse(policy.args[0].input.PolicyDocument!).Statement[0].Action).toEqual([
      'elasticfilesystem:ClientMount',
      'elasticfilesystem:ClientWrite',
      'elasticfilesystem:ClientRootAccess',
    ]);
    const [container] = account.definitions[0].containerDefinitions!;
    expect(container.mountPoints![1].readOnly).toBe(false);
    expect(container.command).toEqual(['/mnt/file-system-root', TREE]);
    expect(account.calls).toEqual([
      'access point',
      'role',
      'role policy',
      'register',
      'run',
      'deregister',
      ...CLEAN_UP,
    ]);
  });

  test.each([
    [['--discard', 'open-webui'], /--discard open-webui\] It is no name AWS Backup gives/],
    [[], /0 of --recovery-point, --restored-directory, --list and --discard/],
    [['--list', '--recovery-point', 'latest'], /2 of --recovery-point/],
    [['--restored-directory', '../../knowledge'], /It is no name AWS Backup gives/],
    [['--list', '--restore-role', 'arn'], /for --recovery-point only/],
  ])('%j is refused', async (args, message) => {
    account = new RestoreAccount({ tasks: [] });
    expect(await account.restoreBackup(...args)).toBe(64);
    expect(account.said).toMatch(message);
    expect(account.cloudFormation.calls()).toHaveLength(0);
  });
});
