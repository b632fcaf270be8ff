import { KeyValuePair, Secret } from '@aws-sdk/client-ecs';
import { Command } from 'commander';
import { Session } from '../aws/clients';
import { OneOff, oneOffDefinition } from '../aws/one-off-definition';
import { runOneOff } from '../aws/one-off-task';
import { pauseService } from '../aws/service-pause';
import { DeployedWorkload, findWorkload } from '../aws/workload';
import { usageError } from '../errors';
import { moverProgram } from '../keeper/source';
import { Undo } from '../undo';
import { renderMover } from './migrate-lines';
import { AccountOptions, addAccountOptions, clientsOf, Shell, workloadQuery } from './shell';

interface MigrateOptions extends AccountOptions {
  readonly check?: boolean;
  readonly back?: boolean;
  readonly discardSinceCutover?: boolean;
  readonly complete?: boolean;
  readonly vectors?: boolean;
  readonly onAnomaly?: string;
  readonly replaceReturned?: boolean;
  readonly agreement?: string;
  readonly targetHost?: string;
  readonly targetPort?: string;
  readonly targetDatabase?: string;
  readonly targetSecret?: string;
  readonly targetSslmode?: string;
}

/** What mover.py --help says of its exit codes. */
const MOVER_EXIT: { [code: number]: string } = {
  64: 'the command or a setting is wrong',
  65: 'the source holds rows that PostgreSQL refuses, or a store failed its check; --check shows all of them',
  66: 'there is no webui.db, or it is damaged',
  69: 'the database cannot be reached',
  70: 'the lease was lost',
  71: 'a fault of the mover',
  73: 'the target holds data',
  74: 'the volume or the database failed while copying',
  75: 'another task holds the lease: something still runs on this directory',
  76: 'the two sides differ after the copy',
  77: 'the database lets nobody in with these credentials',
  78: 'refused; the message says why',
};

/** `efs-data-layer migrate …` */
export function migrateCommand(shell: Shell): Command {
  const command = new Command('migrate').description(
    'move Open WebUI’s data from SQLite on the volume to PostgreSQL, or back; the application is stopped meanwhile',
  );
  addAccountOptions(command)
    .option('--check', 'move nothing, say what PostgreSQL would refuse (an empty target gets its tables)')
    .option('--back', 'move PostgreSQL’s data back to SQLite; the old file is set aside')
    .option('--discard-since-cutover', 'with --back: use the old file as it is, and say which rows are dropped by that')
    .option('--complete', 'put the moved file aside for good (nothing is deleted)')
    .option('--vectors', 'copy the embeddings of Chroma on the volume into pgvector instead; nothing is embedded again')
    .option('--on-anomaly <what>', 'fail, quarantine or repair, or KIND=one of them, separated by commas', 'fail')
    .option('--replace-returned', 'the target still holds what an earlier --back copied out of it: replace that')
    .option('--agreement <part>', 'with --vectors: the part of the neighbours that must be the same (default: 0.95)')
    .option('--target-host <host>', 'the PostgreSQL server (default: what the workload’s container names)')
    .option('--target-port <port>', 'its port', '5432')
    .option('--target-database <name>', 'the database')
    .option('--target-secret <arn>', 'the secret with its username and password')
    .option('--target-sslmode <mode>', 'how the connection is secured, as libpq has it', 'require')
    .action(async () => shell.exit(await migrate(shell, command.opts<MigrateOptions>())));
  return command;
}

/** The mover's arguments. */
function argumentsOf(options: MigrateOptions): string[] {
  if (options.vectors) {
    return vectorArguments(options);
  }
  const chosen = (['check', 'back', 'complete'] as const).filter((name) => options[name]);
  if (chosen.length > 1) {
    throw usageError('migrate', `--${chosen.join(' and --')} are different commands.`, 'Pass one of them.');
  }
  if (options.discardSinceCutover && !options.back) {
    throw usageError('--discard-since-cutover', 'It says how to go back.', 'Pass it together with --back.');
  }
  if (options.agreement !== undefined) {
    throw usageError('--agreement', 'It says how alike vectors must be found.', 'Pass it together with --vectors.');
  }
  const action = options.onAnomaly ?? 'fail';
  if (!/^(\w+=)?(fail|quarantine|repair)(,(\w+=)?(fail|quarantine|repair))*$/.test(action)) {
    throw usageError(
      `--on-anomaly ${action}`,
      'It is none of fail, quarantine and repair.',
      'Pass one of them, or one for a kind such as nul=repair; several are separated by commas.',
    );
  }
  return [
    ...chosen.map((name) => `--${name}`),
    ...(options.discardSinceCutover ? ['--discard-since-cutover'] : []),
    ...(options.replaceReturned ? ['--replace-returned'] : []),
    ...(action === 'fail' ? [] : ['--on-anomaly', action]),
  ];
}

/** Embeddings are copied in one direction only, and only U+0000 can be repaired in them. */
function vectorArguments(options: MigrateOptions): string[] {
  const given = (['back', 'discardSinceCutover', 'complete', 'replaceReturned'] as const).filter(
    (name) => options[name],
  );
  if (given.length > 0 || !['fail', 'repair'].includes(options.onAnomaly ?? 'fail')) {
    throw usageError(
      '--vectors',
      'It goes together with --check, --agreement and --on-anomaly fail or repair only.',
      'Chroma stays as it is: to go back, choose it again and deploy.',
    );
  }
  const { agreement } = options;
  if (agreement !== undefined && !(agreement.trim() !== '' && Number(agreement) >= 0 && Number(agreement) <= 1)) {
    throw usageError(
      `--agreement ${agreement}`,
      'It is no part of a whole.',
      'Pass a number from 0 to 1, such as 0.9.',
    );
  }
  return [
    ...(options.check ? ['--check'] : []),
    ...(options.onAnomaly === 'repair' ? ['--repair'] : []),
    ...(agreement === undefined ? [] : ['--agreement', agreement]),
  ];
}

/** How a container may name a database; `tls` gives the names that libpq reads. */
interface Naming {
  readonly prefix: string;
  readonly tls: { readonly [name: string]: string };
}

const under = (prefix: string): Naming => ({
  prefix,
  tls: { [`${prefix}SSLMODE`]: 'PGSSLMODE', [`${prefix}SSLROOTCERT`]: 'PGSSLROOTCERT' },
});

/** The names that the application itself reads, once it is on the database. */
const APPLICATION: Naming = { prefix: 'DATABASE_', tls: { PGSSLMODE: 'PGSSLMODE', PGSSLROOTCERT: 'PGSSLROOTCERT' } };

/** Before the cutover, and after it. */
const RELATIONAL = [under('DATA_LAYER_TARGET_'), APPLICATION];

/** Vectors may have a database of their own. */
const VECTORS = [under('DATA_LAYER_VECTORS_'), APPLICATION];

/** Where to move to: what the user names, else what the workload's container says. */
export function targetOf(
  workload: Pick<DeployedWorkload, 'name' | 'container'>,
  options: MigrateOptions,
): Required<Pick<OneOff, 'environment' | 'secrets'>> {
  const { targetHost, targetDatabase, targetSecret } = options;
  const named = [targetHost, targetDatabase, targetSecret].filter((value) => value !== undefined);
  if (named.length === 3) {
    return {
      environment: [
        { name: 'DATABASE_HOST', value: targetHost },
        { name: 'DATABASE_PORT', value: options.targetPort },
        { name: 'DATABASE_NAME', value: targetDatabase },
        { name: 'PGSSLMODE', value: options.targetSslmode },
      ],
      secrets: [
        { name: 'DATABASE_USER', valueFrom: `${targetSecret}:username::` },
        { name: 'DATABASE_PASSWORD', valueFrom: `${targetSecret}:password::` },
      ],
    };
  }
  if (named.length > 0) {
    throw usageError(
      'migrate',
      'The target is named in part.',
      'Pass --target-host, --target-database and --target-secret together, or none of them.',
    );
  }
  const { environment = [], secrets = [] } = workload.container;
  for (const { prefix, tls } of options.vectors ? VECTORS : RELATIONAL) {
    const plain = ['HOST', 'PORT', 'NAME'].map((name) => pick<KeyValuePair>(environment, prefix, name));
    const secret = ['USER', 'PASSWORD'].map((name) => pick<Secret>(secrets, prefix, name));
    if ([...plain, ...secret].every((one) => one !== undefined)) {
      const secured = environment
        .filter(({ name }) => name! in tls)
        .map(({ name, value }) => ({ name: tls[name!], value }));
      return { environment: [...(plain as KeyValuePair[]), ...secured], secrets: secret as Secret[] };
    }
  }
  throw usageError(
    `--workload ${workload.name}`,
    'Its container names no PostgreSQL to move to.',
    'Deploy a relational store first (phase PREPARE), or pass --target-host, --target-database and --target-secret.',
  );
}

function pick<T extends { name?: string }>(from: T[], prefix: string, name: string): T | undefined {
  const found = from.find((one) => one.name === `${prefix}${name}`);
  return found && { ...found, name: `DATABASE_${name}` };
}

async function migrate(shell: Shell, options: MigrateOptions): Promise<number> {
  const program = moverProgram(options.vectors ? 'vector_mover.py' : 'mover.py', argumentsOf(options));
  const query = workloadQuery(options);
  const aws = clientsOf(shell, options);
  const code = await Undo.guard(shell.io, async (undo, signal) => {
    const session: Session = { aws, io: shell.io, clock: shell.clock, undo, signal };
    const workload = await findWorkload(session, query);
    // What is moved is looked after, whatever else the workload keeps now.
    const stores = [
      ...new Set([options.vectors ? 'vector_db/' : 'webui.db', ...(options.stores?.split(',') ?? [])]),
    ].join(',');
    const migrations = workload.container.environment?.filter(({ name }) => /_MIGRATIONS$/.test(name!)).slice(0, 1);
    const target = targetOf(workload, options);
    const length = workload.container.environment?.find(({ name }) => name === 'PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH');
    const environment = [
      ...target.environment,
      ...(length ? [length] : []),
      ...(migrations ?? []).map(({ value }) => ({ name: 'KEEPER_MIGRATIONS', value })),
    ];
    // The movers run Open WebUI's own code, whether the workload still has a keeper or not.
    const image = options.image ?? workload.container.image;
    const oneOff: OneOff = { program, image, stores, secrets: target.secrets, environment };
    // Whatever is wrong with the definition must show before the application is stopped.
    oneOffDefinition(workload, oneOff);
    // Every way out of here, a failed move as well, sets the service's count back.
    await pauseService(session, workload);
    return (await runOneOff(session, workload, oneOff, renderMover)).exitCode;
  });
  if (code !== 0) {
    shell.io.note(`The mover ended with exit code ${code}: ${MOVER_EXIT[code] ?? 'see its last lines above'}.`);
  }
  return code;
}
