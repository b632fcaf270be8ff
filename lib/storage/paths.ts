import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { inputError } from '../errors';

/** Directories an image needs for itself: a volume mounted over one of them hides what the image keeps there. */
const SYSTEM_PATHS = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib64',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
];

function requireAbsolutePath(scope: IConstruct, name: string, path: unknown, example: string): string {
  if (Token.isUnresolved(path)) {
    throw inputError(scope, `${name} is a token, known only at deployment.`, `Pass a plain path such as ${example}.`);
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw inputError(
      scope,
      `${name} is ${JSON.stringify(path)}, which is not an absolute path.`,
      `Pass a path such as ${example}.`,
    );
  }
  if (path === '/' || path.endsWith('/') || /\/\/|\/\.{1,2}(\/|$)/.test(path)) {
    throw inputError(
      scope,
      `${name} is ${JSON.stringify(path)}: "/", "//", "." and ".." parts and a closing slash are not allowed.`,
      `Pass a path such as ${example}.`,
    );
  }
  return path;
}

/** True when one path is the other or lies inside it. */
export function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/**
 * Checks the directory of a workload on the file system.
 * EFS allows four levels and 100 characters (API_RootDirectory, docs.aws.amazon.com/efs, read 2026-11).
 */
export function requireDirectory(scope: IConstruct, directory: unknown): string {
  const path = requireAbsolutePath(scope, 'directory', directory, '/reports');
  if (path.length > 100 || path.split('/').length > 5) {
    throw inputError(
      scope,
      `directory is "${path}": EFS allows at most 100 characters and four levels.`,
      'Pass a shorter path such as /reports.',
    );
  }
  if (!/^[A-Za-z0-9._/-]+$/.test(path)) {
    throw inputError(
      scope,
      `directory is "${path}".`,
      'Use only letters, digits, dot, underscore and hyphen between the slashes.',
    );
  }
  return path;
}

/** Checks where a container sees the volume. */
export function requireMountPath(scope: IConstruct, mountPath: unknown): string {
  const path = requireAbsolutePath(scope, 'mountPath', mountPath, '/mnt/reports');
  if (overlaps(path, '/app/backend/data')) {
    throw inputError(
      scope,
      `mountPath is "${path}", which hides /app/backend/data: Open WebUI's image keeps its embedding model there, and ECS does not copy image content onto a volume.`,
      'Mount elsewhere, for example at /mnt/open-webui: DATA_DIR is set to the mount.',
    );
  }
  const shadowed = SYSTEM_PATHS.find((system) => overlaps(path, system));
  if (shadowed) {
    throw inputError(
      scope,
      `mountPath is "${path}", which hides or lies in the image's own ${shadowed}.`,
      'Mount below /mnt, for example at /mnt/reports.',
    );
  }
  return path;
}
