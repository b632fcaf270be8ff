import { differences, show } from '../compare';
import { Check } from '../examination';

type Tree = Record<string, unknown>;

/** The Scheduler API spells one key in its own way. What it starts is looked at by the check of task definitions. */
function spelt({ EcsParameters, ...target }: Tree): Tree {
  const ecs = { ...((EcsParameters ?? {}) as Tree) };
  const network = (ecs.NetworkConfiguration as Tree | undefined)?.AwsvpcConfiguration;
  delete ecs.TaskDefinitionArn;
  return { ...target, EcsParameters: { ...ecs, NetworkConfiguration: network && { awsvpcConfiguration: network } } };
}

export const schedule: Check = {
  name: 'schedules',
  kinds: {
    'schedule-off': {
      severity: 'warning',
      title: 'The evidence collector is not started any more',
      why: 'A month that AWS rewrites is only evidence if it was collected before.',
    },
    'schedule-drift': {
      severity: 'warning',
      title: 'The evidence collector is started at another time, or otherwise',
      why: 'It may not start at all: without its role, its cluster or its network.',
    },
  },
  async run({ live, find }) {
    for (const { id, logicalId, properties } of live.stack.promised('AWS::Scheduler::Schedule')) {
      const actual = await live.schedule(id);
      if (!actual) {
        find('schedule-off', id, `${logicalId} does not exist any more.`, live.revert);
        continue;
      }
      const { Target, ScheduleExpression, ScheduleExpressionTimezone, State } = properties as { Target: Tree } & Tree;
      if (actual.State !== (State ?? 'ENABLED')) {
        find('schedule-off', id, `Its state is ${show(actual.State)}.`, live.revert);
      }
      const wanted = { Target: spelt(Target), ScheduleExpression, ScheduleExpressionTimezone };
      for (const one of differences(wanted, actual)) {
        find(
          'schedule-drift',
          id,
          `${one.path.join('.')} is ${show(one.live)}; promised is ${show(one.promised)}.`,
          live.revert,
        );
      }
    }
  },
};
