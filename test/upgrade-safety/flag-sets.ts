import { App } from 'aws-cdk-lib';
import { createStack } from '../../bin/app';
import { Flag, FLAGS, PREFIX, readFlags } from '../../bin/flags';
import { UPGRADE_PATHS } from '../../lib/upgrade-paths';

/** Flags that are given, as in cdk.json, without their prefix. A flag that is not there has its default. */
export type FlagSet = Readonly<Record<string, string>>;

/** Say nothing about the resources of a stack: what it may cost, and which stack it is. */
const OUTSIDE_THE_TEMPLATE = ['monthlyBudgetUsd', 'storedGiB', 'priceRegion', 'stage'];

const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;

/** Values to try of flags that take any text. A flag whose valid values are a list needs none here. */
const SAMPLES: Readonly<Record<string, string[]>> = {
  relationalHost: ['db.example.com', 'other.example.com'],
  relationalSecret: [secret('database')],
  qdrantUrl: ['https://qdrant.example.com:6333', 'http://other.example.com'],
  qdrantSecret: [secret('qdrant')],
  replicas: ['1', '2', '3'],
  certificateArn: ['arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000'],
  allowedCidrs: ['203.0.113.0/24', '203.0.113.0/24,198.51.100.0/24'],
  domainName: ['chat.example.com'],
  hostedZoneId: ['Z0123456789'],
  // One bucket: with createFocusExport another name is another bucket, and the first one stays.
  focusExport: ['s3://exports/focus/cost', 's3://exports/focus/other'],
  // One region: another one would be another stack.
  createFocusExport: ['ap-southeast-2'],
  tableBucket: ['kept-bucket'],
  searchReaders: ['arn:aws:iam::123456789012:role/Auditor'],
  searchIndexers: ['arn:aws:iam::123456789012:role/Indexer'],
  alarmTopicArn: ['arn:aws:sns:us-east-1:123456789012:alerts'],
  costCenter: ['finops'],
};

const CONTEXT = require('../../cdk.json').context as Record<string, unknown>;

function contextOf(flags: FlagSet): Record<string, unknown> {
  return {
    ...CONTEXT,
    ...Object.fromEntries(Object.entries(flags).map(([name, value]) => [PREFIX + name, value])),
  };
}

/** The flags to vary and the values of each; undefined is the flag left out. */
export function factors(): Map<string, (string | undefined)[]> {
  const all = Object.entries(FLAGS) as [string, Flag<unknown>][];
  return new Map(
    all
      .filter(([name]) => !OUTSIDE_THE_TEMPLATE.includes(name))
      .map(([name, row]) => {
        const listed = row.valid.split(' | ');
        const values = listed.every((value) => row.parse(value) !== undefined) ? listed : SAMPLES[name];
        if (!values || values.some((value) => row.parse(value) === undefined)) {
          throw new Error(`The flag ${name} takes any text: give values of it to SAMPLES in ${__filename}.`);
        }
        return [name, [undefined, ...values.filter((value) => value !== String(row.default))]];
      }),
  );
}

/** The template of a flag set; undefined when the app refuses it. */
export function templateOf(flags: FlagSet, outdir: string): Template | undefined {
  const app = new App({ context: contextOf(flags), outdir, analyticsReporting: false });
  try {
    createStack(app, readFlags(app));
  } catch {
    return undefined;
  }
  return app.synth().stacks[0].template as Template;
}

/** As much of a template as is looked at here. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly [section: string]: unknown;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly [attribute: string]: unknown;
}

/** The flag set with one flag changed; undefined takes the flag away. */
export function withFlag(flags: FlagSet, name: string, value: string | undefined): FlagSet {
  const rest = Object.fromEntries(Object.entries(flags).filter(([other]) => other !== name));
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** What flags.ts says is missing is added, what it says must not be there is taken away, until nothing is said. */
export function completed(flags: FlagSet): FlagSet | undefined {
  const values = factors();
  let current = flags;
  for (let attempt = 0; attempt < 8; attempt++) {
    let message: string;
    try {
      readFlags(new App({ context: contextOf(current) }));
      return current;
    } catch (error) {
      message = (error as Error).message;
    }
    const needed = / needs data-layer:(\w+):/.exec(message);
    const goesWith = /data-layer:(\w+)(?:=\S+)? goes with data-layer:(\w+)=(\S+) only/.exec(message);
    const meaningless = /data-layer:(\w+)=\S+ has no meaning/.exec(message);
    if (needed) {
      current = withFlag(
        current,
        needed[1],
        values.get(needed[1])!.find((value) => value !== undefined),
      );
    } else if (goesWith && !OUTSIDE_THE_TEMPLATE.includes(goesWith[2])) {
      current = withFlag(current, goesWith[1], undefined);
    } else if (goesWith) {
      current = withFlag(current, goesWith[2], goesWith[3]);
    } else if (meaningless) {
      current = withFlag(current, meaningless[1], undefined);
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** The flag sets that the upgrade runbooks go through. */
export function runbookSets(): FlagSet[] {
  const placeholder = /<[^>]+>/;
  return UPGRADE_PATHS.flatMap(({ steps }) =>
    steps.map(({ flags }) =>
      Object.fromEntries(
        Object.entries({ services: 'true', ...flags }).map(([name, value]) => [
          name,
          placeholder.test(value) ? SAMPLES[name][0] : value,
        ]),
      ),
    ),
  );
}
