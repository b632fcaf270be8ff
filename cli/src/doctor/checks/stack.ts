import { Check } from '../examination';

export const stack: Check = {
  name: 'stack',
  kinds: {
    'stack-failed': {
      severity: 'warning',
      title: 'The stack’s last operation failed',
      why: 'What is deployed is neither the old state nor the new one, and CloudFormation takes no update before it is settled.',
    },
  },
  async run({ live, find }) {
    const { StackName, StackStatus, StackStatusReason } = live.stack.stack;
    if (/FAILED$|^ROLLBACK_COMPLETE$/.test(StackStatus ?? '')) {
      find(
        'stack-failed',
        StackName!,
        `Its status is ${StackStatus}${StackStatusReason ? `: ${StackStatusReason}` : ''}.`,
        StackStatus === 'UPDATE_ROLLBACK_FAILED'
          ? `aws cloudformation continue-update-rollback --stack-name ${StackName} ${live.at}`
          : `aws cloudformation describe-stack-events --stack-name ${StackName} ${live.at} --query "StackEvents[?contains(ResourceStatus,'FAILED')].[LogicalResourceId,ResourceStatusReason]"`,
      );
    }
  },
};
