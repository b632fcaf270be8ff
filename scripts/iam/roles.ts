import { Statement } from '../../cli/src/doctor/iam/evaluate';

/** A resource of a template, as far as it is read here. */
interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** A template. */
export interface Resources {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** A role with all that it may do. */
export interface Role {
  readonly id: string;
  readonly description?: string;
  /** Who may assume it. */
  readonly trust: Statement[];
  /** The managed policies attached to it that the template does not hold. */
  readonly managed: string[];
  /** Its inline policies' statements. */
  readonly statements: Statement[];
}

/** How a reference is written: its logical id or pseudo parameter, and the attribute of Fn::GetAtt. */
export type Naming = (name: string, attribute?: string) => string;

/** A value with every reference replaced by a text. */
export function textOf(value: unknown, naming: Naming): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => textOf(item, naming));
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const entries = Object.entries(value);
  const [[name, argument]] = entries.length === 1 ? entries : [['', undefined]];
  switch (name) {
    case 'Ref':
      return naming(argument as string);
    case 'Fn::GetAtt':
      return naming(...(argument as [string, string]));
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return (textOf(parts, naming) as unknown[]).map(String).join(separator);
    }
    case 'Fn::Split': {
      const [separator, text] = argument as [string, unknown];
      return String(textOf(text, naming)).split(separator);
    }
    case 'Fn::Select': {
      const [index, list] = argument as [number, unknown];
      const texts = textOf(list, naming);
      const chosen: unknown = Array.isArray(texts) ? texts[Number(index)] : undefined;
      if (chosen === undefined) {
        throw new Error(`Fn::Select finds nothing: ${JSON.stringify(argument)}.`);
      }
      return chosen;
    }
    default:
      if (name.startsWith('Fn::')) {
        throw new Error(`${name} in a policy is not known here: ${JSON.stringify(value)}.`);
      }
      return Object.fromEntries(entries.map(([key, inner]) => [key, textOf(inner, naming)]));
  }
}

const list = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : ([value].flat() as T[]));

function statements(document: unknown, naming: Naming): Statement[] {
  const { Statement: found } = textOf(document, naming) as { Statement: Statement | Statement[] };
  return list(found);
}

/** Every role of a template, with the policies attached to it from anywhere in it. */
export function rolesOf({ Resources }: Resources, naming: Naming): Role[] {
  const policies = Object.values(Resources).filter(({ Type }) =>
    ['AWS::IAM::Policy', 'AWS::IAM::RolePolicy', 'AWS::IAM::ManagedPolicy'].includes(Type),
  );
  const unknown = Object.entries(Resources).find(([, { Type }]) =>
    ['AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::UserPolicy'].includes(Type),
  );
  if (unknown) {
    throw new Error(`${unknown[0]} is an ${unknown[1].Type}: only roles are listed here.`);
  }
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .map(([id, { Properties }]) => {
      const names = list(Properties.ManagedPolicyArns as unknown[] | undefined);
      const own = names.flatMap((arn) => Resources[(arn as { Ref?: string }).Ref ?? ''] ?? []);
      const attached = policies.filter(
        (policy) =>
          own.includes(policy) ||
          [...list(policy.Properties.Roles), policy.Properties.RoleName].some(
            (role) => (role as { Ref?: string } | undefined)?.Ref === id,
          ),
      );
      const inline = list(Properties.Policies as { PolicyDocument: unknown }[] | undefined);
      return {
        id,
        description: Properties.Description as string | undefined,
        trust: statements(Properties.AssumeRolePolicyDocument, naming),
        managed: names
          .filter((arn) => !Resources[(arn as { Ref?: string }).Ref ?? ''])
          .map((arn) => String(textOf(arn, naming))),
        statements: [
          ...inline.flatMap(({ PolicyDocument }) => statements(PolicyDocument, naming)),
          ...attached.flatMap((policy) => statements(policy.Properties.PolicyDocument, naming)),
        ],
      };
    });
}
