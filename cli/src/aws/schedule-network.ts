import { StackResourceSummary } from '@aws-sdk/client-cloudformation';
import { GetScheduleCommand } from '@aws-sdk/client-scheduler';
import { ask } from '../errors';
import { Session } from './clients';
import { DeployedWorkload, idsOf } from './workload';

const family = (arn = '') => arn.replace(/:\d+$/, '');

/**
 * The workload in the network that a schedule of its stack, whose `resources` these are, runs its task in. Undefined when
 * none does.
 */
export async function inNetworkOfSchedule(
  session: Session,
  workload: DeployedWorkload,
  resources: StackResourceSummary[],
): Promise<DeployedWorkload | undefined> {
  for (const Name of idsOf(resources, 'AWS::Scheduler::Schedule')) {
    const { Target } = await ask(`schedule ${Name}`, () =>
      session.aws.scheduler.send(new GetScheduleCommand({ Name })),
    );
    const { TaskDefinitionArn, NetworkConfiguration } = Target?.EcsParameters ?? {};
    const network = NetworkConfiguration?.awsvpcConfiguration;
    if (network && family(TaskDefinitionArn) === family(workload.taskDefinition.taskDefinitionArn)) {
      const { Subnets: subnets, SecurityGroups: securityGroups, AssignPublicIp: assignPublicIp } = network;
      const networkConfiguration = { awsvpcConfiguration: { subnets, securityGroups, assignPublicIp } };
      return { ...workload, service: { ...workload.service, networkConfiguration } };
    }
  }
  return undefined;
}
