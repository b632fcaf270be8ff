import { CfnResource, IResolvable, Stack, Token, Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { IConstruct } from 'constructs';

/** Why a second writer is refused; every error about it ends with this. */
export const WHY_ONE_WRITER =
  'SQLite and Chroma keep their locks and caches for one process on one host: a second task on the same directory, even for the seconds of a rolling deployment, corrupts the files (louislam/uptime-kuma #5915, chroma-core/chroma #1609).';

/** Why two versions are refused where several tasks of one are allowed; every error about it ends with this. */
export const WHY_ONE_VERSION =
  "Open WebUI migrates its database when a new version starts, and the versions do not understand each other's schema: every old task must be gone before a new one starts.";

/** One setting of an ECS service that keeps a second writer out. */
export interface SingleWriterRule {
  /** The path of the property in AWS::ECS::Service. */
  readonly path: string[];
  /** Says whether a value keeps a second writer out. */
  readonly allows: (value: unknown) => boolean;
  /** The values that are allowed, for people. */
  readonly valid: string;
}

/**
 * What ECS must be told. The same table checks the props when a service is made and the final template, so that an
 * escape hatch is refused like a prop.
 */
export const SINGLE_WRITER_RULES: SingleWriterRule[] = [
  { path: ['DesiredCount'], allows: (value) => value === 0 || value === 1, valid: '0 or 1' },
  { path: ['DeploymentConfiguration', 'MinimumHealthyPercent'], allows: (value) => value === 0, valid: '0' },
  { path: ['DeploymentConfiguration', 'MaximumPercent'], allows: (value) => value === 100, valid: '100' },
  {
    path: ['DeploymentConfiguration', 'DeploymentCircuitBreaker', 'Rollback'],
    allows: (value) => value === false || value === undefined,
    valid: 'false (a rollback starts an older image on a database the newer one has migrated)',
  },
  {
    path: ['DeploymentConfiguration', 'Alarms', 'Rollback'],
    allows: (value) => value === false || value === undefined,
    valid: 'false (a rollback starts an older image on a database the newer one has migrated)',
  },
  {
    path: ['DeploymentController', 'Type'],
    allows: (value) => value === undefined || value === 'ECS',
    valid: 'ECS (CODE_DEPLOY and EXTERNAL run two versions side by side)',
  },
  {
    path: ['DeploymentConfiguration', 'Strategy'],
    allows: (value) => value === undefined || value === 'ROLLING',
    valid: 'ROLLING (blue/green, linear and canary run two versions side by side)',
  },
  {
    path: ['AvailabilityZoneRebalancing'],
    allows: (value) => value === 'DISABLED',
    valid: 'DISABLED (ECS starts the task in the other zone before it stops the first)',
  },
  {
    path: ['SchedulingStrategy'],
    allows: (value) => value === undefined || value === 'REPLICA',
    valid: 'REPLICA',
  },
];

/** The same for an application of which several tasks may run, of one version at a time. */
export const STOP_FIRST_RULES: SingleWriterRule[] = [
  {
    path: ['DesiredCount'],
    allows: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0,
    valid: 'a whole number from 0',
  },
  ...SINGLE_WRITER_RULES.filter(({ path }) => path[0] !== 'DesiredCount'),
];

/** What a service is held to, and why. */
export interface ServiceKind {
  readonly label: string;
  readonly rules: SingleWriterRule[];
  readonly why: string;
  readonly wayOut: string;
  readonly mayScale: boolean;
}

export const SINGLE_WRITER: ServiceKind = {
  label: 'Single writer',
  rules: SINGLE_WRITER_RULES,
  why: WHY_ONE_WRITER,
  wayOut: 'Remove the override, or move this workload to a store that takes several writers.',
  mayScale: false,
};

export const STOP_FIRST: ServiceKind = {
  label: 'One version at a time',
  rules: STOP_FIRST_RULES,
  why: WHY_ONE_VERSION,
  wayOut: 'Remove the override.',
  mayScale: true,
};

function valueAt(properties: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined),
    properties,
  );
}

function show(value: unknown): string {
  return Token.isUnresolved(value) ? 'a token, known only at deployment' : String(JSON.stringify(value));
}

/** The rules a service's final properties break, in words. */
export function brokenRules(properties: unknown, rules: SingleWriterRule[] = SINGLE_WRITER_RULES): string[] {
  return rules
    .filter((rule) => !rule.allows(valueAt(properties, rule.path)))
    .map((rule) => `${rule.path.join('.')} is ${show(valueAt(properties, rule.path))}; allowed is ${rule.valid}.`);
}

function scalesService(resource: CfnResource, stack: Stack, service: ecs.CfnService): boolean {
  const properties = stack.resolve((resource as unknown as { cfnProperties: object }).cfnProperties) as {
    serviceNamespace?: unknown;
    resourceId?: unknown;
  };
  // The resource id is "service/<cluster>/<service name>"; the service's name is a reference to its logical id.
  return JSON.stringify(properties?.resourceId ?? '').includes(
    `"${stack.resolve((service as ecs.CfnService & { logicalId: string }).logicalId)}"`,
  );
}

/** Refuses, when the template is made, whatever would let ECS run two tasks of this service at once, or two versions. */
export function enforceKind(scope: IConstruct, service: ecs.CfnService, kind: ServiceKind): void {
  scope.node.addValidation({
    validate: () => {
      const stack = Stack.of(service);
      const template = stack.resolve(
        (service as unknown as { _toCloudFormation(): IResolvable })._toCloudFormation(),
      ) as { Resources: Record<string, { Properties: unknown }> };
      const errors = Object.values(template.Resources).flatMap((resource) =>
        brokenRules(resource.Properties, kind.rules),
      );
      const scalers = stack.node
        .findAll()
        .filter(
          (node): node is CfnResource =>
            CfnResource.isCfnResource(node) &&
            node.cfnResourceType === 'AWS::ApplicationAutoScaling::ScalableTarget' &&
            scalesService(node, stack, service),
        );
      if (scalers.length > 0 && !kind.mayScale) {
        errors.push(`auto scaling is attached (${scalers.map((node) => node.node.path).join(', ')}); none is allowed.`);
      }
      return errors.map((error) => `${kind.label}: ${error} ${kind.why} ${kind.wayOut}`);
    },
  });
}

/** Tells a reviewer why the settings of a single-writer task are as they are. */
export function acknowledgeEnvironment(taskDefinition: ecs.TaskDefinition): void {
  Validations.of(taskDefinition).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason:
      'The environment holds paths and settings only, readable in this repository. Secrets go through ECS secrets or, for Open WebUI, a key file on the encrypted volume.',
  });
}
