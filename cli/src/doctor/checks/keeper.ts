import { Task } from '@aws-sdk/client-ecs';
import { Check, Examination } from '../examination';
import { show } from '../compare';
import { KeeperLine, keeperLines } from '../keeper-lines';
import { Unit } from '../live-ecs';

/** The keeper reports every five minutes; a restart of the task takes as long. */
const SILENT_MINUTES = 15;
/** A daily snapshot, and half a day for a volume that was too full or a pause that was too long. */
const SNAPSHOT_HOURS = 36;
const SLOW_SECONDS = 10;
const WAL_BYTES = 1024 ** 3;

/** Events that are findings by themselves, unless a later event of the same store says that it is over. */
const EVENTS: Record<string, { id: string; over?: string }> = {
  damaged: { id: 'store-damaged', over: 'restored' },
  refused: { id: 'keeper-refused' },
  busy: { id: 'lease-contended' },
  waiting: { id: 'lease-contended', over: 'leased' },
  lost: { id: 'lease-lost' },
  'snapshot-failed': { id: 'snapshot-failed', over: 'snapshot' },
  'snapshot-skipped': { id: 'snapshot-failed', over: 'snapshot' },
  'check-partial': { id: 'check-partial' },
  'schema-unguarded': { id: 'schema-unguarded' },
  'vectors-unprotected': { id: 'vectors-unprotected', over: 'vectors-protected' },
  powerless: { id: 'keeper-powerless' },
  failed: { id: 'volume-failed' },
};

function workloadOf(unit: Unit): string {
  const directory = unit.definition.containerDefinitions
    ?.flatMap((one) => one.environment ?? [])
    .find((one) => one.name === 'KEEPER_DIR')?.value;
  return directory?.split('/').pop() ?? unit.name;
}

function mends({ live }: Examination, unit: Unit): Record<string, string> {
  const snapshots = `npx efs-data-layer snapshots list --stack ${live.stack.stack.StackName} --workload ${workloadOf(unit)} ${live.at}`;
  const { cluster, name } = unit.service!;
  const task = `aws ecs list-tasks --cluster ${cluster} ${live.at}   (more than one of ${workloadOf(unit)}: aws ecs stop-task)`;
  const restart = `aws ecs update-service --cluster ${cluster} --service ${name} --force-new-deployment ${live.at}`;
  const definition = `aws ecs update-service --cluster ${cluster} --service ${name} --task-definition ${unit.promisedArn} ${live.at}`;
  return {
    'store-damaged': `${snapshots} && npx efs-data-layer snapshots restore <id> --stack ${live.stack.stack.StackName} --workload ${workloadOf(unit)} ${live.at}`,
    'keeper-refused': definition,
    'lease-contended': task,
    'lease-lost': task,
    'snapshot-failed': snapshots,
    'snapshot-old': `npx efs-data-layer snapshots take --stack ${live.stack.stack.StackName} --workload ${workloadOf(unit)} ${live.at}   (stops the application meanwhile)`,
    'check-partial': snapshots,
    'schema-unguarded': definition,
    'vectors-unprotected': snapshots,
    'keeper-powerless': definition,
    'keeper-silent': restart,
    'volume-failed': `aws efs describe-mount-targets --file-system-id ${live.efs.id} ${live.at}`,
    'not-nfs': definition,
    'journal-mode': definition,
    'shared-memory': definition,
    'slow-volume': `aws cloudwatch get-metric-statistics --namespace AWS/EFS --metric-name BurstCreditBalance --dimensions Name=FileSystemId,Value=${live.efs.id} --statistics Minimum --period 3600 --start-time $(date -u -d '1 day ago' +%FT%TZ) --end-time $(date -u +%FT%TZ) ${live.at}`,
    'wal-large': restart,
  };
}

function events({ find }: Examination, unit: Unit, lines: KeeperLine[], mend: Record<string, string>): void {
  const open = new Map<string, KeeperLine>();
  for (const line of lines) {
    const kind = EVENTS[line.keeper];
    if (kind) {
      open.set(`${kind.id} ${line.store ?? ''}`, line);
    }
    for (const [event, { id, over }] of Object.entries(EVENTS)) {
      const key = `${id} ${line.store ?? ''}`;
      if (over === line.keeper && open.get(key)?.keeper === event) {
        open.delete(key);
      }
    }
  }
  for (const [key, line] of open) {
    const [id] = key.split(' ');
    const said = line.message ?? (line.holder ? `waits for ${String(line.holder)}` : '');
    find(id, unit.name, `At ${new Date(line.time).toISOString()} its keeper said "${line.keeper}": ${said}`, mend[id]);
  }
}

function reported({ find }: Examination, unit: Unit, beat: KeeperLine, mend: Record<string, string>): void {
  const environment = Object.fromEntries(
    (unit.definition.containerDefinitions ?? [])
      .flatMap((one) => one.environment ?? [])
      .map((one) => [one.name!, one.value!]),
  );
  const say = (id: string, what: string) => find(id, unit.name, what, mend[id]);
  const { filesystem, journal, shared_memory, heartbeat_s, snapshot_age_s, wal_bytes } = beat;
  if (typeof filesystem === 'string' && !/^nfs/.test(filesystem)) {
    say('not-nfs', `${environment.KEEPER_DIR} is ${filesystem}, not the volume.`);
  }
  if (environment.DATABASE_ENABLE_SQLITE_WAL === 'true') {
    for (const [store, mode] of Object.entries((journal ?? {}) as Record<string, string>).filter(
      ([, one]) => one === 'rollback',
    )) {
      say('journal-mode', `${store} has the ${mode} journal; promised is WAL.`);
    }
  }
  if (Array.isArray(shared_memory) && shared_memory.length > 0 && environment.KEEPER_EXCLUSIVE !== '0') {
    say('shared-memory', `${shared_memory.join(', ')}-shm exists.`);
  }
  if (typeof heartbeat_s === 'number' && heartbeat_s > SLOW_SECONDS) {
    say('slow-volume', `The slowest heartbeat of the last five minutes took ${heartbeat_s} s.`);
  }
  if (typeof snapshot_age_s === 'number' && snapshot_age_s > SNAPSHOT_HOURS * 3600) {
    say('snapshot-old', `The oldest of the newest snapshots was made ${Math.round(snapshot_age_s / 3600)} hours ago.`);
  }
  if (typeof wal_bytes === 'number' && wal_bytes > WAL_BYTES) {
    say('wal-large', `It is ${show((wal_bytes / 1024 ** 3).toFixed(1))} GiB.`);
  }
}

async function ofUnit(examination: Examination, unit: Unit, tasks: Task[]): Promise<void> {
  const { live, find, notYet } = examination;
  const lines = await keeperLines(live, unit, tasks);
  if (lines === undefined) {
    return;
  }
  const mend = mends(examination, unit);
  events(examination, unit, lines, mend);
  for (const task of tasks) {
    const beat = lines
      .filter((line) => line.keeper === 'heartbeat' && line.stream.endsWith(task.taskArn!.split('/').pop()!))
      .pop();
    const started = task.startedAt?.getTime() ?? live.clock.now();
    const minutes = (since: number) => (live.clock.now() - since) / 60_000;
    if (beat && minutes(beat.time) <= SILENT_MINUTES) {
      reported(examination, unit, beat, mend);
    } else if (minutes(started) <= SILENT_MINUTES) {
      notYet(`the keeper of ${unit.name} reports five minutes after its start`);
    } else {
      const last = beat ? `for ${Math.round(minutes(beat.time))} minutes` : 'for two hours at least';
      find('keeper-silent', unit.name, `Its keeper has reported nothing ${last}.`, mend['keeper-silent']);
    }
  }
  if (tasks.length === 0) {
    notYet(`no task of ${unit.name} runs whose keeper could report`);
  }
}

export const keeper: Check = {
  name: 'keeper',
  kinds: {
    'store-damaged': {
      severity: 'critical',
      title: 'A database or directory failed its check',
      why: 'It lies set aside and is never opened; nothing starts until a snapshot is restored.',
    },
    'keeper-refused': {
      severity: 'critical',
      title: 'The keeper refuses to start the application',
      why: 'An image that does not know the schema, or data that was moved away: starting it would lose data.',
    },
    'lease-contended': {
      severity: 'critical',
      title: 'Another task holds the lease',
      why: 'Two tasks want the same directory: one of them waits, is killed, and starts again.',
    },
    'lease-lost': {
      severity: 'critical',
      title: 'A keeper lost its lease',
      why: 'Its host was cut off from the volume, or another task took over: the application was killed.',
    },
    'snapshot-failed': {
      severity: 'warning',
      title: 'A snapshot was not made',
      why: 'The copy failed its check, or the volume has no room: the newest verified copy grows old.',
    },
    'snapshot-old': {
      severity: 'warning',
      title: 'The newest snapshot is old',
      why: 'One is made a day while the application runs. A restore loses what changed since the newest.',
    },
    'check-partial': {
      severity: 'notice',
      title: 'A database could not be checked to its end',
      why: 'It uses a collation, function or module of the application: its verified copies are verified in part.',
    },
    'schema-unguarded': {
      severity: 'warning',
      title: 'An older image would not be refused',
      why: 'The keeper does not find the image’s migrations: an older image may start on a newer schema.',
    },
    'vectors-unprotected': {
      severity: 'warning',
      title: 'Vectors are only in an index that a crash can tear',
      why: 'They could not be copied into the queue of Chroma: after a crash the newest snapshot may be all there is.',
    },
    'keeper-powerless': {
      severity: 'critical',
      title: 'The keeper may not stop the application',
      why: 'When the lease is lost it cannot kill it: two writers.',
    },
    'keeper-silent': {
      severity: 'critical',
      title: 'The keeper reports nothing',
      why: 'It reports every five minutes: it was killed, hangs, or its lines do not reach CloudWatch. Nobody guards the files.',
    },
    'volume-failed': {
      severity: 'critical',
      title: 'The volume failed under the keeper',
      why: 'Reading or writing ended in an error; the heartbeat will end the application when it lasts.',
    },
    'not-nfs': {
      severity: 'critical',
      title: 'The directory is not on the volume',
      why: 'The path is on the task’s own disk: everything written is gone with the task.',
    },
    'journal-mode': {
      severity: 'warning',
      title: 'A database keeps a rollback journal',
      why: 'Each commit removes a file by name, which a host that was cut off may repeat after another took over; and it is several times slower on NFS.',
    },
    'shared-memory': {
      severity: 'critical',
      title: 'A database was opened without unix-excl',
      why: 'A shared-memory file lies on NFS, where it is not shared between hosts: a second host is not refused and corrupts the database.',
    },
    'slow-volume': {
      severity: 'warning',
      title: 'The volume answers slowly',
      why: 'After 60 seconds without a heartbeat the keeper kills the application. Often the burst credits are used up.',
    },
    'wal-large': {
      severity: 'warning',
      title: 'The write-ahead log is large',
      why: 'A transaction or reader that never ends keeps it from being folded in: reads slow down, and a takeover copies it.',
    },
  },
  async run(examination) {
    const { live } = examination;
    const tasks = await live.ecs.tasks();
    await Promise.all(
      (await live.ecs.units()).map((unit) =>
        ofUnit(
          examination,
          unit,
          tasks.filter((task) => task.group === `service:${unit.service!.name}`),
        ),
      ),
    );
  },
};
