import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm';
import { Report } from '../../../src/doctor/finding';
import { main } from '../../../src/main';
import { Account, STACK } from './account';

jest.setTimeout(600_000);

let account: Account;

let certificateArn: string;

beforeAll(async () => {
  account = await Account.start();
  const acm = new ACMClient(account.aws.client);
  certificateArn = (await acm.send(new RequestCertificateCommand({ DomainName: 'chat.example.org' }))).CertificateArn!;
});

afterAll(() => account?.stop());

const flags = (values: Record<string, string>) =>
  Object.entries({ monthlyBudgetUsd: '300', ...values }).flatMap(([name, value]) => [
    '-c',
    `data-layer:${name}=${value}`,
  ]);

/** Each follows the one before, as in an account that grows; at the end it shrinks again. */
test.each([
  ['no services', {}],
  ['services, without a backup plan', { services: 'true', backup: 'false' }],
  ['services on x86, with a cost centre', { services: 'true', architecture: 'x86_64', costCenter: 'research' }],
  ['a load balancer', { services: 'true', certificateArn: 'ask', allowedCidrs: '203.0.113.0/24' }],
  [
    'PostgreSQL, pgvector, a cache and two replicas',
    {
      ...{ services: 'true', relational: 'rds-postgres', relationalPhase: 'cutover', vectors: 'pgvector' },
      ...{ cache: 'valkey-serverless', replicas: '2' },
    },
  ],
  ['no services again', {}],
])('%s: nothing is found', async (_name, values) => {
  const own = 'certificateArn' in values ? { ...values, certificateArn } : values;
  await account.deploy(...flags(own as Record<string, string>));
  const out: string[] = [];
  const code = await main(['doctor', STACK, '--json'], {
    clients: () => account.clients,
    io: { out: (line) => out.push(line), note: (line) => out.push(line) },
  });
  const { findings, notChecked } = JSON.parse(out.join('\n')) as Report;
  expect({ findings, notChecked: notChecked.filter((one) => !one.notYet), code }).toEqual({
    findings: [],
    notChecked: [],
    code: 0,
  });
});
