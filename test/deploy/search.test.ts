import { Deployment } from './deployment';

jest.setTimeout(300_000);

const EVERYTHING_ELSE =
  /^AWS::(?!OpenSearchServerless|EC2::SecurityGroupIngress|EC2::SecurityGroup$|IAM::Policy|ECS::TaskDefinition|CDK::)/;
const AUDITOR = 'arn:aws:iam::123456789012:role/Auditor';

const flags = (values: Record<string, string>) =>
  Object.entries({ monthlyBudgetUsd: '200', ...values }).flatMap(([name, value]) => [
    '-c',
    `data-layer:${name}=${value}`,
  ]);

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(() => deployment?.stop());

/** What exists of the search, by type. */
async function search() {
  const all = (await deployment.aws.recorded()).filter(({ type }) => type.startsWith('AWS::OpenSearchServerless::'));
  const one = (kind: string, type?: string) =>
    all.find(
      ({ type: found, properties }) =>
        found === `AWS::OpenSearchServerless::${kind}` && (type === undefined || properties.Type === type),
    )?.properties;
  const access = one('AccessPolicy')?.Policy as string | undefined;
  return {
    count: all.length,
    network: one('SecurityPolicy', 'network')?.Policy as string | undefined,
    principals: access && (JSON.parse(access) as { Principal: string[] }[]).map(({ Principal }) => Principal),
  };
}

test('beside the files, with a reader, private, and gone again: nothing else is replaced', async () => {
  await deployment.deploy(...flags({}));
  const before = await deployment.resources(EVERYTHING_ELSE);
  expect((await search()).count).toBe(0);

  await deployment.deploy(...flags({ search: 'open-search-serverless' }));
  const own = await deployment.resources(/^AWS::OpenSearchServerless::/);
  expect(await deployment.output('SearchEndpoint')).toMatch(/^https:\/\/[a-z0-9]+\.us-east-1\.aoss\.amazonaws\.com$/);
  const { taskRoleArn } = await deployment.taskDefinition('Evidence');
  expect((await search()).principals).toEqual([[taskRoleArn]]);

  await deployment.deploy(
    ...flags({ search: 'open-search-serverless', searchReaders: AUDITOR, searchPrivate: 'true', costCenter: 'finops' }),
  );
  const made = await search();
  expect(made.principals).toEqual([[taskRoleArn], [AUDITOR]]);
  expect(JSON.parse(made.network!)).toEqual([
    expect.objectContaining({ AllowFromPublic: false, SourceVPCEs: [expect.stringMatching(/^vpce-/)] }),
  ]);
  // The collection and its policies changed in place.
  expect(await deployment.resources(/^AWS::OpenSearchServerless::/)).toMatchObject(own);

  await deployment.deploy(...flags({}));
  expect((await search()).count).toBe(0);
  expect(Object.keys(await deployment.resources(/SearchServerless/))).toEqual([]);
  expect(await deployment.resources(EVERYTHING_ELSE)).toEqual(before);
});
