import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { EfsSafetyChecks, EfsSafetyChecksProps } from '../../lib';

/** A resource as in a template. */
export interface Body {
  Type: string;
  Properties?: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}
export type Resources = Record<string, Body>;

/** Puts resources into a stack as they are, references written by hand included. */
export function include(stack: Stack, resources: Resources): void {
  for (const [logicalId, { Type, Properties, ...attributes }] of Object.entries(resources)) {
    const resource = new CfnResource(stack, logicalId, { type: Type, properties: Properties });
    resource.overrideLogicalId(logicalId);
    for (const [name, value] of Object.entries(attributes)) {
      resource.addOverride(name, value);
    }
  }
}

/** What the pack finds, as "rule resource", sorted, and once for each problem. */
export function findings(app: App, props?: EfsSafetyChecksProps): string[] {
  return new EfsSafetyChecks(app, props)
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(
        ({ constructPath }) => `${ruleName.replace('EfsSafety-', '')} ${constructPath!.replace(/^Test\//, '')}`,
      ),
    )
    .sort();
}

/** The text of every finding. */
export function problems(resources: Resources): string[] {
  const { app } = stackOf(resources);
  return new EfsSafetyChecks(app).validateScope(app).violations.map(({ description }) => description);
}

export function stackOf(resources: Resources): { app: App; stack: Stack } {
  const app = new App();
  const stack = new Stack(app, 'Test');
  include(stack, resources);
  return { app, stack };
}

/** What the pack finds in resources. */
export function check(resources: Resources, props?: EfsSafetyChecksProps): string[] {
  return findings(stackOf(resources).app, props);
}

/** Changes properties in place; they are any JSON. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Change = (properties: any) => void;

/** Resources without one of them. */
export function without(resources: Resources, logicalId: string): Resources {
  return Object.fromEntries(Object.entries(resources).filter(([id]) => id !== logicalId));
}

/** The compliant stack with one resource changed. */
export function compliantBut(logicalId: string, change: Change, more: Resources = {}): Resources {
  const resources = compliant();
  change(resources[logicalId].Properties);
  return { ...resources, ...more };
}

/** A service with SQLite on EFS as every rule wants it. */
export function compliant(): Resources {
  return structuredClone({
    Fs: {
      Type: 'AWS::EFS::FileSystem',
      Properties: {
        Encrypted: true,
        BackupPolicy: { Status: 'ENABLED' },
        FileSystemPolicy: {
          Statement: [
            {
              Effect: 'Deny',
              Principal: { AWS: '*' },
              Action: '*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    },
    Ap: {
      Type: 'AWS::EFS::AccessPoint',
      Properties: {
        FileSystemId: { Ref: 'Fs' },
        PosixUser: { Uid: '1000', Gid: '1000' },
        RootDirectory: { Path: '/app' },
      },
    },
    Td: {
      Type: 'AWS::ECS::TaskDefinition',
      Properties: {
        Family: 'app',
        ContainerDefinitions: [
          {
            Name: 'app',
            Image: 'example/app:1',
            Environment: [{ Name: 'DATABASE_URL', Value: 'sqlite:////mnt/app/app.db' }],
            MountPoints: [{ SourceVolume: 'data', ContainerPath: '/mnt/app' }],
          },
        ],
        Volumes: [
          {
            Name: 'data',
            EFSVolumeConfiguration: {
              FilesystemId: { Ref: 'Fs' },
              TransitEncryption: 'ENABLED',
              AuthorizationConfig: { AccessPointId: { Ref: 'Ap' }, IAM: 'ENABLED' },
            },
          },
        ],
      },
    },
    Svc: service('Td'),
  });
}

/** A service that does not overlap. */
export function service(taskDefinition: string): Body {
  return {
    Type: 'AWS::ECS::Service',
    Properties: {
      TaskDefinition: { Ref: taskDefinition },
      DesiredCount: 1,
      AvailabilityZoneRebalancing: 'DISABLED',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 0,
        MaximumPercent: 100,
        DeploymentCircuitBreaker: { Enable: true, Rollback: false },
      },
    },
  };
}

/** A task definition like the compliant one, with another container or volume. */
export function taskDefinition(change: Change): Body {
  return compliantBut('Td', change).Td;
}
