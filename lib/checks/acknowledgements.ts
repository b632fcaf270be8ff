import { Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/**
 * Whether a rule was acknowledged, under one of its ids, on a construct or on one above it. An acknowledgement is
 * recorded as metadata of the construct it was made on; an id without a prefix is taken for that of an annotation.
 */
export function isAcknowledged(construct: IConstruct, ...ids: string[]): boolean {
  return construct.node.scopes.some((scope) =>
    scope.node.metadata.some(
      ({ type, data }) =>
        type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY &&
        Object.keys((data ?? {}) as object).some((id) => ids.includes(id.replace(/^annotation::/i, ''))),
    ),
  );
}
