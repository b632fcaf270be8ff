import { ContainerDefinition } from '@aws-sdk/client-ecs';
import { Check } from '../examination';

/** Where a SQLAlchemy address of SQLite leads, and how it is opened. */
export interface SqliteAddress {
  readonly path: string;
  readonly vfs?: string;
}

/**
 * What SQLAlchemy makes of an address: three slashes and then a path relative to the working directory, four for an
 * absolute one; or `file:` and a URI, which SQLite itself reads when uri=true (docs.sqlalchemy.org, dialects, sqlite).
 */
export function readSqliteUrl(url: string): SqliteAddress | undefined {
  const found = /^sqlite(?:\+\w+)?:\/\/\/(.*)$/.exec(url);
  if (!found) {
    return undefined;
  }
  const [name, query = ''] = found[1].split('?');
  const parameters = new URLSearchParams(query);
  if (!/^file:/.test(name)) {
    return { path: name };
  }
  const path = name.replace(/^file:(\/\/(?=\/))?/, '');
  return { path: parameters.get('uri') === 'true' ? path : name, vfs: parameters.get('vfs') ?? undefined };
}

/** What is wrong with an address, in words. */
export function sqliteUrlProblem(url: string, mounts: string[]): string | undefined {
  const address = readSqliteUrl(url);
  if (!address) {
    return undefined;
  }
  if (!address.path.startsWith('/')) {
    return `three slashes and no other are a path relative to the working directory (${address.path}): the database is beside the volume`;
  }
  if (!mounts.some((mount) => address.path.startsWith(`${mount.replace(/\/$/, '')}/`))) {
    return `${address.path} is not below ${mounts.join(' or ')}: the database is beside the volume`;
  }
  return address.vfs === 'unix-excl' ? undefined : 'it is not opened with vfs=unix-excl: a second host is not refused';
}

function mountsOf(container: ContainerDefinition, volumes: string[]): string[] {
  return (container.mountPoints ?? [])
    .filter((one) => volumes.includes(one.sourceVolume ?? ''))
    .map((one) => one.containerPath!);
}

export const sqliteUrl: Check = {
  name: 'SQLite addresses',
  kinds: {
    'sqlite-url': {
      severity: 'critical',
      title: 'A SQLite address misses the volume, or is not exclusive',
      why: 'A database beside the volume is gone with its task: the application looks well until the next deployment. Without unix-excl two hosts may open the same file.',
    },
  },
  async run({ live, find }) {
    for (const { name, definition, service, promisedArn } of await live.ecs.units()) {
      const volumes = (definition.volumes ?? []).filter((one) => one.efsVolumeConfiguration).map((one) => one.name!);
      for (const container of definition.containerDefinitions ?? []) {
        const mounts = mountsOf(container, volumes);
        const url = container.environment?.find((one) => one.name === 'DATABASE_URL')?.value;
        const problem = url === undefined || mounts.length === 0 ? undefined : sqliteUrlProblem(url, mounts);
        if (problem) {
          find(
            'sqlite-url',
            name,
            `DATABASE_URL of ${container.name} is ${url}: ${problem}.`,
            `aws ecs update-service --cluster ${service!.cluster} --service ${name} --task-definition ${promisedArn} ${live.at}`,
          );
        }
      }
    }
  },
};
