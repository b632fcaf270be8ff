import { asRecord } from '../checks/internal';
import { BillError } from './errors';
import { TemplateResource, TemplateResources } from './resources-of';
import { Usage } from './usage';
import { USAGE, UsageKey, UsageRow } from './usage-keys';

/** The two totals: what holds the data, and what the workloads run on. */
export type Part = 'data layer' | 'compute';

/** Reads an assumption, by default that of the resource itself. */
export type Use = (key: UsageKey, address?: string) => number;

/** How a line differs from quantity times rate. */
export interface LineOptions {
  /** Another region than that of the resource, for a copy kept there. */
  readonly region?: string;
  /** The part of the rate that is paid, in percent; what it is of is then the upper estimate. */
  readonly percentOfRate?: UsageKey;
  /** For people: what the number leaves open. */
  readonly note?: string;
}

/** A line before it has a price. */
export interface RequestedLine extends LineOptions {
  readonly name: string;
  readonly rate: string;
  readonly quantity: number;
  /** The assumptions the quantity or the price depends on. */
  readonly usage: UsageKey[];
  readonly percent: number;
}

/** Prices the resources of a type. */
export interface Pricer {
  readonly part: Part;
  readonly price: (pricing: Pricing) => void;
}

/** What a pricer sees of one resource, and where it puts its lines. */
export class Pricing {
  public readonly lines: RequestedLine[] = [];
  /** Why a part of the resource has no price. */
  public readonly problems: string[] = [];

  constructor(
    public readonly resource: TemplateResource,
    public readonly resources: TemplateResources,
    private readonly usage: Usage,
  ) {}

  /** A property by its path, for example ContainerInsights.Enabled. */
  public property(name: string, resource = this.resource): unknown {
    return name.split('.').reduce<unknown>((value, part) => asRecord(value)[part], resource.properties);
  }

  /** A number, which must be known when the template is made. */
  public number(name: string, fallback?: number, resource = this.resource): number {
    const value = this.property(name, resource) ?? fallback;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) {
      const problem =
        value === undefined
          ? 'It is not set, and the bill depends on it.'
          : value !== null && typeof value === 'object'
            ? `It is a token (${JSON.stringify(value).slice(0, 80)}), known only at deployment; the bill needs a number.`
            : `It is ${JSON.stringify(value)}, which is no quantity.`;
      throw new BillError(
        `${resource.address}, ${name}`,
        problem,
        'Set a plain number, or give the parameter it comes from a default.',
      );
    }
    return number;
  }

  /** A text; what only the deployment knows counts as the fallback. */
  public text(name: string, fallback = '', resource = this.resource): string {
    const value = this.property(name, resource);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : fallback;
  }

  /** How many things a list property has. */
  public count(name: string, fallback: number): number {
    const value = this.property(name);
    if (value !== undefined && !Array.isArray(value)) {
      throw new BillError(
        `${this.resource.address}, ${name}`,
        'It is a token, known only at deployment; the bill needs to count it.',
        'Pass a list.',
      );
    }
    return value?.length ?? fallback;
  }

  /** Whether a resource has a value of its own for an assumption. */
  public has(key: UsageKey, address: string): boolean {
    return this.usage.ownOf(key, address) !== undefined;
  }

  /** Adds a line. The assumptions it depends on are those that its quantity reads. */
  public line(name: string, rate: string, quantity: (use: Use) => number, options: LineOptions = {}): void {
    const usage = new Set<UsageKey>();
    const use: Use = (key, address = this.resource.address) => {
      usage.add(key);
      return this.usage.of(key, address);
    };
    const amount = quantity(use);
    const percent = options.percentOfRate === undefined ? 100 : use(options.percentOfRate);
    this.lines.push({ ...options, name, rate, quantity: amount, usage: [...usage], percent });
  }

  /** Says that a part of the resource has no price: the bill is then incomplete. */
  public notPriced(reason: string): void {
    this.problems.push(reason);
  }
}

/** Whether a line depends on more than that something exists for the whole month. */
export function isUsage(keys: UsageKey[]): boolean {
  return keys.some((key) => !(USAGE[key] as UsageRow).baseline);
}
