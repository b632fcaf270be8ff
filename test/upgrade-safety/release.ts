import { createHash } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import { FlagSet, Template, TemplateResource } from './flag-sets';
import { guarded } from './update';

/** One folder for each release, one file for each flag set of it. */
export const RELEASES = path.join(__dirname, 'releases');

/** What a release made of a flag set. */
export interface ReleasedTemplate {
  readonly flags: FlagSet;
  readonly template: Template;
}

const LONG = 120;

/** Long texts, such as a program, are kept as a digest: an update of them is an update, whatever they say. */
function withoutLongTexts(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > LONG ? `sha256:${createHash('sha256').update(value).digest('hex').slice(0, 16)}` : value;
  }
  if (Array.isArray(value)) {
    return value.map(withoutLongTexts);
  }
  return value !== null && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutLongTexts(inner)]))
    : value;
}

/** The logical ids that a value refers to. */
function references(value: unknown): string[] {
  if (value === null || typeof value !== 'object') {
    return [];
  }
  const { Ref, 'Fn::GetAtt': attribute } = value as Record<string, unknown>;
  return [
    ...(typeof Ref === 'string' ? [Ref] : []),
    ...(attribute === undefined ? [] : [String([attribute].flat()[0]).split('.')[0]]),
    ...Object.values(value).flatMap(references),
  ];
}

/**
 * The part of a template that can touch data: the guarded resources and all that they refer to, which is what could make
 * CloudFormation replace them. A task definition is a new revision at every change; of it only the volumes are looked at.
 */
export function essence(template: Template): Template {
  const kept: Record<string, TemplateResource> = {};
  const keep = (id: string) => {
    const resource = template.Resources[id];
    if (resource === undefined || kept[id]) {
      return;
    }
    const { Type, Properties, DeletionPolicy, UpdateReplacePolicy, Condition } = resource;
    const shown = Type === 'AWS::ECS::TaskDefinition' ? { Volumes: Properties?.Volumes } : Properties;
    kept[id] = withoutLongTexts(
      JSON.parse(JSON.stringify({ Type, Condition, DeletionPolicy, UpdateReplacePolicy, Properties: shown })),
    ) as TemplateResource;
    references(shown).forEach(keep);
  };
  for (const [id, { Type }] of Object.entries(template.Resources)) {
    if (guarded(Type)) {
      keep(id);
    }
  }
  const Resources = Object.fromEntries(Object.entries(kept).sort(([one], [other]) => (one < other ? -1 : 1)));
  return { Resources };
}

/** The versions whose templates are kept. */
export function releases(): string[] {
  return fs.existsSync(RELEASES) ? fs.readdirSync(RELEASES).sort() : [];
}

/** What a release made, by file name. */
export function readRelease(version: string): Map<string, ReleasedTemplate> {
  const folder = path.join(RELEASES, version);
  return new Map(
    fs
      .readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => [name, JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as ReleasedTemplate]),
  );
}
