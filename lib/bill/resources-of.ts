import { asRecord, Json } from '../checks/internal';
import { BillError } from './errors';
import { holds, resolve, RESOURCE, StackScope } from './intrinsics';
import { nestedTemplateFile, readTemplate, SourceStack } from './source';

/** A resource with its functions resolved as far as they can be without an account. */
export interface TemplateResource {
  /** Unique over all stacks. */
  readonly key: string;
  /** The path of the construct; the stack and the logical id where the template has no paths. */
  readonly address: string;
  readonly logicalId: string;
  readonly type: string;
  readonly templateFile: string;
  readonly region?: string;
  readonly properties: Json;
}

/** The resources of all stacks, nested ones included, and the references between them. */
export class TemplateResources {
  public readonly all: TemplateResource[] = [];
  private readonly byKey = new Map<string, TemplateResource>();
  private readonly byType = new Map<string, TemplateResource[]>();

  constructor(stacks: SourceStack[]) {
    const scopes = new Map<string, StackScope>();
    const otherStack = (stackName: string | undefined, output: string) => outputOf(scopes, stackName, output);
    for (const stack of stacks) {
      const scope = scopeOf(stack.name, stack.templateFile, stack.template, stack.region, {}, otherStack);
      scopes.set(stack.stackName, scope);
    }
    stacks.forEach(({ stackName, templateFile }) => this.add(scopes.get(stackName)!, templateFile));
  }

  /** The resources of a type. */
  public ofType(type: string): TemplateResource[] {
    return this.byType.get(type) ?? [];
  }

  /** The resources a value refers to, anywhere inside it. */
  public references(value: unknown): TemplateResource[] {
    const keys = new Set<string>();
    collect(value, keys);
    return [...keys].map((key) => this.byKey.get(key)).filter((resource) => resource !== undefined);
  }

  private add(scope: StackScope & { file?: string }, templateFile: string): void {
    for (const [logicalId, value] of Object.entries(asRecord(scope.template.Resources))) {
      const body = asRecord(value);
      if (body.Condition !== undefined && holds(scope, body.Condition) === false) {
        continue;
      }
      const constructPath = asRecord(body.Metadata)['aws:cdk:path'];
      const resource: TemplateResource = {
        key: `${scope.key}|${logicalId}`,
        address:
          typeof constructPath === 'string'
            ? constructPath.replace(/\/(Resource|Default)$/, '')
            : `${scope.key}/${logicalId}`,
        logicalId,
        type: String(body.Type),
        templateFile,
        region: scope.region,
        properties: asRecord(resolve(scope, body.Properties ?? {})),
      };
      this.all.push(resource);
      this.byKey.set(resource.key, resource);
      this.byType.set(resource.type, [...(this.byType.get(resource.type) ?? []), resource]);
      const nested = scope.nested.get(logicalId);
      if (nested) {
        this.add(nested, (nested as { file?: string }).file!);
      }
    }
  }
}

function collect(value: unknown, keys: Set<string>): void {
  if (value === null || typeof value !== 'object') {
    return;
  }
  if (!Array.isArray(value) && RESOURCE in value) {
    keys.add(String((value as Json)[RESOURCE]));
    return;
  }
  Object.values(value).forEach((inner) => collect(inner, keys));
}

/** A stack and the stacks nested in it. Parameters of a nested stack are resolved where they are given. */
function scopeOf(
  key: string,
  file: string,
  template: Json,
  region: string | undefined,
  parameters: Json,
  otherStack: StackScope['otherStack'],
): StackScope & { file: string } {
  const nested = new Map<string, StackScope>();
  const scope = { key, file, template, region, parameters, nested, otherStack };
  for (const [logicalId, value] of Object.entries(asRecord(template.Resources))) {
    const body = asRecord(value);
    if (body.Type !== 'AWS::CloudFormation::Stack') {
      continue;
    }
    const nestedFile = nestedTemplateFile(file, body);
    if (nestedFile === undefined) {
      throw new BillError(
        `${file}, ${logicalId}`,
        'The template of this nested stack is not beside its parent.',
        'Pass the directory that cdk synth wrote, which holds both.',
      );
    }
    const given = asRecord(resolve(scope, asRecord(body.Properties).Parameters ?? {}));
    nested.set(
      logicalId,
      scopeOf(`${key}/${logicalId}`, nestedFile, readTemplate(nestedFile), region, given, otherStack),
    );
  }
  return scope;
}

/** An output by the stack's name, or an export by its own. */
function outputOf(scopes: Map<string, StackScope>, stackName: string | undefined, name: string): unknown {
  if (stackName !== undefined) {
    const scope = scopes.get(stackName);
    const output = scope && asRecord(scope.template.Outputs)[name];
    return scope && output && resolve(scope, asRecord(output).Value);
  }
  for (const scope of scopes.values()) {
    for (const output of Object.values(asRecord(scope.template.Outputs)).map(asRecord)) {
      if (resolve(scope, asRecord(output.Export).Name) === name) {
        return resolve(scope, output.Value);
      }
    }
  }
  return undefined;
}
