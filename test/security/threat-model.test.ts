import * as fs from 'fs';
import * as path from 'path';
import { Statement } from '../../cli/src/doctor/iam/evaluate';
import { IAM_DOC, withRoles } from '../../scripts/iam-doc';
import { holdsData } from '../upgrade-safety/update';
import { ADMINISTRATOR, ANONYMOUS, deployedStacks, DeployedStack, Who } from './account';

const MOUNT = 'elasticfilesystem:ClientMount';
const WRITE = 'elasticfilesystem:ClientWrite';
const ROOT = 'elasticfilesystem:ClientRootAccess';

const STACKS = deployedStacks();
const claimed: string[] = [];

/** A claim of docs/threat-model.md, held against every stack. */
function claim(id: string, check: (stack: DeployedStack) => void): void {
  claimed.push(id);
  test.each(STACKS.map((stack) => [stack.name, stack] as const))(`${id} %s`, (_name, stack) => check(stack));
}

const texts = (value: unknown): string[] => [value ?? []].flat().map(String);

interface EfsVolume {
  readonly AuthorizationConfig: { readonly AccessPointId: string };
}

/** Task definitions: the role of the application, that of ECS, and the access point. */
function tasks(stack: DeployedStack) {
  return stack.ofType('AWS::ECS::TaskDefinition').map(({ id, properties }) => {
    const role = (name: string) => stack.roles.find((one) => String(properties[name]).endsWith(`:${one.id}`))!;
    const volumes = properties.Volumes as { EFSVolumeConfiguration?: EfsVolume }[];
    const efs = volumes.flatMap(({ EFSVolumeConfiguration }) =>
      EFSVolumeConfiguration ? [EFSVolumeConfiguration] : [],
    );
    return {
      id,
      taskRole: role('TaskRoleArn'),
      executionRole: role('ExecutionRoleArn'),
      accessPoint: efs[0].AuthorizationConfig.AccessPointId,
      text: JSON.stringify(properties.ContainerDefinitions),
    };
  });
}

claim('C1', (stack) => {
  const points = stack.ofType('AWS::EFS::AccessPoint').map(({ id }) => id);
  expect(points.length).toBeGreaterThan(2);
  for (const { taskRole, accessPoint } of tasks(stack)) {
    expect(points.filter((point) => stack.mayOnVolume(taskRole, MOUNT, { accessPoint: point }))).toEqual([accessPoint]);
    expect(points.filter((point) => stack.mayOnVolume(taskRole, WRITE, { accessPoint: point }))).toEqual([accessPoint]);
    expect(stack.mayOnVolume(taskRole, MOUNT)).toBe(false);
  }
});

claim('C2', (stack) => {
  const points = stack.ofType('AWS::EFS::AccessPoint').map(({ id }) => id);
  for (const who of [...stack.roles, ADMINISTRATOR, ANONYMOUS] as Who[]) {
    for (const accessPoint of [undefined, ...points]) {
      for (const action of [MOUNT, WRITE, ROOT]) {
        expect(stack.mayOnVolume(who, action, { accessPoint, tls: false })).toBe(false);
      }
    }
  }
  expect(stack.mayOnVolume(ADMINISTRATOR, MOUNT)).toBe(true);
});

claim('C3', (stack) => {
  for (const { id } of stack.ofType('AWS::EFS::AccessPoint')) {
    expect(stack.mayOnVolume(ANONYMOUS, MOUNT, { accessPoint: id })).toBe(false);
  }
  expect(stack.mayOnVolume(ANONYMOUS, MOUNT)).toBe(false);
  // Without any policy EFS lets everybody in: that there is one is what the answer above rests on.
  expect(stack.volume.policy.length).toBeGreaterThan(0);
});

claim('C4', (stack) => {
  for (const { id, properties } of stack.ofType('AWS::EFS::AccessPoint')) {
    const { Uid, Gid } = properties.PosixUser as Record<string, string>;
    expect([Number(Uid), Number(Gid)]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Number(Uid) * Number(Gid)).toBeGreaterThan(0);
    for (const role of stack.roles) {
      expect(stack.mayOnVolume(role, ROOT, { accessPoint: id })).toBe(false);
      expect(stack.mayOnVolume(role, ROOT)).toBe(false);
    }
  }
});

/** What destroys data, or takes away what protects it. */
const DESTRUCTIVE = [
  'elasticfilesystem:DeleteFileSystem',
  'elasticfilesystem:DeleteAccessPoint',
  'elasticfilesystem:DeleteMountTarget',
  'elasticfilesystem:PutFileSystemPolicy',
  'elasticfilesystem:DeleteFileSystemPolicy',
  'elasticfilesystem:PutLifecycleConfiguration',
  'backup:DeleteRecoveryPoint',
  'backup:DeleteBackupVault',
  'backup:DeleteBackupPlan',
  'backup:DeleteBackupSelection',
  'backup:PutBackupVaultAccessPolicy',
  'backup:DeleteBackupVaultAccessPolicy',
  'rds:DeleteDBInstance',
  'rds:DeleteDBCluster',
  'rds:ModifyDBInstance',
  'rds:ModifyDBCluster',
  's3:DeleteObject',
  's3:PutObject',
  's3vectors:DeleteVectorBucket',
  's3tables:DeleteTableBucket',
  'aoss:DeleteCollection',
  'secretsmanager:DeleteSecret',
  'secretsmanager:PutSecretValue',
  'kms:ScheduleKeyDeletion',
  'cloudformation:DeleteStack',
  'cloudformation:UpdateStack',
  'ecs:UpdateService',
  'ecs:RegisterTaskDefinition',
  'iam:PutRolePolicy',
  'iam:AttachRolePolicy',
  'iam:UpdateAssumeRolePolicy',
  'sts:AssumeRole',
];

claim('C5', (stack) => {
  for (const role of stack.roles) {
    // Whatever the resource: those that the role's own statements name.
    // Results of queries are written by who asks, to a bucket of their own that forgets them.
    const resources = role.statements
      .flatMap(({ Resource }) => texts(Resource))
      .filter((one) => !/:DataLayerStoresS3TablesResults\w*\/\*$/.test(one));
    const allowed = DESTRUCTIVE.filter((action) => ['*', ...resources].some((one) => stack.may(role, action, one)));
    expect([role.id, allowed]).toEqual([role.id, []]);
    if (role.managed.length > 0) {
      expect(role.managed).toEqual([expect.stringMatching(/AWSBackupServiceRolePolicyForBackup$/)]);
      expect(role.trust.map(({ Principal }) => Principal)).toEqual([{ Service: 'backup.amazonaws.com' }]);
    }
  }
});

claim('C6', (stack) => {
  expect(stack.mayOnVault(ADMINISTRATOR, 'backup:StartRestoreJob')).toBe(true);
  for (const action of ['backup:DeleteRecoveryPoint', 'backup:UpdateRecoveryPointLifecycle']) {
    expect(stack.mayOnVault(ADMINISTRATOR, action)).toBe(false);
  }
});

claim('C7', (stack) => {
  for (const { id, trust } of stack.roles) {
    for (const { Principal, NotPrincipal } of trust as Statement[]) {
      expect([id, NotPrincipal, Object.keys(Principal as object)]).toEqual([id, undefined, ['Service']]);
    }
  }
  const taskRoles = tasks(stack).flatMap(({ taskRole, executionRole }) => [taskRole, executionRole]);
  expect(new Set(taskRoles.flatMap(({ trust }) => trust.map(({ Principal }) => JSON.stringify(Principal))))).toEqual(
    new Set(['{"Service":"ecs-tasks.amazonaws.com"}']),
  );
  for (const { statements } of stack.roles) {
    for (const statement of statements.filter(({ Action }) => texts(Action).includes('iam:PassRole'))) {
      expect(texts(statement.Resource)).not.toContain('*');
      expect(statement.Condition).toEqual({ StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } });
    }
  }
});

claim('C8', (stack) => {
  const [target] = stack.ofType('AWS::EFS::MountTarget');
  const [group] = target.properties.SecurityGroups as string[];
  const own = stack.ofType('AWS::EC2::SecurityGroup').find(({ id }) => group.endsWith(`:${id}`))!;
  expect(own.properties.SecurityGroupIngress).toBeUndefined();
  const rules = stack.ofType('AWS::EC2::SecurityGroupIngress').filter(({ properties }) => properties.GroupId === group);
  expect(rules.length).toBeGreaterThan(0);
  for (const { properties } of rules) {
    const { CidrIp, CidrIpv6, SourcePrefixListId, SourceSecurityGroupId, FromPort, ToPort } = properties;
    expect([CidrIp, CidrIpv6, SourcePrefixListId]).toEqual([undefined, undefined, undefined]);
    expect([SourceSecurityGroupId, FromPort, ToPort]).toEqual([expect.any(String), 2049, 2049]);
  }
});

claim('C9', (stack) => {
  const held = Object.entries(stack.resources).filter(([, { Type }]) => holdsData(Type));
  expect(held.map(([, { Type }]) => Type)).toContain('AWS::EFS::FileSystem');
  const lost = held.filter(([, { DeletionPolicy }]) => !/^(Retain|Snapshot)/.test(DeletionPolicy ?? ''));
  expect(lost.map(([id]) => id)).toEqual([]);
});

claim('C10', (stack) => {
  expect(stack.volume.properties.Encrypted).toBe(true);
  for (const { properties } of [...stack.ofType('AWS::RDS::DBInstance'), ...stack.ofType('AWS::RDS::DBCluster')]) {
    expect(properties.StorageEncrypted ?? properties.DBClusterIdentifier).toBeTruthy();
  }
});

claim('C11', (stack) => {
  const { taskRole } = tasks(stack).find(({ id }) => id.includes('Evidence'))!;
  const object = (key: string) => `arn:aws:s3:::exports/${key}`;
  expect(stack.may(taskRole, 's3:GetObject', object('focus/cost/data/1.parquet'))).toBe(true);
  expect(stack.may(taskRole, 's3:GetObject', object('focus/cost-of-others/1.parquet'))).toBe(false);
  for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:PutBucketPolicy']) {
    expect(stack.may(taskRole, action, object('focus/cost/data/1.parquet'))).toBe(false);
  }
});

claim('C12', (stack) => {
  const READ = 'secretsmanager:GetSecretValue';
  const readers = stack.roles.flatMap((role) =>
    role.statements
      .filter(({ Action }) => texts(Action).includes(READ))
      .flatMap(({ Resource }) => texts(Resource).map((secret) => ({ role: role.id, secret }))),
  );
  for (const { role, secret } of readers) {
    const own = tasks(stack).filter(({ executionRole }) => executionRole.id === role);
    expect([secret, own.some(({ text }) => text.includes(secret))]).toEqual([secret, true]);
  }
});

describe('a broken template is seen to be broken', () => {
  function edited(type: string, edit: (properties: Record<string, never>) => void): DeployedStack {
    const template = structuredClone(STACKS[0].template);
    for (const resource of Object.values(template.Resources).filter(({ Type }) => Type === type)) {
      edit(resource.Properties as Record<string, never>);
    }
    return new DeployedStack('edited', template);
  }

  test('rights that do not ask for the access point reach every directory', () => {
    const stack = edited('AWS::IAM::Policy', ({ PolicyDocument }) => {
      (PolicyDocument as { Statement: { Condition?: object }[] }).Statement.forEach((one) => delete one.Condition);
    });
    const [{ taskRole }] = tasks(stack);
    const points = stack.ofType('AWS::EFS::AccessPoint').map(({ id }) => id);
    expect(points.every((accessPoint) => stack.mayOnVolume(taskRole, MOUNT, { accessPoint }))).toBe(true);
    expect(stack.mayOnVolume(taskRole, MOUNT)).toBe(true);
  });

  test('a file-system policy that allows everybody lets in whoever comes', () => {
    const stack = edited('AWS::EFS::FileSystem', (properties) =>
      Object.assign(properties, {
        FileSystemPolicy: { Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: '*', Resource: '*' }] },
      }),
    );
    expect(stack.mayOnVolume(ANONYMOUS, ROOT, { tls: false })).toBe(true);
  });

  test('a vault without a policy leaves recovery points to administrators', () => {
    const stack = edited('AWS::Backup::BackupVault', (properties) => delete properties.AccessPolicy);
    expect(stack.mayOnVault(ADMINISTRATOR, 'backup:DeleteRecoveryPoint')).toBe(true);
  });
});

test('every claim of docs/threat-model.md is tested, and every tested one stands there', () => {
  const text = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'threat-model.md'), 'utf8');
  expect([...text.matchAll(/^\| (C\d+) /gm)].map(([, id]) => id)).toEqual(claimed);
});

test('docs/iam.md lists what the templates have (npm run docs:iam)', () => {
  const words = (markdown: string) => markdown.split(/\s+/);
  const document = fs.readFileSync(IAM_DOC, 'utf8');
  expect(words(document)).toEqual(words(withRoles(document)));
});
