import * as path from 'path';
import { Template, TemplateResource } from './flag-sets';
import { readRelease, releases } from './release';
import { Allowed, unsafeChanges } from './update';

/** A real template, with services and a database. */
const FROM = [...readRelease(releases()[0]).values()].find(
  ({ flags }) => flags.services === 'true' && flags.relational === 'rds-postgres' && !flags.allowDestroy,
)!.template;

type Editable<T> = T extends object ? { -readonly [K in keyof T]: Editable<T[K]> } : T;
type Resources = Record<string, Editable<TemplateResource> & { Properties: Record<string, never> }>;

function idOf(resources: Resources, type: string): string {
  const found = Object.keys(resources).find((id) => resources[id].Type === type);
  if (!found) {
    throw new Error(`No ${type} in the template of ${path.basename(__filename)}.`);
  }
  return found;
}

/** What is unsafe about an edit of the template. */
function after(edit: (resources: Resources, of: (type: string) => Resources[string]) => void, allowed?: Allowed) {
  const now = structuredClone(FROM) as unknown as { Resources: Resources };
  edit(now.Resources, (type) => now.Resources[idOf(now.Resources, type)]);
  return unsafeChanges(FROM, now as unknown as Template, allowed);
}

function set(properties: object, values: object): void {
  Object.assign(properties, values);
}

function rename(resources: Resources, type: string): void {
  const id = idOf(resources, type);
  resources[`${id}2`] = resources[id];
  delete resources[id];
}

test('nothing is said of no change, and of one that CloudFormation makes in place', () => {
  expect(after(() => {})).toEqual([]);
  expect(after((_all, of) => set(of('AWS::EFS::FileSystem').Properties, { ThroughputMode: 'elastic' }))).toEqual([]);
  expect(after((_all, of) => set(of('AWS::ECS::Service').Properties, { DesiredCount: 0 }))).toEqual([]);
});

test.each<[string, (resources: Resources, of: (type: string) => Resources[string]) => void, RegExp]>([
  ['the file system’s logical id', (all) => rename(all, 'AWS::EFS::FileSystem'), /FileSystem \S+ leaves the stack/],
  ['an access point’s logical id', (all) => rename(all, 'AWS::EFS::AccessPoint'), /AccessPoint \S+ leaves the stack/],
  ['a vault’s logical id', (all) => rename(all, 'AWS::Backup::BackupVault'), /BackupVault \S+ leaves the stack/],
  ['a database’s logical id', (all) => rename(all, 'AWS::RDS::DBInstance'), /DBInstance \S+ leaves the stack/],
  [
    'an access point’s path',
    (_all, of) => set(of('AWS::EFS::AccessPoint').Properties, { RootDirectory: { Path: '/elsewhere' } }),
    /AccessPoint \S+ is replaced \(RootDirectory\)/,
  ],
  [
    'an access point’s user',
    (_all, of) => set(of('AWS::EFS::AccessPoint').Properties, { PosixUser: { Uid: '1', Gid: '1' } }),
    /AccessPoint \S+ is replaced \(PosixUser\)/,
  ],
  [
    'encryption',
    (_all, of) => set(of('AWS::EFS::FileSystem').Properties, { Encrypted: false }),
    /FileSystem \S+ is replaced \(Encrypted\)/,
  ],
  [
    'the key of the volume',
    (_all, of) => set(of('AWS::EFS::FileSystem').Properties, { KmsKeyId: 'alias/mine' }),
    /FileSystem \S+ is replaced \(KmsKeyId\)/,
  ],
  [
    'the performance mode',
    (_all, of) => set(of('AWS::EFS::FileSystem').Properties, { PerformanceMode: 'maxIO' }),
    /FileSystem \S+ is replaced \(PerformanceMode\)/,
  ],
  [
    'the name of the vault',
    (_all, of) => set(of('AWS::Backup::BackupVault').Properties, { BackupVaultName: 'mine' }),
    /BackupVault \S+ is replaced \(BackupVaultName\)/,
  ],
  [
    'the name of a service',
    (_all, of) => set(of('AWS::ECS::Service').Properties, { ServiceName: 'chat' }),
    /Service \S+ is replaced \(ServiceName\)/,
  ],
  [
    'the database’s name',
    (_all, of) => set(of('AWS::RDS::DBInstance').Properties, { DBName: 'other' }),
    /DBInstance \S+ is replaced \(DBName\)/,
  ],
  [
    'the network of the subnets, on which the mount targets stand',
    (_all, of) => set(of('AWS::EC2::VPC').Properties, { CidrBlock: '10.9.0.0/16' }),
    /MountTarget \S+ is replaced \(SubnetId\)/,
  ],
  [
    'the volume’s deletion policy',
    (_all, of) => set(of('AWS::EFS::FileSystem'), { DeletionPolicy: 'Delete' }),
    /FileSystem \S+: DeletionPolicy was Retain, is Delete/,
  ],
  [
    'the vault’s replacement policy',
    (_all, of) => set(of('AWS::Backup::BackupVault'), { UpdateReplacePolicy: undefined }),
    /BackupVault \S+: UpdateReplacePolicy was Retain, is not set/,
  ],
])('seen: a change of %s', (_name, edit, problem) => {
  expect(after(edit)).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
  // A changed flag is no excuse for a replacement, nor for a weaker policy.
  if (!/leaves the stack/.test(problem.source)) {
    expect(after(edit, { stores: true })).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
  }
});

test('a store that a flag takes away may leave when its data stays, and not otherwise', () => {
  const gone = (resources: Resources) => {
    delete resources[idOf(resources, 'AWS::RDS::DBInstance')];
  };
  expect(after(gone, { stores: true })).toEqual([]);
  const unprotected = structuredClone(FROM) as unknown as { Resources: Resources };
  const database = unprotected.Resources[idOf(unprotected.Resources, 'AWS::RDS::DBInstance')];
  set(database, { DeletionPolicy: 'Delete' });
  const without = structuredClone(unprotected);
  gone(without.Resources);
  const update = (allowed: Allowed) =>
    unsafeChanges(unprotected as unknown as Template, without as unknown as Template, allowed);
  expect(update({ stores: true })).toEqual([expect.stringMatching(/DBInstance \S+ is deleted/)]);
  expect(update({ stores: true, destroy: true })).toEqual([]);
});
