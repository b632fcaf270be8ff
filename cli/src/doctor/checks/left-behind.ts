import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { FileSystemDescription } from '@aws-sdk/client-efs';
import { Check } from '../examination';
import { Live } from '../live';

const tagOf = (one: FileSystemDescription, key: string) => one.Tags?.find((tag) => tag.Key === key)?.Value;

/** A deleted stack can be described by its id for 90 days, and not at all afterwards. */
async function stackIsGone(live: Live, id: string): Promise<boolean> {
  const answer = await live.calls.find('cloudformation:DescribeStacks', /^ValidationError$/, undefined, () =>
    live.aws.cloudFormation.send(new DescribeStacksCommand({ StackName: id })),
  );
  return (answer?.Stacks?.[0]?.StackStatus ?? 'DELETE_COMPLETE') === 'DELETE_COMPLETE';
}

export const leftBehind: Check = {
  name: 'file systems left behind',
  kinds: {
    'file-system-left-behind': {
      severity: 'notice',
      title: 'A deleted stack left a file system behind',
      why: 'The data of a data layer stays when its stack goes, on purpose; it is billed until somebody adopts or deletes it.',
    },
  },
  async run({ live, find }) {
    const ours = (await live.efs.allFileSystems()).filter(
      (one) => one.FileSystemId !== live.efs.id && tagOf(one, 'ManagedBy') === 'efs-data-layer',
    );
    const stacks = [...new Set(ours.map((one) => tagOf(one, 'aws:cloudformation:stack-id')))];
    for (const stack of stacks) {
      if (stack === undefined || !(await stackIsGone(live, stack))) {
        continue;
      }
      for (const one of ours.filter((each) => tagOf(each, 'aws:cloudformation:stack-id') === stack)) {
        const gib = ((one.SizeInBytes?.Value ?? 0) / 1024 ** 3).toFixed(2);
        find(
          'file-system-left-behind',
          one.FileSystemId!,
          `It was of ${stack.split('/')[1] ?? stack}, which is deleted, and holds ${gib} GiB.`,
          `deploy with existingFileSystem: { fileSystemId: '${one.FileSystemId}', … } to adopt it, or, if nobody needs the data: aws efs delete-file-system --file-system-id ${one.FileSystemId} ${live.at}`,
        );
      }
    }
  },
};
