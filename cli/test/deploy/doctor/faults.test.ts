import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm';
import { AttachRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateFileSystemCommand } from '@aws-sdk/client-efs';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { makeClients, Clients } from '../../../src/aws/clients';
import { ACTIONS } from '../../../src/doctor/actions';
import { Report } from '../../../src/doctor/finding';
import { isAllowed, statementsOf } from '../../../src/doctor/iam/evaluate';
import { main } from '../../../src/main';
import { Deployment, deployments, flagsOf } from '../../doctor/deployments';
import { Account, STACK } from './account';
import { Fault, nameOperations, Proxy } from './proxy';

jest.setTimeout(600_000);

/** What only the third of the deployments needs. */
const OF_AURORA: string[] = ['rds:DescribeDBClusterParameters', 'rds:DescribeDBClusters'];

let account: Account;
let all: Deployment[];
let proxy: Proxy;
let endpoint: string;

beforeAll(async () => {
  account = await Account.start();
  const acm = new ACMClient(account.aws.client);
  const { CertificateArn } = await acm.send(new RequestCertificateCommand({ DomainName: 'chat.example.org' }));
  all = deployments(CertificateArn!);
  await account.deploy(...flagsOf(all[1]));
  // So that every call is needed: a managed policy on a role that mounts, and a secret that a task reads.
  await account.clients.iam.send(
    new AttachRolePolicyCommand({
      RoleName: account.id('AWS::IAM::Role', 'OpenWebUiTaskTaskRole'),
      PolicyArn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess',
    }),
  );
  const { ARN } = await account.clients.secrets.send(new CreateSecretCommand({ Name: 'openai', SecretString: 'x' }));
  await account.redefine('OpenWebUi', (definition) => {
    const [container] = definition.containerDefinitions!;
    container.secrets = [...(container.secrets ?? []), { name: 'OPENAI_API_KEY', valueFrom: ARN }];
  });
  proxy = new Proxy(account.aws.endpoint);
  endpoint = await proxy.start();
});

beforeEach(() => proxy.forget());

afterAll(async () => {
  await proxy?.stop();
  await account?.stop();
});

function clients(requestTimeout?: number): Clients {
  const before = process.env.AWS_ENDPOINT_URL;
  process.env.AWS_ENDPOINT_URL = endpoint;
  const made = makeClients({ region: account.aws.region });
  nameOperations(made);
  for (const client of requestTimeout ? (Object.values(made) as Clients['ecs'][]) : []) {
    const handler = client.config.requestHandler as unknown as {
      updateHttpClientConfig(key: string, value: number): void;
    };
    handler.updateHttpClientConfig('requestTimeout', requestTimeout!);
  }
  lastEndpoint = before;
  return made;
}

let lastEndpoint: string | undefined;

interface Run {
  readonly code: number;
  readonly notes: string;
  readonly report?: Report;
}

async function doctor(aws = clients()): Promise<Run> {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await main(['doctor', STACK, '--json'], {
    clients: () => aws,
    io: { out: (line) => out.push(line), note: (line) => notes.push(line) },
    clock: { now: Date.now, sleep: async () => {} },
  });
  process.env.AWS_ENDPOINT_URL = lastEndpoint;
  return { code, notes: notes.join('\n'), report: out.length > 0 ? (JSON.parse(out.join('\n')) as Report) : undefined };
}

const denied = (action: string): Fault => ({
  status: action.startsWith('ec2:') ? 403 : 400,
  code: action.startsWith('ec2:') ? 'UnauthorizedOperation' : 'AccessDeniedException',
  message: `User: arn:aws:iam::123456789012:user/reader is not authorized to perform: ${action}`,
});

/** What was changed above is found, and nothing else. */
const EXPECTED = ['role-policy', 'task-definition-drift'];

const ids = (run: Run) => [...new Set(run.report!.findings.map((one) => one.id))].sort();

async function printedPolicy(): Promise<string> {
  const out: string[] = [];
  await main(['doctor', '--print-policy'], { io: { out: (line) => out.push(line), note: () => {} } });
  return out.join('\n');
}

/** Nothing but what the printed policy allows is answered. */
async function asPrinted(): Promise<void> {
  const statements = statementsOf(await printedPolicy());
  proxy.fault = (action) =>
    isAllowed(
      { identity: statements, resource: [] },
      { principal: 'arn:aws:iam::123456789012:user/reader', action, resource: '*', context: {} },
    ) === 'yes'
      ? undefined
      : denied(action);
}

test('the printed policy is enough, and nothing in it is not needed', async () => {
  await asPrinted();
  const run = await doctor();
  expect(run.report!.notChecked).toEqual([]);
  expect(ids(run)).toEqual(EXPECTED);
  expect([...new Set(proxy.asked)].sort()).toEqual(ACTIONS.filter((one) => !OF_AURORA.includes(one)).sort());
});

test.each(ACTIONS.filter((one) => !/DescribeStacks|ListStackResources/.test(one) && !OF_AURORA.includes(one)))(
  'without %s the rest goes on, and what needs it is named',
  async (missing) => {
    proxy.fault = (action) => (action === missing ? denied(action) : undefined);
    const { report, code } = await doctor();
    const reasons = report!.notChecked.map((one) => one.reason);
    expect(reasons.length).toBeGreaterThan(0);
    expect(new Set(reasons)).toEqual(new Set([`needs ${missing}`]));
    expect(reasons.length).toBeLessThan(report!.checks);
    expect(report!.findings.filter((one) => !EXPECTED.includes(one.id))).toEqual([]);
    expect(code).not.toBe(0);
  },
);

test.each(['cloudformation:DescribeStacks', 'cloudformation:ListStackResources'])(
  'without %s nothing can be looked at, and it says what to do',
  async (missing) => {
    proxy.fault = (action) => (action === missing ? denied(action) : undefined);
    const { notes, code } = await doctor();
    expect([code, notes]).toEqual([64, expect.stringContaining(`needs ${missing}`)]);
    expect(notes).toContain('doctor --print-policy');
  },
);

test('throttling is waited out', async () => {
  proxy.fault = (_action, attempt) =>
    attempt === 1 ? { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' } : undefined;
  const run = await doctor();
  expect([run.report!.notChecked, ids(run)]).toEqual([[], EXPECTED]);
});

test('throttling without end is said, and the rest goes on', async () => {
  proxy.fault = (action) =>
    action === 'backup:GetBackupPlan'
      ? { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' }
      : undefined;
  const run = await doctor();
  expect(run.report!.notChecked).toEqual([
    { check: 'backup plan', reason: expect.stringContaining('ThrottlingException: Rate exceeded'), notYet: false },
  ]);
  expect(ids(run)).toEqual(EXPECTED);
});

test('a call that is never answered ends, and the rest goes on', async () => {
  proxy.fault = (action) => (action === 'elasticfilesystem:DescribeMountTargets' ? 'silence' : undefined);
  const run = await doctor(clients(500));
  expect(run.report!.notChecked.map((one) => one.check).sort()).toEqual(['mount targets', 'network']);
  expect(run.report!.notChecked[0].reason).toMatch(/DescribeMountTargets was answered with TimeoutError/);
  expect(ids(run)).toEqual(EXPECTED);
});

test('what AWS does not know everywhere yet is asked for again', async () => {
  const absent = { status: 404, code: 'NoSuchEntity', message: 'The role cannot be found.' };
  proxy.fault = (action, attempt) => (action === 'iam:GetRole' && attempt <= 8 ? absent : undefined);
  expect(ids(await doctor())).toEqual(EXPECTED);
  proxy.forget();
  proxy.fault = (action) => (action === 'iam:GetRole' ? absent : undefined);
  expect(ids(await doctor())).toContain('role-missing');
});

test.each([
  ['ExpiredTokenException', 'The security token included in the request is expired'],
  ['UnrecognizedClientException', 'The security token included in the request is invalid'],
])('%s: nobody is logged in, and it says what to do', async (code, message) => {
  proxy.fault = () => ({ status: 403, code, message });
  const run = await doctor();
  expect([run.code, run.report]).toEqual([1, undefined]);
  expect(run.notes).toContain('aws sso login');
});

test('a stack that does not exist', async () => {
  const notes: string[] = [];
  const aws = clients();
  process.env.AWS_ENDPOINT_URL = lastEndpoint;
  const code = await main(['doctor', 'Nope'], {
    clients: () => aws,
    io: { out: () => {}, note: (line) => notes.push(line) },
  });
  expect([code, notes]).toEqual([64, [expect.stringContaining('There is no such stack')]]);
});

test('an account with 500 file systems: every page is read', async () => {
  const { efs } = account.clients;
  for (let number = 0; number < 500; number++) {
    const last = number === 499;
    await efs.send(
      new CreateFileSystemCommand({
        CreationToken: `other-${number}`,
        Tags: last
          ? [
              { Key: 'ManagedBy', Value: 'efs-data-layer' },
              {
                Key: 'aws:cloudformation:stack-id',
                Value: 'arn:aws:cloudformation:us-east-1:123456789012:stack/Old/gone',
              },
            ]
          : [],
      }),
    );
  }
  const started = Date.now();
  const run = await doctor();
  expect(ids(run)).toEqual([...EXPECTED, 'file-system-left-behind'].sort());
  const pages = proxy.asked.filter((one) => one === 'elasticfilesystem:DescribeFileSystems').length;
  expect(pages).toBeGreaterThan(5);
  console.log(`500 file systems: ${proxy.asked.length} calls, ${pages - 1} pages, ${Date.now() - started} ms`);
});

test('of Aurora: the printed policy is enough; without one of its actions the rest goes on, and it is named', async () => {
  await account.deploy(...flagsOf(all[2]));
  await asPrinted();
  expect((await doctor()).report!.notChecked).toEqual([]);
  expect(OF_AURORA.filter((one) => !proxy.asked.includes(one))).toEqual([]);
  for (const missing of OF_AURORA) {
    proxy.fault = (action) => (action === missing ? denied(action) : undefined);
    const { notChecked } = (await doctor()).report!;
    expect([...new Set(notChecked.map((one) => one.reason))]).toEqual([`needs ${missing}`]);
  }
});
