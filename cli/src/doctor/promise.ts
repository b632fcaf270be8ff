/** A value that only CloudFormation knows. It equals everything. */
export const UNKNOWN = Symbol('unknown');

/** A resource of the stack, with what its template promises about it. */
export interface Promised {
  readonly logicalId: string;
  readonly type: string;
  readonly id: string;
  readonly madeAt?: Date;
  readonly properties: Record<string, unknown>;
}

/** What references resolve to. */
export interface Names {
  readonly stackName: string;
  readonly stackId: string;
  readonly parameters: Record<string, string>;
  /** Types and physical ids by logical id. */
  readonly resources: Record<string, { type: string; id: string }>;
}

type Tree = Record<string, unknown>;

/** The properties of a template with every reference in its place. */
export function resolve(value: unknown, names: Names): unknown {
  if (Array.isArray(value)) {
    return value.map((one) => resolve(one, names));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value as Tree);
  if (entries.length === 1 && (entries[0][0] === 'Ref' || entries[0][0].startsWith('Fn::'))) {
    return intrinsic(entries[0][0], entries[0][1], names);
  }
  return Object.fromEntries(entries.map(([key, child]) => [key, resolve(child, names)]));
}

function intrinsic(name: string, argument: unknown, names: Names): unknown {
  switch (name) {
    case 'Ref':
      return reference(argument as string, names);
    case 'Fn::GetAtt':
      return attribute(argument as [string, string], names);
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown];
      const resolved = resolve(parts, names);
      return Array.isArray(resolved) && !resolved.includes(UNKNOWN) ? resolved.join(separator) : UNKNOWN;
    }
    case 'Fn::Split': {
      const [separator, text] = resolve(argument, names) as [string, unknown];
      return typeof text === 'string' ? text.split(separator) : UNKNOWN;
    }
    case 'Fn::Select': {
      const [index, list] = resolve(argument, names) as [number, unknown];
      return Array.isArray(list) && list[index] !== undefined ? list[index] : UNKNOWN;
    }
    default:
      return UNKNOWN;
  }
}

function reference(name: string, { stackName, stackId, parameters, resources }: Names): unknown {
  const [, partition, , region, account] = stackId.split(':');
  const pseudo: Record<string, string> = {
    'AWS::Partition': partition,
    'AWS::Region': region,
    'AWS::AccountId': account,
    'AWS::StackName': stackName,
    'AWS::StackId': stackId,
    'AWS::URLSuffix': partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
  };
  return pseudo[name] ?? parameters[name] ?? resources[name]?.id ?? UNKNOWN;
}

/** Attributes that follow from the physical id. */
function attribute([logicalId, name]: [string, string], { stackId, resources }: Names): unknown {
  const [, partition, , region, account] = stackId.split(':');
  const resource = resources[logicalId];
  if (!resource) {
    return UNKNOWN;
  }
  const { type, id } = resource;
  const arn = (service: string, rest: string, where = region) =>
    `arn:${partition}:${service}:${where}:${account}:${rest}`;
  if (['GroupId', 'BackupVaultName', 'BackupPlanId', 'FileSystemId', 'AccessPointId'].includes(name)) {
    return id;
  }
  if (name !== 'Arn') {
    return UNKNOWN;
  }
  switch (type) {
    case 'AWS::IAM::Role':
      return arn('iam', `role/${id}`, '');
    case 'AWS::EFS::FileSystem':
      return arn('elasticfilesystem', `file-system/${id}`);
    case 'AWS::EFS::AccessPoint':
      return arn('elasticfilesystem', `access-point/${id}`);
    case 'AWS::Logs::LogGroup':
      return arn('logs', `log-group:${id}:*`);
    case 'AWS::ServiceDiscovery::HttpNamespace':
      return arn('servicediscovery', `namespace/${id}`);
    case 'AWS::ECS::Cluster':
      return arn('ecs', `cluster/${id}`);
    default:
      return UNKNOWN;
  }
}
