import {
  IPolicyValidationContext,
  IPolicyValidationPlugin,
  PolicyValidationPluginReport,
  PolicyViolatingResource,
  PolicyViolation,
  Stack,
  Token,
} from 'aws-cdk-lib';
import { Bill, BilledResource, billOfResources, NotPriced } from './bill';
import { BillError } from './errors';
import { PriceBook } from './price-book';
import { FALLBACK_REGION } from './rate-source';
import { TemplateResources } from './resources-of';
import { readTemplate, SourceStack } from './source';
import { storableGiB } from './storable';
import { Usage } from './usage';

/** The plugin's name in the report, and before the name of each rule. */
const NAME = 'MonthlyBudget';
const EXCEEDED = `${NAME}-Exceeded`;
const NOT_PRICED = `${NAME}-NotPriced`;

/** What an app may cost. */
export interface MonthlyBudgetProps {
  /** USD a month (730 hours), on-demand, before tax. */
  readonly limitUsd: number;

  /**
   * Assumptions about usage by name, for example `{ 'efs.storedGiB': 20 }`. docs/usage.md lists all. An unknown name,
   * a negative number or an absurd one is an error.
   *
   * @default - the defaults of docs/usage.md, and as efs.storedGiB what the limit buys
   */
  readonly usage?: { readonly [assumption: string]: number };

  /**
   * Assumptions for single resources, by the path of their construct.
   *
   * @default - those of usage
   */
  readonly resourceUsage?: { readonly [constructPath: string]: { readonly [assumption: string]: number } };

  /**
   * The region whose prices hold. One without prices is an error.
   *
   * @default - that of each stack; us-east-1 for a stack that has none, or one without prices, which the report says
   */
  readonly region?: string;

  /**
   * The directory of refreshed price books (`efs-data-layer prices refresh --out prices`), which go before those of the
   * package. One that cannot be read, or a file in it that is no book, is an error.
   *
   * @default - the books of the package alone
   */
  readonly pricesDirectory?: string;

  /**
   * Whether compute counts too: Fargate, load balancers, public IPv4 addresses, Lambda.
   *
   * @default false
   */
  readonly includeCompute?: boolean;
}

/**
 * Fails the synth when what the templates of an app cost in a month exceeds a limit, and when a resource cannot be
 * priced: unknown is never free. Works in any app. Both findings can be acknowledged, with a reason, on the app, a
 * stack or the construct that is named.
 *
 * @example
 *
 * Validations.of(app).addPlugins(new MonthlyBudget({ limitUsd: 6, usage: { 'efs.storedGiB': 10 } }));
 */
export class MonthlyBudget implements IPolicyValidationPlugin {
  /** The name in the report. */
  public readonly name: string = NAME;
  /** The ids of the rules, for Validations.of(construct).acknowledge({ id, reason }). */
  public readonly ruleIds?: string[] = [EXCEEDED, NOT_PRICED];
  private readonly usage: Usage;
  private readonly storedIsGiven: boolean;
  private readonly regions: string[];
  private said?: string;

  /**
   * @param props the limit and the assumptions
   */
  constructor(private readonly props: MonthlyBudgetProps) {
    const limit: unknown = props?.limitUsd;
    if (typeof limit !== 'number' || !Number.isFinite(limit) || limit < 0) {
      throw new BillError(`${NAME}, limitUsd`, `It is ${JSON.stringify(limit)}.`, 'Pass USD a month, for example 6.');
    }
    const { region, usage, resourceUsage, pricesDirectory } = props;
    this.regions = PriceBook.regions(pricesDirectory);
    if (region !== undefined && !this.regions.includes(region)) {
      throw new BillError(
        `${NAME}, region`,
        `There are no prices for ${JSON.stringify(region)}.`,
        `Use one of ${this.regions.join(', ')}.`,
      );
    }
    this.usage = Usage.from({ ...usage, resources: resourceUsage }, NAME);
    this.storedIsGiven = !this.usage.isDefault('efs.storedGiB');
  }

  /** One sentence on what the last synth found. Undefined before the first. */
  public get summary(): string | undefined {
    return this.said;
  }

  /**
   * Called by the CDK at the end of the synth.
   *
   * @param context the app and its templates
   */
  public validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const stacks = this.stacksOf(context);
    const resources = new TemplateResources(stacks);
    const { limitUsd, region, pricesDirectory: prices } = this.props;
    const usage = this.storedIsGiven
      ? this.usage
      : this.usage.with('efs.storedGiB', storableGiB(resources, limitUsd, { usage: this.usage, region, prices }));
    const bill = billOfResources(resources, { usage, region, prices });
    this.said = this.summaryOf(bill, usage, resources);
    const violations = [this.exceeded(bill, context), ...notPriced(bill)].filter((found) => found !== undefined);
    return { success: violations.length === 0, violations };
  }

  /** A stack in a region without prices is billed as if in us-east-1, unless a region was chosen. */
  private stacksOf(context: IPolicyValidationContext): SourceStack[] {
    const constructs = stacksByPath(context);
    return context.stackTemplates.map(({ stackConstructPath, templatePath }) => {
      const stack = constructs.get(stackConstructPath);
      const region = regionOf(stack);
      return {
        name: stackConstructPath,
        stackName: stack?.stackName ?? stackConstructPath,
        templateFile: templatePath,
        template: readTemplate(templatePath),
        region: region !== undefined && this.regions.includes(region) ? region : FALLBACK_REGION,
      };
    });
  }

  private exceeded(bill: Bill, context: IPolicyValidationContext): PolicyViolation | undefined {
    const { limitUsd, includeCompute } = this.props;
    const total = this.totalOf(bill);
    const over = total - limitUsd;
    if (over <= 0) {
      return undefined;
    }
    const counted = bill.resources.filter(({ part }) => includeCompute || part === 'data layer');
    const items = dearest(counted, over);
    const named = items.map(({ address, lines, monthlyUsd }) => {
      const [line] = [...lines].sort((a, b) => (b.monthlyUsd ?? 0) - (a.monthlyUsd ?? 0));
      return `${address} ${dollars(monthlyUsd)} (${line.name})`;
    });
    const constructs = stacksByPath(context);
    const elsewhere = context.stackTemplates
      .map(({ stackConstructPath }) => regionOf(constructs.get(stackConstructPath)))
      .filter((region) => this.props.region === undefined && region !== undefined && !this.regions.includes(region));
    const note =
      elsewhere.length > 0 ? ` There are no prices for ${elsewhere[0]}; those of ${FALLBACK_REGION} were taken.` : '';
    return {
      ruleName: EXCEEDED,
      description: `${this.subject} costs ${dollars(total)} a month (${bill.regions.join(', ')}), ${dollars(over)} over the limit of ${dollars(limitUsd)}. What does it: ${named.join('; ')}.${note}`,
      severity: 'error',
      fix: `Leave out or make smaller what is named, raise limitUsd, or acknowledge ${EXCEEDED} on it with a reason. "efs-data-layer bill" shows every line.`,
      violatingResources: items.map((item) => violating(item)),
    };
  }

  private get subject(): string {
    return this.props.includeCompute ? 'The app' : 'The data layer';
  }

  private totalOf({ totals }: Bill): number {
    return (this.props.includeCompute ? totals.all : totals.dataLayer).totalUsd;
  }

  private summaryOf(bill: Bill, usage: Usage, resources: TemplateResources): string {
    const stored = usage.generalValue('efs.storedGiB');
    const buys = this.storedIsGiven ? 'stored' : 'stored, which is what the limit buys with backups and snapshots';
    const volume =
      resources.ofType('AWS::EFS::FileSystem').length > 0 ? `, with ${stored} GiB of live data ${buys}` : '';
    return `${this.subject}: ${dollars(this.totalOf(bill))} of ${dollars(this.props.limitUsd)} a month at the prices of ${bill.regions.join(', ') || FALLBACK_REGION}${volume}.`;
  }
}

/** The dearest resources without which the bill would be within its limit. */
function dearest(resources: BilledResource[], over: number): BilledResource[] {
  const found: BilledResource[] = [];
  let left = over;
  for (const resource of [...resources].sort((a, b) => b.monthlyUsd - a.monthlyUsd)) {
    if (left <= 0) {
      break;
    }
    found.push(resource);
    left -= resource.monthlyUsd;
  }
  return found;
}

function notPriced({ notPriced: found }: Bill): PolicyViolation[] {
  return found.map((resource) => ({
    ruleName: NOT_PRICED,
    description: `${resource.address} (${resource.type}) is not priced: ${resource.reason}. What has no price is not taken for free.`,
    severity: 'error',
    fix: `Leave it out, or acknowledge ${NOT_PRICED} on it with a reason that says what it costs.`,
    violatingResources: [violating(resource)],
  }));
}

function violating({ logicalId, templateFile }: BilledResource | NotPriced): PolicyViolatingResource {
  return { resourceLogicalId: logicalId, templatePath: templateFile, locations: ['Properties'] };
}

function stacksByPath({ appConstruct }: IPolicyValidationContext): Map<string, Stack> {
  return new Map(
    appConstruct.node
      .findAll()
      .filter(Stack.isStack)
      .map((stack) => [stack.node.path, stack]),
  );
}

/** Undefined when it is known only at deployment. The context itself tells it in newer versions of aws-cdk-lib only. */
function regionOf(stack: Stack | undefined): string | undefined {
  return stack && !Token.isUnresolved(stack.region) ? stack.region : undefined;
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
