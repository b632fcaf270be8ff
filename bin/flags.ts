import { App } from 'aws-cdk-lib';
import { PriceBook } from '../lib/bill';
import { TAG_VALUE } from '../lib/inputs';
import { isCidr } from '../lib/load-balancer/internal';
import { nearest } from '../lib/nearest';
import { PRINCIPAL_ARN, SECRET_ARN, TABLE_BUCKET_NAME, WHY_NOT_QDRANT_ON_EFS } from '../lib/stores/internal';

/** All flags of the deploy app are context keys with this prefix. */
export const PREFIX = 'data-layer:';

/** dataLayer:, data_layer., efs-data-layer: and the like. */
const MISSPELT_PREFIX = /^(?:efs-?)?data[-_ ]?layers?\s*[:./]\s*/i;

/** One flag: the source of its parsing, of the help in every error, and of the documentation. */
export interface Flag<T> {
  /** The valid values, for people. */
  readonly valid: string;
  /** What holds when the flag is not set. */
  readonly default: T;
  /** One sentence. */
  readonly sentence: string;
  /** Reads a value from JSON or from a `-c key=value` string. Undefined means: not valid. */
  readonly parse: (value: unknown) => T | undefined;
}

function flag<T>(valid: string, defaultValue: T, sentence: string, parse: Flag<T>['parse']): Flag<T> {
  return { valid, default: defaultValue, sentence, parse };
}

function choice<const V extends readonly string[]>(valid: V, defaultValue: V[number], sentence: string) {
  return flag<V[number]>(valid.join(' | '), defaultValue, sentence, (value) =>
    typeof value === 'string' && valid.includes(value) ? value : undefined,
  );
}

function bool(defaultValue: boolean, sentence: string): Flag<boolean> {
  return flag<boolean>('true | false', defaultValue, sentence, (value) =>
    value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
  );
}

function amount(
  defaultValue: number | undefined,
  unit: string,
  max: number,
  sentence: string,
): Flag<number | undefined> {
  return flag<number | undefined>(`0 to ${max} (${unit})`, defaultValue, sentence, (value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof number === 'number' && number >= 0 && number <= max ? number : undefined;
  });
}

function optionalChoice<const V extends readonly string[]>(valid: V, sentence: string): Flag<V[number] | undefined> {
  return flag<V[number] | undefined>(valid.join(' | '), undefined, sentence, (value) =>
    typeof value === 'string' && valid.includes(value) ? value : undefined,
  );
}

function text(valid: string, pattern: RegExp, sentence: string): Flag<string | undefined> {
  return flag<string | undefined>(valid, undefined, sentence, (value) =>
    typeof value === 'string' && pattern.test(value) ? value : undefined,
  );
}

function principals(sentence: string): Flag<string[] | undefined> {
  return flag<string[] | undefined>('<role or user ARN>,<role or user ARN>', undefined, sentence, (value) => {
    const arns = typeof value === 'string' ? value.split(',') : value;
    return Array.isArray(arns) && arns.length > 0 && arns.every((arn) => PRINCIPAL_ARN.test(String(arn)))
      ? (arns as string[])
      : undefined;
  });
}

/** Bucket, then a key: printable ASCII without the characters that mean something in an IAM policy (* ? $). */
const FOCUS_EXPORT = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([!-#%-)+-.0->@-~]+(?:\/[!-#%-)+-.0->@-~]+)*)$/;

/** A location that an export can be made at. */
const CREATED_EXPORT = /^s3:\/\/[a-z0-9][a-z0-9-]{1,61}[a-z0-9](\/[0-9A-Za-z_.-]+)+\/[0-9A-Za-z_-]+$/;

/** Every flag of the app. A store that does not exist yet has no row and no value here. */
export const FLAGS = {
  stage: choice(
    ['prod', 'staging', 'dev'],
    'prod',
    'Names the stack; dev is the only stage whose data may be deleted, and only with allowDestroy.',
  ),
  services: bool(
    false,
    'Run Open WebUI and Chroma as services, and the evidence collector daily (compute is billed apart).',
  ),
  relational: choice(
    ['sqlite-on-efs', 'rds-postgres', 'aurora-serverless-v2', 'external'],
    'sqlite-on-efs',
    "Where Open WebUI's relational data lives.",
  ),
  relationalPhase: optionalChoice(
    ['prepare', 'cutover', 'complete'],
    'How far the move from SQLite has come, one deployment each; required with another relational store. A new installation starts with cutover.',
  ),
  relationalHost: text(
    'a host name',
    /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/,
    'The host of relational=external; its database is called openwebui.',
  ),
  relationalSecret: text(
    'the complete ARN of a secret',
    SECRET_ARN,
    'The secret of relational=external, with the JSON keys username and password.',
  ),
  vectors: choice(
    ['chroma-on-efs', 'pgvector', 's3-vectors', 'qdrant'],
    'chroma-on-efs',
    "Where the vectors of Open WebUI's knowledge live. pgvector is an extension of the relational store.",
  ),
  qdrantUrl: text(
    'https://<host>:<port>',
    /^https?:\/\/[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?$/,
    'The address of vectors=qdrant. Qdrant does not work on EFS, so that none is made.',
  ),
  qdrantSecret: text(
    'the complete ARN of a secret',
    SECRET_ARN,
    'The secret of vectors=qdrant that holds its API key.',
  ),
  analytics: choice(
    ['evidence-files', 's3-tables'],
    'evidence-files',
    'Where FinOps evidence is queried. With s3-tables the files stay, and Athena queries what is loaded from focusExport.',
  ),
  tableBucket: text(
    'the name of a table bucket',
    TABLE_BUCKET_NAME,
    'With analytics=s3-tables: the table bucket that an earlier deployment left behind, in place of a new one.',
  ),
  glueCatalog: choice(
    ['create', 'existing'],
    'create',
    'With analytics=s3-tables: whether the catalog s3tablescatalog, one for an account and region, is made or there already.',
  ),
  search: choice(
    ['none', 'open-search-serverless'],
    'none',
    'Full-text search over evidence. The index is filled by efs-data-layer search index.',
  ),
  searchReaders: principals('Who may search with search=open-search-serverless, beside the evidence task.'),
  searchIndexers: principals(
    'Who may also fill the index, with efs-data-layer search index, beside the evidence task.',
  ),
  searchPrivate: bool(
    false,
    'Reach search=open-search-serverless through an endpoint in the VPC only, which is billed by the hour.',
  ),
  cache: choice(['none', 'valkey-serverless'], 'none', 'What several replicas of Open WebUI share.'),
  replicas: flag<number>(
    '1 to 100',
    1,
    'Tasks of Open WebUI. More than one needs PostgreSQL, a vector store that is not on EFS, and a cache.',
    (value) => (/^([1-9]\d?|100)$/.test(String(value)) && typeof value !== 'object' ? Number(value) : undefined),
  ),
  certificateArn: text(
    'the ARN of a certificate',
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
    'Puts a load balancer before Open WebUI, HTTPS only. Needs services and allowedCidrs.',
  ),
  allowedCidrs: flag<string[] | undefined>(
    '<network>,<network>',
    undefined,
    'The IPv4 networks that may connect to the load balancer.',
    (value) => {
      const cidrs = typeof value === 'string' ? value.split(',') : value;
      return Array.isArray(cidrs) && cidrs.length > 0 && cidrs.every((cidr) => typeof cidr === 'string' && isCidr(cidr))
        ? cidrs
        : undefined;
    },
  ),
  domainName: text(
    'a host name',
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
    'The name that the certificate of the load balancer covers.',
  ),
  hostedZoneId: text(
    'the id of a Route 53 zone',
    /^Z[A-Z0-9]{4,31}$/,
    'The zone in which domainName is made to point to it.',
  ),
  architecture: choice(['arm64', 'x86_64'], 'arm64', 'The processor of the tasks.'),
  backup: bool(true, 'An AWS Backup plan: daily, kept 7 days.'),
  alarms: bool(false, 'Alarms and a dashboard, with their default thresholds; they count in the budget.'),
  alarmTopicArn: text(
    'the ARN of an SNS topic',
    /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    'The topic that every alarm notifies. Needs alarms.',
  ),
  allowDestroy: bool(false, 'The second key, beside stage=dev, that lets cdk destroy delete the file system.'),
  focusExport: flag<string | undefined>(
    's3://<bucket>/<prefix>/<export name>',
    undefined,
    'The AWS Data Exports FOCUS export that the evidence collector reads.',
    (value) => (typeof value === 'string' && FOCUS_EXPORT.test(value) ? value : undefined),
  ),
  createFocusExport: text(
    'a region, for example ap-southeast-2',
    /^[a-z]{2}(-[a-z]+)+-\d$/,
    'Makes the export of focusExport and its bucket. The value is the region of the data layer, which the stack is then bound to; outside us-east-1 the export is a second stack there.',
  ),
  monthlyBudgetUsd: amount(6, 'USD', 1e6, 'What the data layer may cost in a month; the synth fails beyond it.'),
  storedGiB: amount(
    undefined,
    'GiB',
    1e6,
    'Live data for which the budget is checked; by default what the budget buys with backups and snapshots.',
  ),
  priceRegion: flag<string | undefined>(
    PriceBook.regions().join(' | '),
    undefined,
    'The region whose prices hold; by default that of the stack, us-east-1 when it has none.',
    (value) => (typeof value === 'string' && PriceBook.regions().includes(value) ? value : undefined),
  ),
  costCenter: flag<string | undefined>(
    '1 to 256 letters, digits, spaces and _ . : / = + - @',
    undefined,
    'Value of the cost allocation tag CostCenter.',
    (value) => (typeof value === 'string' && TAG_VALUE.test(value) ? value : undefined),
  ),
} as const;

/** The values of all flags. */
export type FlagValues = { -readonly [K in keyof typeof FLAGS]: (typeof FLAGS)[K]['default'] };

/** The table of flags, as printed with every error. */
export function flagHelp(): string {
  return Object.entries(FLAGS)
    .map(([name, row]) => `  ${PREFIX}${name}=${row.valid} (default ${row.default ?? 'none'})\n      ${row.sentence}`)
    .join('\n');
}

/** Splits s3://bucket/prefix/export-name. */
export function parseFocusExport(uri: string): { bucketName: string; prefix: string } {
  const [, bucketName, prefix] = FOCUS_EXPORT.exec(uri)!;
  return { bucketName, prefix };
}

/** Flags that need or exclude one another. */
function contradictions(flags: FlagValues): string[] {
  const problems: string[] = [];
  const needs = (flagName: keyof FlagValues, choice: string, why: string) =>
    problems.push(`${PREFIX}${choice} needs ${PREFIX}${flagName}: ${why}`);
  const useless = (flagName: string, choice: string) =>
    problems.push(`${PREFIX}${flagName} goes with ${PREFIX}${choice} only.`);

  const onVolume = flags.relational === 'sqlite-on-efs';
  if (!onVolume && !flags.relationalPhase) {
    needs(
      'relationalPhase',
      `relational=${flags.relational}`,
      'prepare when Open WebUI has data on the volume, cutover for a new installation.',
    );
  } else if (onVolume && flags.relationalPhase) {
    problems.push(
      `${PREFIX}relationalPhase=${flags.relationalPhase} has no meaning with ${PREFIX}relational=sqlite-on-efs. To go back to SQLite keep the store and set the phase to prepare: the database stays.`,
    );
  }
  for (const name of ['relationalHost', 'relationalSecret'] as const) {
    if (flags.relational === 'external' && !flags[name]) {
      needs(name, 'relational=external', FLAGS[name].sentence);
    } else if (flags.relational !== 'external' && flags[name]) {
      useless(name, 'relational=external');
    }
  }
  if (flags.vectors === 'qdrant' && !flags.qdrantUrl) {
    needs('qdrantUrl', 'vectors=qdrant', WHY_NOT_QDRANT_ON_EFS);
  }
  for (const name of ['qdrantUrl', 'qdrantSecret'] as const) {
    if (flags.vectors !== 'qdrant' && flags[name]) {
      useless(name, 'vectors=qdrant');
    }
  }
  for (const name of ['searchReaders', 'searchIndexers', 'searchPrivate'] as const) {
    if (flags.search !== 'open-search-serverless' && flags[name]) {
      useless(name, 'search=open-search-serverless');
    }
  }
  for (const name of ['allowedCidrs', 'domainName', 'hostedZoneId'] as const) {
    if (flags[name] && !flags.certificateArn) {
      needs('certificateArn', name, FLAGS.certificateArn.sentence);
    }
  }
  if (flags.alarmTopicArn && !flags.alarms) {
    needs('alarms', 'alarmTopicArn', 'without alarms there is nothing to notify of.');
  }
  if (flags.certificateArn && !flags.allowedCidrs) {
    needs('allowedCidrs', 'certificateArn', 'who may connect has no default.');
  }
  if (flags.certificateArn && !flags.services) {
    needs('services', 'certificateArn', 'without a service there is nothing a load balancer could reach.');
  }
  if (flags.hostedZoneId && !flags.domainName) {
    needs('domainName', 'hostedZoneId', 'the name that is to point to the load balancer.');
  }
  if (flags.analytics === 's3-tables' && !flags.focusExport) {
    needs('focusExport', 'analytics=s3-tables', 'it is what the tables are loaded from.');
  }
  if (flags.analytics !== 's3-tables' && flags.tableBucket) {
    useless('tableBucket', 'analytics=s3-tables');
  }
  if (flags.analytics !== 's3-tables' && flags.glueCatalog === 'existing') {
    useless('glueCatalog=existing', 'analytics=s3-tables');
  }
  problems.push(...exportProblems(flags));
  return problems;
}

/** What is made must have names that AWS Data Exports and both stacks can use. */
function exportProblems({ focusExport, createFocusExport }: FlagValues): string[] {
  if (!createFocusExport) {
    return [];
  }
  if (!focusExport) {
    return [
      `${PREFIX}createFocusExport needs ${PREFIX}focusExport: where it is to lie, s3://<bucket>/<prefix>/<export name>.`,
    ];
  }
  if (/^(us-gov|us-iso|us-isob|eu-isoe|eusc)-/.test(createFocusExport)) {
    return [
      `${PREFIX}createFocusExport=${createFocusExport}: CloudFormation makes no export in that partition. Make it there by hand, and set ${PREFIX}focusExport alone.`,
    ];
  }
  return CREATED_EXPORT.test(focusExport)
    ? []
    : [
        `${PREFIX}focusExport=${focusExport} cannot be made: the bucket takes lower-case letters, digits and hyphens, the prefix letters, digits and - _ . between slashes, the name letters, digits, - and _.`,
      ];
}

/** Reads and checks every flag. All problems are reported in one error. */
export function readFlags(app: App): FlagValues {
  const context = app.node.getAllContext() as { [key: string]: unknown };
  const problems: string[] = [];

  for (const key of Object.keys(context)) {
    if (key.startsWith(PREFIX)) {
      const name = key.slice(PREFIX.length);
      if (!Object.hasOwn(FLAGS, name)) {
        const near = nearest(name, Object.keys(FLAGS));
        problems.push(`${key} is no flag of this app.${near ? ` Did you mean ${PREFIX}${near}?` : ''}`);
      }
    } else if (Object.hasOwn(FLAGS, key)) {
      problems.push(`${key} has no prefix and would be ignored. Write ${PREFIX}${key}.`);
    } else if (MISSPELT_PREFIX.test(key)) {
      problems.push(
        `${key} has a misspelt prefix and would be ignored. Write ${PREFIX}${key.replace(MISSPELT_PREFIX, '')}.`,
      );
    }
  }

  const values = {} as { [name: string]: unknown };
  for (const [name, row] of Object.entries(FLAGS) as [string, Flag<unknown>][]) {
    const given = context[PREFIX + name];
    const value = given === undefined ? row.default : row.parse(given);
    if (given !== undefined && value === undefined) {
      problems.push(`${PREFIX}${name}=${JSON.stringify(given)} is not valid. Valid: ${row.valid}.`);
    }
    values[name] = value;
  }
  const flags = values as FlagValues;
  if (flags.allowDestroy && flags.stage !== 'dev') {
    problems.push(
      `${PREFIX}allowDestroy=true goes with ${PREFIX}stage=dev only: the data of stage ${flags.stage} is never deleted by cdk destroy.`,
    );
  }

  problems.push(...contradictions(flags));

  if (problems.length > 0) {
    throw new Error(
      `The flags of the app (context keys, in cdk.json or with -c) cannot be used:\n- ${problems.join('\n- ')}\n\nValid flags:\n${flagHelp()}`,
    );
  }
  return flags;
}
