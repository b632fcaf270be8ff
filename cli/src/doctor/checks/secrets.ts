import { Check } from '../examination';

/** The ARN of a secret, without the key, stage and version that a task definition may add. */
function secretArn(valueFrom: string): string | undefined {
  return /^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)/.exec(valueFrom)?.[1];
}

export const secrets: Check = {
  name: 'secrets',
  kinds: {
    'secret-missing': {
      severity: 'critical',
      title: 'A secret that a task reads is gone',
      why: 'The next task does not start; the one that runs goes on until then.',
    },
  },
  async run({ live, find }) {
    const wanted = new Map<string, string>();
    for (const { name, definition } of await live.ecs.units()) {
      for (const { valueFrom } of (definition.containerDefinitions ?? []).flatMap((one) => one.secrets ?? [])) {
        const arn = secretArn(valueFrom!);
        if (arn) {
          wanted.set(arn, name);
        }
      }
    }
    for (const [arn, name] of wanted) {
      const secret = await live.secret(arn);
      if (!secret) {
        find('secret-missing', arn, `${name} reads it, and it does not exist.`, live.revert);
      } else if (secret.DeletedDate) {
        find(
          'secret-missing',
          arn,
          `${name} reads it, and it is marked for deletion since ${secret.DeletedDate.toISOString()}.`,
          `aws secretsmanager restore-secret --secret-id ${arn} ${live.at}`,
        );
      }
    }
  },
};
