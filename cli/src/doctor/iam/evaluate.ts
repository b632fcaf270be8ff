import { Answer, conditionsHold, Context, like } from './conditions';

/** A statement of a policy, as it stands there. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: string | string[];
  readonly NotAction?: string | string[];
  readonly Resource?: string | string[];
  readonly NotResource?: string | string[];
  readonly Condition?: unknown;
}

/** What somebody wants to do. */
export interface Request {
  /** The ARN of a role or user; undefined is anonymous: a client that mounts without IAM. */
  readonly principal?: string;
  readonly action: string;
  readonly resource: string;
  readonly context: Context;
}

/** The policies that decide. */
export interface Policies {
  /** Those of the principal. */
  readonly identity: Statement[];
  /** That of the resource. */
  readonly resource: Statement[];
}

const list = (value: unknown): string[] => (value === undefined ? [] : [value].flat().map(String));

/** The statements of a policy's text. */
export function statementsOf(policy: string): Statement[] {
  return [(JSON.parse(policy) as { Statement?: Statement | Statement[] }).Statement ?? []].flat();
}

export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

function matchesAction(statement: Statement, action: string): boolean {
  const any = (patterns: string[]) => patterns.some((one) => like(action.toLowerCase(), one.toLowerCase()));
  return statement.NotAction === undefined ? any(list(statement.Action)) : !any(list(statement.NotAction));
}

function matchesResource(statement: Statement, resource: string): boolean {
  if (statement.NotResource !== undefined) {
    return !list(statement.NotResource).some((one) => like(resource, one));
  }
  // A policy of a resource may leave it out: it is that resource.
  return statement.Resource === undefined || list(statement.Resource).some((one) => like(resource, one));
}

/** The AWS principals of a statement; `*` is everybody, anonymous clients too. */
export function principalsOf(principal: unknown): string[] {
  return typeof principal === 'string' ? [principal] : list((principal as Record<string, unknown> | undefined)?.AWS);
}

/** A whole account, as 123456789012 or as …:root. */
export function wholeAccount(principal: string): string | undefined {
  return /^\d{12}$/.test(principal) ? principal : /^arn:[^:]*:iam::(\d{12}):root$/.exec(principal)?.[1];
}

function names(principals: string[], who: string | undefined): boolean {
  return principals.some(
    (one) => one === '*' || (who !== undefined && (one === who || wholeAccount(one) === accountOf(who))),
  );
}

function matchesPrincipal(statement: Statement, who: string | undefined): boolean {
  return statement.NotPrincipal === undefined
    ? names(principalsOf(statement.Principal), who)
    : !names(principalsOf(statement.NotPrincipal), who);
}

/** An Allow to a whole account lets that account's own policies decide: by itself it grants its principals nothing. */
function onlyDelegates(statement: Statement, who: string | undefined): boolean {
  const principals = principalsOf(statement.Principal);
  return (
    who !== undefined && statement.NotPrincipal === undefined && !principals.includes('*') && !principals.includes(who)
  );
}

function strongest(answers: Answer[]): Answer {
  return answers.includes('yes') ? 'yes' : answers.includes('maybe') ? 'maybe' : 'no';
}

/**
 * Whether a request is allowed: no statement denies it, and a policy of the principal or of the resource allows it. What
 * cannot be known here, such as an address of the caller, makes it `maybe`; a Deny that only may hold is not relied on.
 */
export function isAllowed(policies: Policies, request: Request): Answer {
  const { principal, action, resource, context } = request;
  const holds = (statement: Statement, ofResource: boolean): Answer =>
    matchesAction(statement, action) &&
    matchesResource(statement, resource) &&
    (!ofResource || matchesPrincipal(statement, principal))
      ? conditionsHold(statement.Condition, context)
      : 'no';
  const denied = strongest([
    ...policies.identity.filter((one) => one.Effect === 'Deny').map((one) => holds(one, false)),
    ...policies.resource.filter((one) => one.Effect === 'Deny').map((one) => holds(one, true)),
  ]);
  if (denied === 'yes') {
    return 'no';
  }
  const allowed = strongest([
    ...policies.identity.filter((one) => one.Effect === 'Allow').map((one) => holds(one, false)),
    ...policies.resource
      .filter((one) => one.Effect === 'Allow' && !onlyDelegates(one, principal))
      .map((one) => holds(one, true)),
  ]);
  return allowed === 'yes' && denied === 'maybe' ? 'maybe' : allowed;
}
