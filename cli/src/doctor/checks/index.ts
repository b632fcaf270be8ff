import { Check } from '../examination';
import { accessPoints } from './access-points';
import { backup } from './backup';
import { cache } from './cache';
import { databases } from './databases';
import { fileSystem } from './file-system';
import { fileSystemPolicy } from './file-system-policy';
import { images } from './images';
import { keeper } from './keeper';
import { leftBehind } from './left-behind';
import { lifecycle } from './lifecycle';
import { loadBalancer } from './load-balancer';
import { logs } from './logs';
import { mountTargets } from './mount-targets';
import { network } from './network';
import { recoveryPoints } from './recovery-points';
import { restoredDirectories } from './restored-directories';
import { roles } from './roles';
import { runningTasks } from './running-tasks';
import { schedule } from './schedule';
import { secrets } from './secrets';
import { services } from './services';
import { sqliteUrl } from './sqlite-url';
import { stack } from './stack';
import { tags } from './tags';
import { taskDefinition } from './task-definition';
import { throughput } from './throughput';

/** Everything the doctor looks at: one line and one file for each. The order is that of the runbook. */
export const CHECKS: Check[] = [
  ...[stack, fileSystem, throughput, lifecycle, fileSystemPolicy, roles, mountTargets, network, accessPoints],
  ...[services, runningTasks, taskDefinition, sqliteUrl, images, secrets, keeper],
  ...[databases, cache, loadBalancer],
  ...[backup, recoveryPoints, restoredDirectories, logs, schedule, tags, leftBehind],
];
