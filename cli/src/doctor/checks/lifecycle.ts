import { LifecyclePolicy } from '@aws-sdk/client-efs';
import { Check } from '../examination';

/** { TransitionToIA: 'AFTER_30_DAYS' } and the rest as one text, in no order. */
function transitions(policies: LifecyclePolicy[]): string[] {
  return policies.flatMap((one) => Object.entries(one).map(([name, when]) => `${name} ${when}`)).sort();
}

export const lifecycle: Check = {
  name: 'lifecycle',
  kinds: {
    lifecycle: {
      severity: 'warning',
      title: 'Files move between storage classes otherwise than promised',
      why: 'Files that nobody moves stay at the price of Standard; files that move too early, or never come back, cost for every read; Archive needs elastic throughput.',
    },
  },
  async run({ live, find }) {
    const [promised] = live.stack.promised('AWS::EFS::FileSystem');
    if (!promised) {
      return;
    }
    const policies = (promised.properties.LifecyclePolicies ?? []) as LifecyclePolicy[];
    const [wanted, actual] = [transitions(policies), transitions(await live.efs.lifecycle())];
    if (wanted.join() !== actual.join()) {
      find(
        'lifecycle',
        promised.id,
        `It is ${actual.join(', ') || 'none'}; promised is ${wanted.join(', ')}.`,
        `aws efs put-lifecycle-configuration --file-system-id ${promised.id} ${live.at} --lifecycle-policies '${JSON.stringify(policies)}'`,
      );
    }
  },
};
