import { Check } from '../examination';
import { show } from '../compare';

export const logs: Check = {
  name: 'logs',
  kinds: {
    'log-group-missing': {
      severity: 'critical',
      title: 'A log group is gone',
      why: 'A task whose log group is missing does not start.',
    },
    'log-retention': {
      severity: 'notice',
      title: 'Logs are kept longer or shorter than promised',
      why: 'Longer is billed, for ever without a limit; shorter, and the lines are gone when somebody looks for them.',
    },
  },
  async run({ live, find }) {
    for (const { id, properties } of live.stack.promised('AWS::Logs::LogGroup')) {
      const group = await live.logGroup(id);
      if (!group) {
        find(
          'log-group-missing',
          id,
          'It does not exist.',
          `aws logs create-log-group --log-group-name ${id} ${live.at}`,
        );
      } else if (group.retentionInDays !== Number(properties.RetentionInDays)) {
        find(
          'log-retention',
          id,
          `It keeps lines ${group.retentionInDays ? `${group.retentionInDays} days` : 'for ever'}; promised is ${show(properties.RetentionInDays)} days.`,
          `aws logs put-retention-policy --log-group-name ${id} --retention-in-days ${show(properties.RetentionInDays)} ${live.at}`,
        );
      }
    }
  },
};
