import {
  CfnElement,
  CfnResource,
  DefaultTokenResolver,
  IFragmentConcatenator,
  IPostProcessor,
  IResolvable,
  IResolveContext,
  Reference,
  Stack,
  Tokenization,
} from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { asRecord, expandConditions, Json } from './json';

/** A resource as CloudFormation gets it: after every escape hatch, with its references still pointing at resources. */
export interface Resource {
  /** Unique in the app: the path of the stack and the logical id. */
  readonly key: string;
  readonly logicalId: string;
  readonly type: string;
  /** Where an acknowledgement is looked for. */
  readonly construct: IConstruct;
  readonly stack: Stack;
  readonly properties: Json;
  readonly deletionPolicy?: unknown;
  readonly updateReplacePolicy?: unknown;
}

/** Stands for a reference to a resource; the value is the resource's key. Named so that L1s take it for an intrinsic function. */
const TO = 'Fn::Resource';

const joined: IFragmentConcatenator = {
  join: (left: unknown, right: unknown) =>
    left === undefined ? right : right === undefined ? left : { 'Fn::Join': ['', [left, right]] },
};

/** Resolves as a synth does, except that a reference to a resource stays one across stacks: no exports, no parameters. */
class ReferenceResolver extends DefaultTokenResolver {
  constructor() {
    super(joined);
  }
  public resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor): unknown {
    if (Reference.isReference(token) && CfnResource.isCfnResource(token.target)) {
      return { [TO]: keyOf(token.target) };
    }
    return super.resolveToken(token, context, postProcessor);
  }
}

function resolve(scope: IConstruct, value: unknown): unknown {
  return Tokenization.resolve(value, { scope, resolver: new ReferenceResolver(), preparing: false });
}

function keyFor(stack: Stack, logicalId: string): string {
  return `${stack.node.path}|${logicalId}`;
}

function keyOf(element: CfnElement): string {
  const stack = Stack.of(element);
  return keyFor(stack, String(stack.resolve(element.logicalId)));
}

/** The resources of a whole app, over all stacks, nested stacks and stages. */
export class AppTemplate {
  /**
   * Every resource. One whose properties depend on conditions is listed once for each outcome, under the same key;
   * one that is created under a condition is taken as created.
   */
  public readonly resources: Resource[] = [];
  private readonly byKey = new Map<string, Resource[]>();

  constructor(root: IConstruct) {
    const bodies = root.node
      .findAll()
      .filter((node): node is CfnElement => CfnElement.isCfnElement(node))
      .flatMap((element) => resourcesOf(element));
    const keys = new Set(bodies.map(({ key }) => key));
    for (const { properties, ...resource } of bodies) {
      const linked = asRecord(linkLiterals(resource.stack, keys, properties));
      for (const variant of expandConditions(linked)) {
        const listed = { ...resource, properties: asRecord(variant) };
        this.resources.push(listed);
        this.byKey.set(listed.key, [...(this.byKey.get(listed.key) ?? []), listed]);
      }
    }
  }

  /** The resources of a type. */
  public ofType(...types: string[]): Resource[] {
    return this.resources.filter(({ type }) => types.includes(type));
  }

  /** A value of a user's own, for example the id of an access point, in the form values have here. */
  public valueOf(scope: IConstruct, value: unknown): unknown {
    return resolve(scope, value);
  }

  /** The resources a value refers to anywhere inside it, for example in the middle of an ARN. */
  public references(value: unknown): Resource[] {
    const found: Resource[] = [];
    const visit = (part: unknown) => {
      if (Array.isArray(part)) {
        part.forEach(visit);
      } else if (part !== null && typeof part === 'object') {
        found.push(...(this.byKey.get(String((part as Json)[TO])) ?? []));
        Object.values(part).forEach(visit);
      }
    };
    visit(value);
    return found;
  }
}

function resourcesOf(element: CfnElement): Resource[] {
  const stack = Stack.of(element);
  const rendered = resolve(stack, (element as unknown as { _toCloudFormation(): object })._toCloudFormation());
  return Object.entries(asRecord(asRecord(rendered).Resources)).map(([logicalId, body]) => {
    const { Type, Properties, DeletionPolicy, UpdateReplacePolicy } = asRecord(body);
    return {
      key: keyFor(stack, logicalId),
      logicalId,
      type: String(Type),
      construct: element,
      stack,
      properties: asRecord(Properties),
      deletionPolicy: DeletionPolicy,
      updateReplacePolicy: UpdateReplacePolicy,
    };
  });
}

/** References written by hand (Ref, Fn::GetAtt, Fn::Sub) become references like those of the CDK. */
function linkLiterals(stack: Stack, keys: Set<string>, value: unknown): unknown {
  const link = (logicalId: unknown) => {
    const key = keyFor(stack, String(logicalId).split('.')[0]);
    return keys.has(key) ? { [TO]: key } : undefined;
  };
  const visit = (part: unknown): unknown => {
    if (Array.isArray(part)) {
      return part.map(visit);
    }
    if (part === null || typeof part !== 'object') {
      return part;
    }
    const [[name, argument], ...more] = [...Object.entries(part), ['', undefined]];
    if (more.length === 1) {
      if (name === 'Ref') {
        return link(argument) ?? part;
      }
      if (name === 'Fn::GetAtt') {
        return link(Array.isArray(argument) ? argument[0] : argument) ?? part;
      }
      if (name === 'Fn::Sub') {
        const text = String(Array.isArray(argument) ? argument[0] : argument);
        const links = [...text.matchAll(/\$\{([^!}]+)\}/g)].map(([, id]) => link(id)).filter(Boolean);
        return { 'Fn::Sub': visit(argument), ...(links.length > 0 && { links }) };
      }
    }
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, visit(inner)]));
  };
  return visit(value);
}
