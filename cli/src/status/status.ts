import { ListRecoveryPointsByResourceCommand, RecoveryPointByResource } from '@aws-sdk/client-backup';
import { FileSystemDescription } from '@aws-sdk/client-efs';
import { pages } from '../aws/pages';
import { countCalls, ReadClients } from './account';
import { Cost, costOf } from './cost';
import { readDeployment, StatusWorkload } from './deployment';
import { EvidenceState, readEvidenceFolder, readEvidenceLog } from './evidence';
import { KeeperState, readKeeper } from './keeper';
import { Meters, readMeters } from './meters';
import { Part, part } from './part';
import { Gauge, gauges } from './triggers';

/** What is asked for. */
export interface StatusRequest {
  readonly stack: string;
  /** The mounted evidence directory, or a copy. */
  readonly evidence?: string;
  readonly users?: number;
}

/** A workload, and what its keeper says where there is one. */
export interface WorkloadStatus extends StatusWorkload {
  readonly keeper?: Part<KeeperState>;
}

/** Everything that status shows. */
export interface Status {
  readonly stack: string;
  readonly region: string;
  readonly now: number;
  readonly fileSystemId: string;
  readonly fileSystem: Part<FileSystemDescription>;
  readonly workloads: Part<WorkloadStatus[]>;
  /** Whether a collection of OpenSearch Serverless is part of the stack. */
  readonly search: boolean;
  readonly evidence: Part<EvidenceState>;
  readonly meters: Part<Meters>;
  /** When the newest recovery point was completed; undefined when there is none. */
  readonly backup: Part<{ readonly newest?: number; readonly count: number }>;
  readonly cost: Part<Cost>;
  readonly gauges: Gauge[];
  /** Requests to AWS. */
  readonly calls: number;
}

/** Reads it all. What is denied is a part with a problem; only a stack that cannot be listed is an error. */
export async function readStatus(
  aws: ReadClients,
  request: StatusRequest,
  now: number,
  calls = countCalls(aws),
): Promise<Status> {
  const region = await aws.efs.config.region();
  const deployment = await readDeployment(aws, request.stack);
  const { fileSystemId, fileSystem, services, search, template } = deployment;
  const [meters, backup, workloads, evidence] = await Promise.all([
    part('metrics', () => readMeters(aws, fileSystemId, services, now)),
    part('backups', () => readBackups(aws, fileSystem)),
    part('workloads', () => readWorkloads(aws, needed(deployment.workloads), now)),
    part('evidence', async () => {
      if (request.evidence !== undefined) {
        return readEvidenceFolder(request.evidence, now);
      }
      const group = needed(deployment.workloads).find(({ name }) => name === 'evidence')?.logGroup;
      if (group === undefined) {
        throw new Error('no task definition of the stack mounts /evidence');
      }
      return readEvidenceLog(aws, group, now);
    }),
  ]);
  const cost = await part('cost', async () => costOf(needed(template), region, needed(fileSystem), meters.value, now));
  const { stack } = request;
  const known = {
    stack,
    region,
    now,
    fileSystemId,
    fileSystem,
    workloads,
    search,
    evidence,
    meters,
    backup,
    cost,
    calls: calls(),
  };
  return { ...known, gauges: gauges(known, request.users) };
}

/** Of a part that another depends on. */
function needed<T>(one: Part<T>): T {
  if (one.problem !== undefined) {
    throw new Error(one.problem);
  }
  return one.value;
}

async function readWorkloads(aws: ReadClients, workloads: StatusWorkload[], now: number): Promise<WorkloadStatus[]> {
  return Promise.all(
    workloads.map(async (workload) => ({
      ...workload,
      keeper:
        workload.kept && workload.logGroup !== undefined
          ? await part(`log of ${workload.name}`, () => readKeeper(aws, workload, now))
          : undefined,
    })),
  );
}

async function readBackups(aws: ReadClients, fileSystem: Part<FileSystemDescription>) {
  const ResourceArn = needed(fileSystem).FileSystemArn!;
  const points = await pages<RecoveryPointByResource>(async (NextToken) => {
    const page = await aws.backup.send(new ListRecoveryPointsByResourceCommand({ ResourceArn, NextToken }));
    return { items: page.RecoveryPoints, token: page.NextToken };
  });
  const done = points.filter(({ Status }) => Status === 'COMPLETED').map(({ CreationDate }) => CreationDate!.getTime());
  return { newest: done.length > 0 ? Math.max(...done) : undefined, count: done.length };
}
