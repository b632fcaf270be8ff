import { asRecord, asRecords } from '../../checks/internal';
import { Pricer, Pricing } from '../pricing';
import { RATE } from '../rates';
import { TemplateResource } from '../resources-of';
import { storedGiB } from './efs';

/** AWS Backup: what its plans copy. The vault, the selection and the role are free. */
export const BACKUP: { [type: string]: Pricer } = {
  'AWS::Backup::BackupPlan': {
    part: 'data layer',
    price: (pricing) => {
      const selections = pricing.resources
        .ofType('AWS::Backup::BackupSelection')
        .filter(({ properties }) =>
          pricing.resources.references(properties.BackupPlanId).some(({ key }) => key === pricing.resource.key),
        );
      const fileSystems = new Map<string, TemplateResource>();
      for (const selection of selections) {
        for (const resource of selected(pricing, selection)) {
          if (resource.type === 'AWS::EFS::FileSystem') {
            fileSystems.set(resource.key, resource);
          } else {
            pricing.notPriced(`the backup of ${resource.address} (${resource.type}) has no rate`);
          }
        }
      }
      for (const rule of asRecords(pricing.property('BackupPlan.BackupPlanRule'))) {
        for (const fileSystem of fileSystems.values()) {
          priceRule(pricing, rule, fileSystem);
        }
      }
    },
  },
};

function priceRule(pricing: Pricing, rule: { readonly [key: string]: unknown }, fileSystem: TemplateResource): void {
  const name = `Backup (${String(rule.RuleName ?? 'rule')})`;
  const { DeleteAfterDays: days, MoveToColdStorageAfterDays: cold } = asRecord(rule.Lifecycle);
  if (days === undefined) {
    pricing.notPriced(`${name} is never deleted (no Lifecycle.DeleteAfterDays), so it grows without limit`);
    return;
  }
  if (typeof days !== 'number' || (cold !== undefined && typeof cold !== 'number')) {
    pricing.notPriced(`${name} has a Lifecycle that only the deployment knows`);
    return;
  }
  if (asRecords(rule.CopyActions).length > 0) {
    pricing.notPriced(`${name} copies to another vault, whose storage is billed where it is`);
  }
  backupLine(pricing, name, fileSystem, cold ?? days);
  if (cold !== undefined) {
    pricing.line(
      `${name}, cold storage`,
      RATE.backupEfsCold,
      (use) => storedGiB(pricing, fileSystem, use) + use('backup.changedGiBPerDay', fileSystem.address) * (days - cold),
    );
  }
}

/** A backup holds everything once, and what changed on each day it is kept: a changed file is copied whole. */
export function backupLine(pricing: Pricing, name: string, fileSystem: TemplateResource, days: number): void {
  pricing.line(
    `${name}, kept ${days} days`,
    RATE.backupEfsWarm,
    (use) => storedGiB(pricing, fileSystem, use) + use('backup.changedGiBPerDay', fileSystem.address) * days,
  );
  pricing.line(`${name}, restored`, RATE.backupEfsRestore, (use) => use('backup.restoredGiB', fileSystem.address));
}

/** Resources named by a selection, or every file system when it goes by tags or patterns: rather too many than too few. */
function selected(pricing: Pricing, selection: TemplateResource): TemplateResource[] {
  const { Resources, ListOfTags } = asRecord(selection.properties.BackupSelection);
  const named = pricing.resources.references(Resources);
  const byPattern =
    asRecords(ListOfTags).length > 0 || (Array.isArray(Resources) && /"[^"]*\*"/.test(JSON.stringify(Resources)));
  return byPattern ? [...named, ...pricing.resources.ofType('AWS::EFS::FileSystem')] : named;
}
