import { Check } from '../examination';

/** A digest, or a tag that is a version: what has the name today has it tomorrow. */
export function isPinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) {
    return true;
  }
  const tag = /:([\w][\w.-]*)$/.exec(image)?.[1];
  return tag !== undefined && /\d/.test(tag);
}

export const images: Check = {
  name: 'images',
  kinds: {
    'image-not-pinned': {
      severity: 'warning',
      title: 'An image is not pinned',
      why: 'The next task that starts, after a crash at night, may run a newer version that migrates the database one way.',
    },
  },
  async run({ live, find }) {
    for (const { name, definition } of await live.ecs.units()) {
      for (const { name: container, image } of definition.containerDefinitions ?? []) {
        if (!isPinned(image!)) {
          find(
            'image-not-pinned',
            name,
            `${container} runs ${image}.`,
            `write a version or a digest into the code and deploy: npx cdk deploy ${live.stack.stack.StackName}   (the digest that runs: aws ecs describe-tasks --query "tasks[].containers[].imageDigest")`,
          );
        }
      }
    }
  },
};
