import { Template } from 'aws-cdk-lib/assertions';

/** What the Open WebUI container of a template is told. */
export interface Container {
  readonly environment: Record<string, unknown>;
  readonly secrets: string[];
  readonly entryPoint: unknown;
  readonly command: unknown[];
}

export function openWebUi(template: Template): Container {
  return containerNamed(template, 'open-webui');
}

/** What a container of a template is told. */
export function containerNamed(template: Template, name: string): Container {
  const found = Object.values(template.findResources('AWS::ECS::TaskDefinition'))
    .flatMap((task) => task.Properties.ContainerDefinitions)
    .find(({ Name }) => Name === name);
  return {
    environment: Object.fromEntries(
      found.Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
    ),
    secrets: (found.Secrets ?? []).map(({ Name }: { Name: string }) => Name).sort(),
    entryPoint: found.EntryPoint,
    command: found.Command,
  };
}
