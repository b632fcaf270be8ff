import { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import { differences, show } from '../compare';
import { Check, Examination } from '../examination';
import { Promised } from '../promise';
import { compareSettings, onOff, same, Setting, unordered, value } from '../settings';

type Database = DBInstance | DBCluster;

/** States in which nobody gets in and that do not pass by themselves. Others, such as backing-up, are of every day. */
const DOWN =
  /^(stopp|failed|deleting|storage-full|inaccessible|incompatible|restore-error|insufficient|migration-failed|cloning-failed)/;

const lower = (text: unknown) => (typeof text === 'string' ? text.toLowerCase() : text);

/** What an instance and a cluster have in common, by the same names. */
const COMMON: Setting<Database>[] = [
  same('BackupRetentionPeriod', 'database-backup', value('backup-retention-period')),
  same('DeletionProtection', 'database-deletion-protection', onOff('deletion-protection')),
  same('PreferredBackupWindow', 'database-drift', value('preferred-backup-window')),
  same('PreferredMaintenanceWindow', 'database-drift', value('preferred-maintenance-window')),
  {
    property: 'EnableIAMDatabaseAuthentication',
    kind: 'database-drift',
    read: (one) => one.IAMDatabaseAuthenticationEnabled,
    option: onOff('enable-iam-database-authentication'),
  },
  same('CopyTagsToSnapshot', 'database-drift', onOff('copy-tags-to-snapshot')),
];

const groupsOf = (one: Database) => one.VpcSecurityGroups?.map((group) => group.VpcSecurityGroupId);

const INSTANCE: Setting<DBInstance>[] = [
  ...COMMON,
  same('PubliclyAccessible', 'database-public', onOff('publicly-accessible')),
  same('AutoMinorVersionUpgrade', 'database-upgrades', onOff('auto-minor-version-upgrade')),
  {
    property: 'VPCSecurityGroups',
    kind: 'database-network',
    read: groupsOf,
    option: value('vpc-security-group-ids'),
  },
  {
    property: 'Port',
    kind: 'database-network',
    read: (one) => one.Endpoint?.Port ?? one.DbInstancePort,
    option: value('db-port-number'),
  },
  same('DBInstanceClass', 'database-capacity', value('db-instance-class')),
  same('MaxAllocatedStorage', 'database-capacity', value('max-allocated-storage')),
  same('MultiAZ', 'database-capacity', onOff('multi-az')),
  same('StorageType', 'database-capacity', value('storage-type')),
];

const CLUSTER: Setting<DBCluster>[] = [
  ...COMMON,
  {
    property: 'VpcSecurityGroupIds',
    kind: 'database-network',
    read: groupsOf,
    option: value('vpc-security-group-ids'),
  },
  same('Port', 'database-network', value('port')),
  same(
    'ServerlessV2ScalingConfiguration',
    'database-capacity',
    (wanted) => `--serverless-v2-scaling-configuration '${JSON.stringify(wanted)}'`,
  ),
];

/** What RDS writes in small letters, and a template need not. */
function groups(
  { find }: Examination,
  { id, properties }: Promised,
  live: Record<string, unknown>,
  kinds: Record<string, [string, string]>,
  command: (option: string) => string,
): void {
  for (const [property, [kind, option]] of Object.entries(kinds)) {
    const wanted = properties[property];
    if (differences(lower(wanted), lower(live[property])).length > 0) {
      const what = `${property} is ${show(live[property])}; promised is ${show(wanted)}.`;
      find(kind, id, what, command(`--${option} ${show(wanted)}`));
    }
  }
}

/** What cannot be set back by one option: the state, the encryption and the major version. */
function condition({ live, find }: Examination, { id, properties }: Promised, one: Database, encrypt: string): void {
  const instance = 'DBInstanceStatus' in one;
  const status = instance ? one.DBInstanceStatus : (one as DBCluster).Status;
  const what = instance ? 'instance' : 'cluster';
  if (DOWN.test(status ?? '')) {
    const mend = /^stopp/.test(status!)
      ? `aws rds start-db-${what} --db-${what}-identifier ${id} ${live.at}`
      : `aws rds describe-events --source-type db-${what} --source-identifier ${id} --duration 10080 ${live.at}`;
    find('database-unavailable', id, `Its state is ${status}.`, mend);
  }
  if (String(properties.StorageEncrypted) === 'true' && one.StorageEncrypted !== true) {
    find('database-not-encrypted', id, 'StorageEncrypted is false; promised is true.', encrypt);
  }
  const major = (version: unknown) => (typeof version === 'string' ? version.split('.')[0] : version);
  // Minor versions are applied by RDS itself, as promised.
  if (differences(major(properties.EngineVersion), major(one.EngineVersion)).length > 0) {
    find(
      'database-version',
      id,
      `EngineVersion is ${show(one.EngineVersion)}; promised is ${show(properties.EngineVersion)}.`,
      `npx cdk deploy ${live.stack.stack.StackName}   (with engineVersion ${show(one.EngineVersion)} in the props of the store: a major version does not go back)`,
    );
  }
}

async function instances(examination: Examination): Promise<void> {
  const { live, find } = examination;
  for (const promised of live.stack.promised('AWS::RDS::DBInstance')) {
    const { id, logicalId, properties } = promised;
    const one = await live.rds.instance(id);
    const ofCluster = properties.DBClusterIdentifier;
    if (!one) {
      const mend = ofCluster
        ? `aws rds create-db-instance --db-instance-identifier ${id} --db-cluster-identifier ${show(ofCluster)} --engine ${show(properties.Engine)} --db-instance-class ${show(properties.DBInstanceClass)} --no-publicly-accessible ${live.at}   (the data is the cluster’s)`
        : `aws rds describe-db-instance-automated-backups --db-instance-identifier ${id} ${live.at}   (then aws rds restore-db-instance-to-point-in-time under the same name; a deployment would make an empty one)`;
      find('database-missing', id, `${logicalId} does not exist any more.`, mend);
      continue;
    }
    const command = (option: string) =>
      `aws rds modify-db-instance --db-instance-identifier ${id} ${option} --apply-immediately ${live.at}`;
    compareSettings(examination, id, properties, one, INSTANCE, command);
    groups(
      examination,
      promised,
      {
        DBParameterGroupName: one.DBParameterGroups?.[0]?.DBParameterGroupName,
        DBSubnetGroupName: one.DBSubnetGroup?.DBSubnetGroupName,
      },
      {
        DBParameterGroupName: ['database-parameter-group', 'db-parameter-group-name'],
        DBSubnetGroupName: ['database-network', 'db-subnet-group-name'],
      },
      command,
    );
    condition(
      examination,
      promised,
      one,
      `aws rds create-db-snapshot --db-instance-identifier ${id} --db-snapshot-identifier ${id}-plain ${live.at}; then aws rds copy-db-snapshot --source-db-snapshot-identifier ${id}-plain --target-db-snapshot-identifier ${id}-encrypted --kms-key-id alias/aws/rds ${live.at}, and restore that one under the name of this instance`,
    );
  }
}

async function clusters(examination: Examination): Promise<void> {
  const { live, find } = examination;
  for (const promised of live.stack.promised('AWS::RDS::DBCluster')) {
    const { id, logicalId, properties } = promised;
    const one = await live.rds.cluster(id);
    if (!one) {
      find(
        'database-missing',
        id,
        `${logicalId} does not exist any more.`,
        `aws rds describe-db-cluster-automated-backups --db-cluster-identifier ${id} ${live.at}   (then aws rds restore-db-cluster-to-point-in-time under the same name; a deployment would make an empty one)`,
      );
      continue;
    }
    const command = (option: string) =>
      `aws rds modify-db-cluster --db-cluster-identifier ${id} ${option} --apply-immediately ${live.at}`;
    compareSettings(examination, id, properties, one, CLUSTER, command);
    groups(
      examination,
      promised,
      { DBClusterParameterGroupName: one.DBClusterParameterGroup },
      { DBClusterParameterGroupName: ['database-parameter-group', 'db-cluster-parameter-group-name'] },
      command,
    );
    condition(
      examination,
      promised,
      one,
      `aws rds create-db-cluster-snapshot --db-cluster-identifier ${id} --db-cluster-snapshot-identifier ${id}-plain ${live.at}; then aws rds restore-db-cluster-from-snapshot --snapshot-identifier ${id}-plain --kms-key-id alias/aws/rds …, under the name of this cluster`,
    );
  }
}

async function parameters({ live, find }: Examination, type: string, ofCluster: boolean): Promise<void> {
  const name = ofCluster ? 'db-cluster-parameter-group' : 'db-parameter-group';
  for (const { id, logicalId, properties } of live.stack.promised(type)) {
    const set = await live.rds.parameters(id, ofCluster);
    if (!set) {
      find('database-parameter-group', id, `${logicalId} does not exist any more.`, live.revert);
      continue;
    }
    const wanted = (properties.Parameters ?? {}) as Record<string, unknown>;
    // One that nobody set has its default, which may be the promised value.
    const all = Object.keys(wanted).every((key) => key in set)
      ? set
      : { ...(await live.rds.parameters(id, ofCluster, true)), ...set };
    // Compared one by one: their names have dots.
    for (const [key, promised] of Object.entries(wanted)) {
      if (differences(promised, all[key]).length > 0) {
        find(
          key === 'rds.force_ssl' ? 'database-plaintext' : 'database-drift',
          id,
          `${key} is ${show(all[key])}; promised is ${show(promised)}.`,
          `aws rds modify-${name} --${name}-name ${id} --parameters 'ParameterName=${key},ParameterValue=${show(promised)},ApplyMethod=${key === 'rds.force_ssl' ? 'immediate' : 'pending-reboot'}' ${live.at}`,
        );
      }
    }
  }
}

async function subnets({ live, find }: Examination): Promise<void> {
  for (const { id, logicalId, properties } of live.stack.promised('AWS::RDS::DBSubnetGroup')) {
    const group = await live.rds.subnetGroup(id);
    if (!group) {
      find('database-network', id, `${logicalId} does not exist any more.`, live.revert);
      continue;
    }
    const actual = (group.Subnets ?? []).map((one) => one.SubnetIdentifier);
    if (differences(unordered(properties.SubnetIds), unordered(actual)).length > 0) {
      find(
        'database-network',
        id,
        `SubnetIds is ${show(actual)}; promised is ${show(properties.SubnetIds)}.`,
        `aws rds modify-db-subnet-group --db-subnet-group-name ${id} ${value('subnet-ids')(properties.SubnetIds)} ${live.at}`,
      );
    }
  }
}

export const databases: Check = {
  name: 'databases',
  kinds: {
    'database-missing': {
      severity: 'critical',
      title: 'The database is gone',
      why: 'The application does not start. Its automated backups are kept for their days, then the data is lost.',
    },
    'database-unavailable': {
      severity: 'critical',
      title: 'The database lets nobody in',
      why: 'Nothing is read or written until it does; RDS starts a stopped one by itself after seven days, unasked.',
    },
    'database-not-encrypted': {
      severity: 'critical',
      title: 'The database is not encrypted at rest',
      why: 'Chats and users lie in the clear on AWS’s disks and in every snapshot; encryption cannot be switched on later.',
    },
    'database-public': {
      severity: 'critical',
      title: 'The database has a public address',
      why: 'Only a security group and a password are then left between the internet and every chat.',
    },
    'database-backup': {
      severity: 'critical',
      title: 'The database is backed up for another time, or not at all',
      why: 'A mistake can be undone only as far back as the backups go; at 0 there are none, and those that were are deleted.',
    },
    'database-deletion-protection': {
      severity: 'warning',
      title: 'The database is not protected from deletion, or is although it may be deleted',
      why: 'One click or one call deletes it with everything in it.',
    },
    'database-plaintext': {
      severity: 'critical',
      title: 'The database takes connections without TLS',
      why: 'Chats and passwords may cross the network in the clear, and no client is told.',
    },
    'database-parameter-group': {
      severity: 'warning',
      title: 'The database has another parameter group, or its group is gone',
      why: 'Whether TLS is forced is decided there.',
    },
    'database-upgrades': {
      severity: 'warning',
      title: 'Minor versions are not applied',
      why: 'Fixes of PostgreSQL, those of its security among them, then wait for somebody.',
    },
    'database-version': {
      severity: 'warning',
      title: 'The database runs another major version',
      why: 'The stack’s parameters are of the other, and its next deployment fails or asks for a way back that there is none of.',
    },
    'database-capacity': {
      severity: 'warning',
      title: 'The database is larger or smaller than promised, or may grow further',
      why: 'It decides the bill, and how much the application may ask for.',
    },
    'database-network': {
      severity: 'critical',
      title: 'The database stands in another network, behind another security group or port',
      why: 'Others may reach it, or the services do not: then the next connection is waited for until it is given up.',
    },
    'database-drift': {
      severity: 'notice',
      title: 'A setting of the database is not the promised one',
      why: 'The next person will not know which of the two was meant, and the next deployment does not put it back.',
    },
  },
  async run(examination) {
    await instances(examination);
    await clusters(examination);
    await parameters(examination, 'AWS::RDS::DBParameterGroup', false);
    await parameters(examination, 'AWS::RDS::DBClusterParameterGroup', true);
    await subnets(examination);
  },
};
