import { Check } from '../examination';
import { show } from '../compare';

export const fileSystem: Check = {
  name: 'file system',
  kinds: {
    'file-system-unavailable': {
      severity: 'critical',
      title: 'The file system is not available',
      why: 'Nothing can be mounted, read or written until it is.',
    },
    'not-encrypted': {
      severity: 'critical',
      title: 'The file system is not encrypted at rest',
      why: 'Chats, uploads and embeddings lie in the clear on AWS’s disks, and encryption cannot be switched on later.',
    },
    'performance-mode': {
      severity: 'warning',
      title: 'The performance mode is not General Purpose',
      why: 'Max I/O has a higher latency for every operation, and each SQLite commit waits for several; it cannot be changed later.',
    },
  },
  async run({ live, find }) {
    const actual = await live.efs.fileSystem();
    const id = actual.FileSystemId!;
    const bringOver = `aws backup start-backup-job --backup-vault-name Default --resource-arn ${live.efs.arn} --iam-role-arn <role of AWS Backup> ${live.at}; then deploy a new data layer and restore into it (docs/runbooks/restore.md)`;
    if (actual.LifeCycleState !== 'available') {
      find(
        'file-system-unavailable',
        id,
        `Its state is ${show(actual.LifeCycleState)}.`,
        `aws efs describe-file-systems --file-system-id ${id} ${live.at}`,
      );
    }
    if (!actual.Encrypted) {
      find('not-encrypted', id, 'Encrypted is false.', bringOver);
    }
    if (actual.PerformanceMode !== 'generalPurpose') {
      find('performance-mode', id, `It is ${show(actual.PerformanceMode)}; promised is generalPurpose.`, bringOver);
    }
  },
};
