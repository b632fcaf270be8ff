import { IConstruct } from 'constructs';
import { requireEnvironment, requireObject, requireStrings } from '../inputs';
import type { EvidenceProps } from './evidence';
import type { KnowledgeProps } from './knowledge';
import type { OpenWebUiProps } from './open-webui';

/**
 * Checks the kinds of the props that the three workloads have in common.
 *
 * @internal
 */
export function requireWorkloadProps(
  scope: IConstruct,
  name: 'openWebUi' | 'knowledge' | 'evidence',
  props: OpenWebUiProps | KnowledgeProps | EvidenceProps | undefined,
): void {
  requireObject(scope, name, props, [], `Pass an object of props, for example { ${name}: { memoryLimitMiB: 4096 } }.`);
  const all: OpenWebUiProps & KnowledgeProps & EvidenceProps = props ?? {};
  requireObject(
    scope,
    `${name}.image`,
    all.image,
    ['bind'],
    "Pass an image, for example ecs.ContainerImage.fromRegistry('example/app:1.0').",
  );
  requireStrings(scope, `${name}.command`, all.command, "Pass a list, for example ['python', 'crew.py'].");
  requireEnvironment(scope, `${name}.environment`, all.environment);
  requireObject(scope, `${name}.secrets`, all.secrets, [], 'Pass names and values of the kind ecs.Secret.');
  for (const [variable, secret] of Object.entries(all.secrets ?? {})) {
    requireObject(
      scope,
      `${name}.secrets.${variable}`,
      secret ?? null,
      ['arn', 'grantRead'],
      'Pass ecs.Secret.fromSecretsManager(secret) or ecs.Secret.fromSsmParameter(parameter), not the text itself.',
    );
  }
}
