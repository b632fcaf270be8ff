import * as fs from 'fs';
import * as path from 'path';
import { asRecord, Json } from '../checks/internal';
import { BillError } from './errors';

/** A stack that is deployed by itself. */
export interface SourceStack {
  /** The path of the stack's construct, or the template's file name without its ending. */
  readonly name: string;
  /** The name in the account, for references between stacks. */
  readonly stackName: string;
  readonly templateFile: string;
  readonly template: Json;
  /** Undefined when the stack is bound to no region. */
  readonly region?: string;
}

const WAY_OUT = 'Pass a template (JSON) or the directory that cdk synth wrote, for example cdk.out.';

/** Reads the stacks of an assembly directory, or one template file. */
export function readSource(source: string): SourceStack[] {
  if (!fs.existsSync(source)) {
    throw new BillError(source, 'There is no such file or directory.', `Run cdk synth first. ${WAY_OUT}`);
  }
  if (!fs.statSync(source).isDirectory()) {
    const name = path.basename(source).replace(/(\.template)?\.json$/, '');
    return [{ name, stackName: name, templateFile: source, template: readTemplate(source) }];
  }
  const stacks = readAssembly(source);
  if (stacks.length === 0) {
    throw new BillError(source, 'The assembly has no stack.', WAY_OUT);
  }
  return stacks;
}

/** Stages are assemblies inside the assembly. */
function readAssembly(directory: string): SourceStack[] {
  const file = path.join(directory, 'manifest.json');
  if (!fs.existsSync(file)) {
    throw new BillError(directory, 'It has no manifest.json, so it is no assembly of the CDK.', WAY_OUT);
  }
  const artifacts = asRecord(readJson(file).artifacts);
  return Object.entries(artifacts).flatMap(([id, value]) => {
    const { type, environment, displayName, properties } = asRecord(value);
    const { templateFile, directoryName, stackName } = asRecord(properties);
    if (type === 'cdk:cloud-assembly') {
      return readAssembly(path.join(directory, String(directoryName)));
    }
    if (type !== 'aws:cloudformation:stack') {
      return [];
    }
    const templatePath = path.join(directory, String(templateFile));
    const [, region] = /^aws:\/\/[^/]*\/(.+)$/.exec(String(environment)) ?? [];
    return {
      // "Stage/Stack (StackName)" when the name is not the path.
      name: String(displayName ?? id).replace(/ \(.*\)$/, ''),
      stackName: String(stackName ?? id),
      templateFile: templatePath,
      template: readTemplate(templatePath),
      region: region === 'unknown-region' ? undefined : region,
    };
  });
}

function readJson(file: string): Json {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new BillError(file, `It cannot be read (${(error as NodeJS.ErrnoException).code}).`, WAY_OUT);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return value as Json;
    }
  } catch (error) {
    const reason = (error as Error).message;
    throw new BillError(
      file,
      `It is no whole JSON document (${reason}).`,
      /^\s*(AWSTemplateFormatVersion|Resources|Transform)\s*:/m.test(text)
        ? 'YAML is not read: synthesize the template as JSON (cdk synth writes JSON to cdk.out).'
        : `It may have been cut off: write it again. ${WAY_OUT}`,
    );
  }
  throw new BillError(file, 'It holds no JSON object.', WAY_OUT);
}

/** Reads a template and checks that it is one. */
export function readTemplate(file: string): Json {
  const template = readJson(file);
  const { Resources } = template;
  if (Resources === null || typeof Resources !== 'object' || Array.isArray(Resources)) {
    throw new BillError(file, 'It has no Resources, so it is no CloudFormation template.', WAY_OUT);
  }
  for (const [logicalId, resource] of Object.entries(Resources as Json)) {
    if (typeof asRecord(resource).Type !== 'string') {
      throw new BillError(`${file}, ${logicalId}`, 'This resource has no Type.', 'Correct the template.');
    }
  }
  return template;
}

/** Where the template of a nested stack is: by the CDK's metadata, else by the hash in its URL. */
export function nestedTemplateFile(parentFile: string, resource: Json): string | undefined {
  const directory = path.dirname(parentFile);
  const named = asRecord(resource.Metadata)['aws:asset:path'];
  if (typeof named === 'string') {
    return path.join(directory, named);
  }
  const url = JSON.stringify(asRecord(resource.Properties).TemplateURL ?? '');
  const [, hash] = /\/([0-9a-f]{64})\.json/.exec(url) ?? [];
  if (hash === undefined) {
    return undefined;
  }
  for (const file of fs.readdirSync(directory).filter((name) => name.endsWith('.assets.json'))) {
    const asset = asRecord(asRecord(readJson(path.join(directory, file)).files)[hash]);
    const name = asRecord(asset.source).path;
    if (typeof name === 'string') {
      return path.join(directory, name);
    }
  }
  return undefined;
}
