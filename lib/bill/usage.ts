import * as fs from 'fs';
import { nearest } from '../nearest';
import { BillError } from './errors';
import { USAGE, UsageKey, UsageRow } from './usage-keys';

/** Assumptions by name. */
export type UsageValues = { readonly [K in UsageKey]?: number };

/** A usage file: assumptions for every resource, and for single ones by the path of their construct. */
export interface UsageFile extends UsageValues {
  readonly resources?: { readonly [address: string]: UsageValues };
}

/** The assumptions of a bill: what was given, else the default. */
export class Usage {
  /** Checks values that came from a file or from another language. */
  public static from(given: unknown, where = 'usage'): Usage {
    const values = requireObject(given ?? {}, where);
    const { resources, ...general } = values;
    const own: [string, UsageValues][] = Object.entries(requireObject(resources ?? {}, `${where}, resources`)).map(
      ([address, one]) => [address, check(requireObject(one, `${where}, ${address}`), `${where}, ${address}`)],
    );
    return new Usage(check(general, where), new Map(own));
  }

  /** Reads a usage file. */
  public static fromFile(file: string): Usage {
    let text: string;
    try {
      text = fs.readFileSync(file, 'utf8');
    } catch (error) {
      throw new BillError(
        file,
        `The usage file cannot be read (${(error as NodeJS.ErrnoException).code}).`,
        'Pass a JSON file.',
      );
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (error) {
      throw new BillError(
        file,
        `The usage file is no JSON (${(error as Error).message}).`,
        'Write it as { "efs.storedGiB": 20 }.',
      );
    }
    return Usage.from(parsed, file);
  }

  private constructor(
    private readonly general: UsageValues,
    private readonly own: Map<string, UsageValues>,
  ) {}

  /** The value for a resource. */
  public of(key: UsageKey, address: string): number {
    return this.ownOf(key, address) ?? this.general[key] ?? USAGE[key].default;
  }

  /** The value given for this resource alone. */
  public ownOf(key: UsageKey, address: string): number | undefined {
    return this.own.get(address)?.[key];
  }

  /** Whether the value is the default for every resource. */
  public isDefault(key: UsageKey): boolean {
    return this.general[key] === undefined && [...this.own.values()].every((values) => values[key] === undefined);
  }

  /** The value that holds where no resource has its own. */
  public generalValue(key: UsageKey): number {
    return this.general[key] ?? USAGE[key].default;
  }

  /** The addresses of resources with values of their own. */
  public get addresses(): string[] {
    return [...this.own.keys()];
  }

  /** The same assumptions but for one, which gets this value for every resource. */
  public with(key: UsageKey, value: number): Usage {
    const own = [...this.own].map(([address, { [key]: _, ...values }]): [string, UsageValues] => [address, values]);
    return new Usage({ ...this.general, [key]: value }, new Map(own));
  }
}

function requireObject(value: unknown, where: string): { [key: string]: unknown } {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new BillError(where, `It is ${JSON.stringify(value)}.`, 'Write an object such as { "efs.storedGiB": 20 }.');
  }
  return value as { [key: string]: unknown };
}

function check(values: { [key: string]: unknown }, where: string): UsageValues {
  for (const [key, value] of Object.entries(values)) {
    if (!Object.hasOwn(USAGE, key)) {
      const near = nearest(key, Object.keys(USAGE)) ?? sameEnding(key);
      throw new BillError(
        `${where}, ${key}`,
        'There is no such assumption.',
        near ? `Did you mean ${near}?` : `There are: ${Object.keys(USAGE).join(', ')}.`,
      );
    }
    const { unit, max }: UsageRow = USAGE[key as UsageKey];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > max) {
      throw new BillError(
        `${where}, ${key}`,
        `It is ${JSON.stringify(value)} (${typeof value}).`,
        `Write a number from 0 to ${max} (${unit}).`,
      );
    }
  }
  return values as UsageValues;
}

/** storedGiB for efs.storedGiB. */
function sameEnding(key: string): string | undefined {
  const ending = key.split('.').pop()!.toLowerCase();
  return Object.keys(USAGE).find((known) => known.split('.')[1].toLowerCase() === ending);
}
