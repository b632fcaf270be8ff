import { differences, show } from './compare';
import { Examination } from './examination';
import { UNKNOWN } from './promise';

/** A setting of a resource that has one call to change it, such as modify-db-instance. */
export interface Setting<T> {
  /** As the template names it. */
  readonly property: string;
  /** The finding when it is another. */
  readonly kind: string;
  readonly read: (live: T) => unknown;
  /** The option of the command that sets it. */
  readonly option: (wanted: unknown) => string;
}

/** A setting that the service calls as the template does. */
export function same<T>(property: keyof T & string, kind: string, option: Setting<T>['option']): Setting<T> {
  return { property, kind, read: (live) => live[property], option };
}

/** For options that are on or off: --multi-az, --no-multi-az. */
export function onOff(name: string): (wanted: unknown) => string {
  return (wanted) => (String(wanted) === 'true' ? `--${name}` : `--no-${name}`);
}

/** For options with a value, or several. */
export function value(name: string): (wanted: unknown) => string {
  return (wanted) => `--${name} ${[wanted].flat().map(show).join(' ')}`;
}

/** Lists of ids have no order. One that holds what only CloudFormation knows equals every other. */
export function unordered(list: unknown): unknown {
  if (!Array.isArray(list) || list.some((one) => typeof one === 'object')) {
    return list;
  }
  return list.includes(UNKNOWN) ? UNKNOWN : list.map(String).sort();
}

/** Compares what the template promises of a resource, setting by setting. */
export function compareSettings<T>(
  { find }: Examination,
  resource: string,
  promised: Record<string, unknown>,
  live: T,
  settings: Setting<T>[],
  command: (option: string) => string,
): void {
  for (const { property, kind, read, option } of settings) {
    const wanted = promised[property];
    for (const one of differences(unordered(wanted), unordered(read(live)))) {
      const name = [property, ...one.path].join('.');
      find(kind, resource, `${name} is ${show(one.live)}; promised is ${show(one.promised)}.`, command(option(wanted)));
    }
  }
}
