import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { inputError, requireBoolean } from '../errors';
import { requireObject } from '../inputs';
import { nearest } from '../nearest';
import { ALARM_KINDS } from './kinds';
import { AlarmsProps } from './props';

/** The largest number that is sensible for each kind; smaller ones are at least 0, counts of periods from their own least. */
const BOUNDS: { readonly [kind: string]: { min: number; max: number; whole?: boolean } } = {
  overlapMinutes: { min: 2, max: 60, whole: true },
  backupAgeHours: { min: 1, max: 168, whole: true },
  loadAgeHours: { min: 1, max: 168, whole: true },
  percentIoLimit: { min: 0, max: 100 },
  cpuPercent: { min: 0, max: 100 },
};
const ANY = { min: 0, max: 1e9 };

const OTHERS = ['topic', 'eventTarget', 'actions', 'dashboard'];

/** An alarm's id is made from its name. */
const NAME = /^[A-Za-z][A-Za-z0-9]{0,31}$/;

/**
 * Checks the alarms of a data layer.
 *
 * @internal
 */
export function requireAlarms(scope: IConstruct, props: AlarmsProps): void {
  requireObject(scope, 'alarms', props, [], 'Pass {} for all defaults, or leave it out for no alarms.');
  const valid = [...Object.keys(ALARM_KINDS), ...OTHERS];
  for (const name of Object.keys(props)) {
    if (!valid.includes(name)) {
      const near = nearest(name, valid);
      throw inputError(
        scope,
        `alarms.${name} is no kind of alarm.`,
        `${near ? `Did you mean ${near}? ` : ''}Valid: ${valid.join(', ')}.`,
      );
    }
  }
  for (const [kind, { defaults, unit }] of Object.entries(ALARM_KINDS)) {
    requireThresholds(scope, kind, props[kind as keyof AlarmsProps], defaults, unit);
  }
  const topic = "Pass a topic, for example sns.Topic.fromTopicArn(this, 'Topic', arn).";
  requireObject(scope, 'alarms.topic', props.topic, ['topicArn'], topic);
  const target = 'Pass a target of aws-cdk-lib/aws-events-targets, for example new targets.SqsQueue(queue).';
  requireObject(scope, 'alarms.eventTarget', props.eventTarget, ['bind'], target);
  const actions: unknown = props.actions ?? [];
  if (!Array.isArray(actions) || actions.some((action) => typeof action?.bind !== 'function')) {
    throw inputError(
      scope,
      'alarms.actions is not a list of actions.',
      'Pass actions of aws-cdk-lib/aws-cloudwatch-actions, for example [new actions.LambdaAction(fn)].',
    );
  }
  if (props.dashboard !== undefined) {
    requireBoolean(scope, 'alarms.dashboard', props.dashboard);
  }
}

function requireThresholds(
  scope: IConstruct,
  kind: string,
  given: unknown,
  defaults: { readonly [name: string]: number },
  unit: string,
): void {
  const example = `Pass names and thresholds (${unit}), for example ${JSON.stringify(defaults)}; {} makes no such alarm.`;
  requireObject(scope, `alarms.${kind}`, given, [], example);
  const { min, max, whole } = BOUNDS[kind] ?? ANY;
  for (const [name, value] of Object.entries((given ?? {}) as { [name: string]: unknown })) {
    if (!NAME.test(name)) {
      throw inputError(scope, `alarms.${kind} has the name ${JSON.stringify(name)}.`, 'Use letters and digits.');
    }
    const usable =
      typeof value === 'number' &&
      !Token.isUnresolved(value) &&
      value >= min &&
      value <= max &&
      (!whole || Number.isInteger(value));
    if (!usable) {
      const shown = Token.isUnresolved(value) ? 'a token, known only at deployment' : JSON.stringify(value);
      throw inputError(
        scope,
        `alarms.${kind}.${name} is ${shown}.`,
        `Pass a ${whole ? 'whole ' : ''}number from ${min} to ${max} (${unit}).`,
      );
    }
  }
}
