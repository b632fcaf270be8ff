import { Rule } from '../rule';
import { ACCESS_POINT_AS_ROOT } from './access-point-as-root';
import { ACCESS_POINT_WITHOUT_USER } from './access-point-without-user';
import { ARCHIVE_WITHOUT_ELASTIC_THROUGHPUT } from './archive-without-elastic-throughput';
import { AUTO_SCALING } from './auto-scaling';
import { DATA_DELETED_WITH_STACK } from './data-deleted-with-stack';
import { FILE_SYSTEM_WITHOUT_BACKUP } from './file-system-without-backup';
import { MOUNT_WITHOUT_VOLUME } from './mount-without-volume';
import { OVERLAPPING_DEPLOYMENT } from './overlapping-deployment';
import { PLAINTEXT_ALLOWED } from './plaintext-allowed';
import { ROOT_DIRECTORY_WITH_ACCESS_POINT } from './root-directory-with-access-point';
import { TWO_WRITERS } from './two-writers';
import { VOLUME_WITHOUT_ACCESS_POINT } from './volume-without-access-point';
import { VOLUME_WITHOUT_IAM } from './volume-without-iam';
import { VOLUME_WITHOUT_TLS } from './volume-without-tls';
import { ZONE_REBALANCING } from './zone-rebalancing';

/** Every rule of the pack, in the order of the documentation: the mount, one writer, the file system. */
export const RULES: Rule[] = [
  VOLUME_WITHOUT_TLS,
  VOLUME_WITHOUT_IAM,
  VOLUME_WITHOUT_ACCESS_POINT,
  ACCESS_POINT_WITHOUT_USER,
  ACCESS_POINT_AS_ROOT,
  ROOT_DIRECTORY_WITH_ACCESS_POINT,
  MOUNT_WITHOUT_VOLUME,
  OVERLAPPING_DEPLOYMENT,
  ZONE_REBALANCING,
  AUTO_SCALING,
  TWO_WRITERS,
  FILE_SYSTEM_WITHOUT_BACKUP,
  DATA_DELETED_WITH_STACK,
  ARCHIVE_WITHOUT_ELASTIC_THROUGHPUT,
  PLAINTEXT_ALLOWED,
];
