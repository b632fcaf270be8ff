import { asRecords } from '../../checks/internal';
import { Pricer, Pricing, Use } from '../pricing';
import { RATE } from '../rates';
import { TemplateResource } from '../resources-of';
import { backupLine } from './backup';

/** The automatic backup policy of EFS keeps 35 days and cannot be changed (AWS Backup, automatic backups of EFS). */
const AUTOMATIC_RETENTION_DAYS = 35;
/** Provisioned throughput included with storage: 1 MiB/s for 20 GiB (as Infracost models it). */
const GIB_PER_INCLUDED_MIBPS = 20;

/** Amazon EFS. Bursting throughput, which is what an unset mode means, has no charge for reading and writing. */
export const EFS: { [type: string]: Pricer } = {
  'AWS::EFS::FileSystem': {
    part: 'data layer',
    price: (pricing) => {
      const { resource } = pricing;
      const oneZone = pricing.property('AvailabilityZoneName') !== undefined;
      const mode = pricing.text('ThroughputMode', 'bursting');
      const elastic = mode === 'elastic';
      const [rate, storageClass] = oneZone ? [RATE.efsOneZone, 'One Zone'] : [RATE.efsStandard, 'Standard'];
      pricing.line(`Storage (${storageClass})`, rate, (use) => liveGiB(pricing, resource, use));
      pricing.line(`Snapshots on the volume (${storageClass})`, rate, (use) => snapshotGiB(pricing, resource, use));
      priceColdClasses(pricing, oneZone, elastic);
      if (elastic) {
        pricing.line('Elastic throughput, read', RATE.efsElasticRead, (use) => use('efs.readGiB'));
        pricing.line('Elastic throughput, written', RATE.efsElasticWrite, (use) => use('efs.writtenGiB'));
      } else if (mode === 'provisioned') {
        const provisioned = pricing.number('ProvisionedThroughputInMibps');
        pricing.line('Provisioned throughput beyond what storage includes', RATE.efsProvisioned, (use) =>
          Math.max(0, provisioned - firstClassGiB(pricing, resource, use) / GIB_PER_INCLUDED_MIBPS),
        );
      }
      if (pricing.text('BackupPolicy.Status') === 'ENABLED') {
        backupLine(pricing, 'Automatic backup', resource, AUTOMATIC_RETENTION_DAYS);
      }
      priceReplicas(pricing);
    },
  },
};

/** Transition rules decide whether a class can hold data at all. */
function priceColdClasses(pricing: Pricing, oneZone: boolean, elastic: boolean): void {
  const rules = asRecords(pricing.property('LifecyclePolicies'));
  if (rules.some(({ TransitionToIA }) => TransitionToIA !== undefined)) {
    const rate = oneZone ? RATE.efsOneZoneIa : elastic ? RATE.efsIaElastic : RATE.efsIa;
    pricing.line('Storage (Infrequent Access)', rate, (use) => use('efs.infrequentAccessGiB'));
    pricing.line('Infrequent Access, read', RATE.efsIaRead, (use) => use('efs.infrequentAccessReadGiB'));
    pricing.line('Infrequent Access, written', RATE.efsIaWrite, (use) => use('efs.infrequentAccessWrittenGiB'));
  }
  if (rules.some(({ TransitionToArchive }) => TransitionToArchive !== undefined)) {
    pricing.line('Storage (Archive)', RATE.efsArchive, (use) => use('efs.archiveGiB'));
    pricing.line('Archive, read', RATE.efsArchiveRead, (use) => use('efs.archiveReadGiB'));
    pricing.line('Archive, written', RATE.efsArchiveWrite, (use) => use('efs.archiveWrittenGiB'));
  }
}

/** A replica is a file system of its own, billed where it is, without the lifecycle rules of its source. */
function priceReplicas(pricing: Pricing): void {
  for (const destination of asRecords(pricing.property('ReplicationConfiguration.Destinations'))) {
    if (destination.FileSystemId !== undefined) {
      continue; // An existing file system: its storage is billed to whatever made it.
    }
    const region = typeof destination.Region === 'string' ? destination.Region : undefined;
    const oneZone = destination.AvailabilityZoneName !== undefined;
    const rate = oneZone ? RATE.efsOneZone : RATE.efsStandard;
    pricing.line(
      `Replica, storage (${oneZone ? 'One Zone' : 'Standard'})`,
      rate,
      (use) => storedGiB(pricing, pricing.resource, use),
      { region },
    );
    pricing.line('Replica, transfer', RATE.efsReplicationTransfer, (use) => 30 * use('backup.changedGiBPerDay'));
  }
}

/** Live data: what its access points were given one by one, else one value for the whole file system. */
function liveGiB(pricing: Pricing, fileSystem: TemplateResource, use: Use): number {
  const own = pricing.resources
    .ofType('AWS::EFS::AccessPoint')
    .filter(({ address, properties }) => {
      const on = pricing.resources.references(properties.FileSystemId);
      return on.some(({ key }) => key === fileSystem.key) && pricing.has('efs.storedGiB', address);
    })
    .map(({ address }) => use('efs.storedGiB', address));
  return own.length > 0 ? own.reduce((sum, value) => sum + value, 0) : use('efs.storedGiB', fileSystem.address);
}

function snapshotGiB(pricing: Pricing, fileSystem: TemplateResource, use: Use): number {
  const copies = use('efs.snapshotsKept', fileSystem.address);
  return (liveGiB(pricing, fileSystem, use) * copies * use('efs.snapshotPercent', fileSystem.address)) / 100;
}

function firstClassGiB(pricing: Pricing, fileSystem: TemplateResource, use: Use): number {
  return liveGiB(pricing, fileSystem, use) + snapshotGiB(pricing, fileSystem, use);
}

/** Everything on a file system, all classes, snapshots included: what a backup copies. */
export function storedGiB(pricing: Pricing, fileSystem: TemplateResource, use: Use): number {
  return (
    firstClassGiB(pricing, fileSystem, use) +
    use('efs.infrequentAccessGiB', fileSystem.address) +
    use('efs.archiveGiB', fileSystem.address)
  );
}
