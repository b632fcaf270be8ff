import { Check } from '../examination';
import { show } from '../compare';

export const mountTargets: Check = {
  name: 'mount targets',
  kinds: {
    'mount-target-missing': {
      severity: 'critical',
      title: 'A zone in use has no mount target',
      why: 'A task that ECS places in that zone cannot mount the volume and does not start; when the other zone is lost, none does.',
    },
    'mount-target-unhealthy': {
      severity: 'critical',
      title: 'A mount target is not available',
      why: 'Tasks of its zone cannot mount the volume.',
    },
  },
  async run({ live, find }) {
    const targets = await live.efs.mountTargets();
    for (const target of targets.filter((one) => one.LifeCycleState !== 'available')) {
      find(
        'mount-target-unhealthy',
        target.MountTargetId!,
        `Its state is ${show(target.LifeCycleState)}, in ${target.AvailabilityZoneName}.`,
        target.LifeCycleState === 'creating' || target.LifeCycleState === 'updating'
          ? `aws efs describe-mount-targets --mount-target-id ${target.MountTargetId} ${live.at}   (wait a few minutes)`
          : `aws efs delete-mount-target --mount-target-id ${target.MountTargetId} ${live.at} && aws efs create-mount-target --file-system-id ${live.efs.id} --subnet-id ${target.SubnetId} ${live.at}`,
      );
    }
    for (const { id, properties } of live.stack.promised('AWS::EFS::MountTarget')) {
      if (!targets.some((target) => target.SubnetId === properties.SubnetId)) {
        const groups = [properties.SecurityGroups].flat().join(' ');
        find(
          'mount-target-missing',
          id,
          `The subnet ${show(properties.SubnetId)} has none.`,
          `aws efs create-mount-target --file-system-id ${live.efs.id} --subnet-id ${show(properties.SubnetId)} --security-groups ${groups} ${live.at}`,
        );
      }
    }
  },
};
