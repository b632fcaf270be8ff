import { asRecord, asRecords } from '../../checks/internal';
import { BillError } from '../errors';
import { Pricer, Pricing, Use } from '../pricing';
import { RATE } from '../rates';
import { TemplateResource } from '../resources-of';
import { runsPerMonth } from '../schedule';

/** Every Fargate task has this much ephemeral storage without charge (AWS Fargate pricing, read 2026-11). */
const FREE_EPHEMERAL_GB = 20;

/** Services and scheduled tasks on AWS Fargate. */
export const FARGATE: { [type: string]: Pricer } = {
  'AWS::ECS::Service': { part: 'compute', price: priceService },
  'AWS::Scheduler::Schedule': { part: 'compute', price: priceSchedule },
};

function priceService(pricing: Pricing): void {
  const tasks = pricing.number('DesiredCount', 1);
  const [definition] = pricing.resources.references(pricing.property('TaskDefinition'));
  if (tasks === 0) {
    return;
  }
  if (definition?.type !== 'AWS::ECS::TaskDefinition') {
    pricing.notPriced('its task definition is not in the template, so that its size is not known');
    return;
  }
  if (pricing.text('LaunchType') === 'EXTERNAL') {
    return;
  }
  const providers = strategy(pricing);
  if (providers === undefined && pricing.text('LaunchType') !== 'FARGATE' && !requiresFargate(definition)) {
    pricing.notPriced('it runs on EC2 instances, which are billed by themselves');
    return;
  }
  const spot = spotTasks(providers, tasks);
  const ip = pricing.text('NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp') === 'ENABLED';
  const hours = (use: Use) => use('fargate.hours');
  if (tasks > spot) {
    taskLines(pricing, definition, tasks - spot, hours, { spot: false, ip });
  }
  if (spot > 0) {
    taskLines(pricing, definition, spot, hours, { spot: true, ip });
  }
}

function requiresFargate(definition: TemplateResource): boolean {
  const required = definition.properties.RequiresCompatibilities;
  return Array.isArray(required) && required.length === 1 && required[0] === 'FARGATE';
}

/** The service's own capacity providers, else the default of its cluster. */
function strategy(pricing: Pricing): ReturnType<typeof asRecords> | undefined {
  const own = asRecords(pricing.property('CapacityProviderStrategy'));
  if (own.length > 0) {
    return own;
  }
  if (pricing.property('LaunchType') !== undefined) {
    return undefined;
  }
  const [cluster] = pricing.resources.references(pricing.property('Cluster'));
  const association = pricing.resources
    .ofType('AWS::ECS::ClusterCapacityProviderAssociations')
    .find(({ properties }) => pricing.resources.references(properties.Cluster)[0]?.key === cluster?.key);
  const standard = [
    ...asRecords(cluster?.properties.DefaultCapacityProviderStrategy),
    ...asRecords(association?.properties.DefaultCapacityProviderStrategy),
  ];
  return standard.length > 0 ? standard : undefined;
}

/** Base tasks first, the rest by weight, as ECS spreads them. Fractions stay: over a month they even out. */
function spotTasks(providers: ReturnType<typeof asRecords> | undefined, tasks: number): number {
  let left = tasks;
  let spot = 0;
  const isSpot = ({ CapacityProvider }: { readonly CapacityProvider?: unknown }) => CapacityProvider === 'FARGATE_SPOT';
  for (const provider of providers ?? []) {
    const base = Math.min(left, Number(provider.Base ?? 0));
    left -= base;
    spot += isSpot(provider) ? base : 0;
  }
  const weight = (list: ReturnType<typeof asRecords>) =>
    list.reduce((sum, provider) => sum + Number(provider.Weight ?? (providers?.length === 1 ? 1 : 0)), 0);
  const all = weight(providers ?? []);
  return all === 0 ? spot : spot + (left * weight((providers ?? []).filter(isSpot))) / all;
}

function priceSchedule(pricing: Pricing): void {
  if (pricing.text('State', 'ENABLED') === 'DISABLED') {
    return;
  }
  const expression = pricing.property('ScheduleExpression');
  const runs = typeof expression === 'string' ? runsPerMonth(expression) : undefined;
  if (runs === undefined) {
    throw new BillError(
      `${pricing.resource.address}, ScheduleExpression`,
      `It is ${JSON.stringify(expression)}, from which no number of runs can be read.`,
      'Use rate(…), cron(…) or at(…) as a plain text.',
    );
  }
  pricing.line('Invocations', RATE.schedulerInvocations, () => runs / 1e6);
  const ecs = asRecord(pricing.property('Target.EcsParameters'));
  if (Object.keys(ecs).length === 0) {
    return;
  }
  const [definition] = pricing.resources.references(ecs.TaskDefinitionArn);
  if (definition?.type !== 'AWS::ECS::TaskDefinition') {
    pricing.notPriced('the task definition it starts is not in the template');
    return;
  }
  const network = asRecord(asRecord(ecs.NetworkConfiguration).AwsvpcConfiguration);
  const tasks = pricing.number('Target.EcsParameters.TaskCount', 1);
  taskLines(pricing, definition, tasks * runs, (use) => use('schedule.taskMinutes') / 60, {
    spot: asRecords(ecs.CapacityProviderStrategy).some(({ CapacityProvider }) => CapacityProvider === 'FARGATE_SPOT'),
    ip: network.AssignPublicIp === 'ENABLED',
  });
}

function taskLines(
  pricing: Pricing,
  definition: TemplateResource,
  tasks: number,
  hours: (use: Use) => number,
  { spot, ip }: { spot: boolean; ip: boolean },
): void {
  const arm = pricing.text('RuntimePlatform.CpuArchitecture', 'X86_64', definition) === 'ARM64';
  const vcpu = pricing.number('Cpu', undefined, definition) / 1024;
  const memory = pricing.number('Memory', undefined, definition) / 1024;
  const ephemeral = pricing.number('EphemeralStorage.SizeInGiB', FREE_EPHEMERAL_GB, definition);
  const kind = `${arm ? 'ARM64' : 'x86_64'}${spot ? ', Spot' : ''}`;
  const options = spot
    ? {
        percentOfRate: 'fargate.spotPercent' as const,
        note: 'AWS publishes no Spot price; the upper estimate is on-demand',
      }
    : {};
  const taskHours = (use: Use) => tasks * hours(use);
  pricing.line(
    `vCPU (${kind}), ${vcpu} each`,
    arm ? RATE.fargateArmVcpu : RATE.fargateX86Vcpu,
    (use) => taskHours(use) * vcpu,
    options,
  );
  pricing.line(
    `Memory (${kind}), ${memory} GB each`,
    arm ? RATE.fargateArmMemory : RATE.fargateX86Memory,
    (use) => taskHours(use) * memory,
    options,
  );
  if (ephemeral > FREE_EPHEMERAL_GB) {
    pricing.line(
      'Ephemeral storage beyond 20 GB',
      RATE.fargateEphemeral,
      (use) => taskHours(use) * (ephemeral - FREE_EPHEMERAL_GB),
    );
  }
  if (ip) {
    pricing.line('Public IPv4 address', RATE.publicIpv4, taskHours);
  }
}
