// What other rooms may use, and users of the package may not.
export { BACKUP_RETENTION_DAYS } from './backup';
export { allowInto } from './ingress';
export { acknowledgeObjects, acknowledgeWildcard } from './objects';
export { requireDirectory, requireMountPath } from './paths';
export { accessPointStatement } from './policy';
