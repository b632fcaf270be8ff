import * as path from 'path';
import {
  IPolicyValidationContext,
  IPolicyValidationPlugin,
  PolicyValidationPluginReport,
  PolicyViolatingResource,
  PolicyViolation,
  Stack,
} from 'aws-cdk-lib';
import * as efs from 'aws-cdk-lib/aws-efs';
import { IConstruct } from 'constructs';
import { isAcknowledged } from './acknowledgements';
import { Finding } from './rule';
import { RULES } from './rules';
import { SingleWriterDirectories } from './single-writer-directories';
import { AppTemplate, Resource } from './template';

/** The pack's name: of the plugin in the report, and before the name of each rule. */
const PACK = 'EfsSafety';

/** What the pack is told. */
export interface EfsSafetyChecksProps {
  /**
   * Access points whose directory takes one writer, beside those that the pack recognises itself: tagged
   * data-layer:writers=one, or mounted writable by a container whose settings name SQLite or Chroma below the mount.
   * An L2, an L1, one of a CfnInclude, or one imported by id.
   *
   * @default - those that are recognised
   */
  readonly singleWriterDirectories?: efs.IAccessPointRef[];
}

/**
 * Checks any stack with SQLite, Chroma or other files on EFS: mounts, access points, one writer at a time, backup and
 * retention. It reads the resources as CloudFormation gets them, so that L1s, escape hatches and included templates
 * count like everything else. A finding fails the synth until it is fixed or acknowledged.
 *
 * @example
 *
 * Validations.of(app).addPlugins(new EfsSafetyChecks(app));
 */
export class EfsSafetyChecks implements IPolicyValidationPlugin {
  /** The name in the report. */
  public readonly name: string = PACK;
  /** The ids of the rules, for Validations.of(construct).acknowledge({ id, reason }). */
  public readonly ruleIds?: string[] = RULES.map(({ name }) => `${PACK}-${name}`);
  private readonly scope?: IConstruct;
  private readonly singleWriterDirectories: efs.IAccessPointRef[];

  /**
   * @param scope only resources below it are reported; the others are still read, because a second writer may be in another stack. Default: the whole app
   * @param props what the pack is told
   */
  constructor(scope?: IConstruct, props: EfsSafetyChecksProps = {}) {
    this.scope = scope;
    this.singleWriterDirectories = props.singleWriterDirectories ?? [];
  }

  /**
   * Called by the CDK at the end of the synth.
   *
   * @param context the app and the templates to report on
   */
  public validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const templates = new Map(
      context.stackTemplates.map(({ stackConstructPath, templatePath }) => [stackConstructPath, templatePath]),
    );
    // The long id that the report prints is left to the CDK, which lists what it suppressed, with the reason.
    return this.report(
      context.appConstruct,
      ({ stack }) => templates.has(topStack(stack).node.path),
      (rule) => [rule],
      ({ resource, location }) => ({
        resourceLogicalId: resource.logicalId,
        templatePath: path.join(
          path.dirname(templates.get(topStack(resource.stack).node.path)!),
          resource.stack.templateFile,
        ),
        locations: [location],
      }),
    );
  }

  /**
   * Checks constructs without a synth, for unit tests. Aspects, and tags with them, count only after app.synth().
   *
   * @param scope an app, a stack or any construct
   */
  public validateScope(scope: IConstruct): PolicyValidationPluginReport {
    return this.report(
      scope.node.root,
      ({ construct }) => isBelow(construct, scope),
      (rule) => [rule, `${PACK}::${rule}`],
      ({ resource, location }) => ({
        constructPath: resource.construct.node.path,
        locations: [location],
      }),
    );
  }

  private report(
    root: IConstruct,
    included: (resource: Resource) => boolean,
    acknowledgedBy: (rule: string) => string[],
    violating: (finding: Finding) => PolicyViolatingResource,
  ): PolicyValidationPluginReport {
    const app = new AppTemplate(root);
    const directories = new SingleWriterDirectories(
      app,
      this.singleWriterDirectories.map((scope) => ({ scope, accessPointId: scope.accessPointRef.accessPointId })),
    );
    const violations = new Map<string, PolicyViolation & { violatingResources: PolicyViolatingResource[] }>();
    const seen = new Set<string>();
    for (const rule of RULES) {
      const ruleName = `${PACK}-${rule.name}`;
      for (const finding of rule.check({ app, directories })) {
        const { resource, problem } = finding;
        const id = [ruleName, resource.key, problem].join('\n');
        const wanted = included(resource) && (this.scope === undefined || isBelow(resource.construct, this.scope));
        if (seen.has(id) || !wanted || isAcknowledged(resource.construct, ...acknowledgedBy(ruleName))) {
          continue;
        }
        seen.add(id);
        const group = `${ruleName}\n${problem}`;
        const violation = violations.get(group) ?? {
          ruleName,
          description: `${problem} ${rule.why}`,
          severity: 'error',
          fix: rule.wayOut,
          violatingResources: [],
        };
        violation.violatingResources.push(violating(finding));
        violations.set(group, violation);
      }
    }
    return { success: violations.size === 0, violations: [...violations.values()] };
  }
}

function isBelow(construct: IConstruct, scope: IConstruct): boolean {
  return construct.node.scopes.includes(scope);
}

/** Only stacks that are deployed by themselves are named in the context; a nested one belongs to its parent. */
function topStack(stack: Stack): Stack {
  return stack.nestedStackParent ? topStack(stack.nestedStackParent) : stack;
}
