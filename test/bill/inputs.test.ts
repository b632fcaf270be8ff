import * as path from 'path';
import { billOf, Usage } from '../../lib/bill';
import { bill, folder, resourcesOf } from './helpers';

describe('what is no template', () => {
  test.each<[string, unknown, RegExp]>([
    ['half a template', '{"Resources": {"Fs": {"Type": "AWS::EFS', /t\.json\] It is no whole JSON document.*cut off/],
    ['YAML', 'Resources:\n  Fs:\n    Type: AWS::EFS::FileSystem\n', /YAML is not read/],
    ['a list', [], /holds no JSON object/],
    ['another document', { name: 'package' }, /It has no Resources, so it is no CloudFormation template/],
    ['a resource without a type', { Resources: { Fs: { Properties: {} } } }, /t\.json, Fs\] This resource has no Type/],
  ])('%s', (_name, content, message) => {
    const directory = folder({ 't.json': content });
    expect(() => billOf(path.join(directory, 't.json'))).toThrow(message);
  });
  test('nothing there, or a folder that is no assembly', () => {
    expect(() => billOf('/nowhere/cdk.out')).toThrow(/\[\/nowhere\/cdk\.out\] There is no such file.*cdk synth/);
    expect(() => billOf(folder({ 'a.txt': '' }))).toThrow(/no manifest\.json/);
  });
});

describe('a token where a number is needed', () => {
  const service = (DesiredCount: unknown) => ({
    Td: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu: '256', Memory: '512' } },
    Svc: {
      Type: 'AWS::ECS::Service',
      Properties: { LaunchType: 'FARGATE', TaskDefinition: { Ref: 'Td' }, DesiredCount },
    },
  });
  test('names the resource and the property', () => {
    expect(() => bill(service({ Ref: 'Count' }), {}, { rest: { Parameters: { Count: { Type: 'Number' } } } })).toThrow(
      /^\[Test\/Svc, DesiredCount\] It is a token \(\{"Ref":"Count"\}\), known only at deployment.*default\.$/,
    );
  });
  test('a parameter’s default, a mapping and a condition are known', () => {
    const rest = {
      Parameters: { Count: { Type: 'Number', Default: '3' }, Stage: { Type: 'String', Default: 'prod' } },
      Mappings: { Sizes: { prod: { count: 4 } } },
      Conditions: { IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] } },
    };
    const tasks = (count: unknown) => {
      const [{ lines }] = bill(service(count), {}, { rest }).resources;
      return lines[0].quantity / (730 * 0.25);
    };
    expect(tasks({ Ref: 'Count' })).toBeCloseTo(3);
    expect(tasks({ 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'count'] })).toBeCloseTo(4);
    expect(tasks({ 'Fn::If': ['IsProd', 5, 1] })).toBeCloseTo(5);
  });
  test('a resource whose condition does not hold is not billed; one that may hold is', () => {
    const rest = {
      Parameters: { Later: { Type: 'String' } },
      Conditions: { No: { 'Fn::Equals': ['a', 'b'] }, Maybe: { 'Fn::Equals': [{ Ref: 'Later' }, 'x'] } },
    };
    const { resources } = bill(
      {
        A: { Type: 'AWS::KMS::Key', Condition: 'No' },
        B: { Type: 'AWS::KMS::Key', Condition: 'Maybe' },
      },
      {},
      { rest },
    );
    expect(resources.map(({ logicalId }) => logicalId)).toEqual(['B']);
  });
});

describe('usage', () => {
  test.each<[string, unknown, RegExp]>([
    ['a mistyped key', { 'efs.storedGib': 5, 'efs.storedGiBs': 5 }, /Did you mean efs\.storedGiB\?/],
    ['a key without its service', { storedGiB: 5 }, /\[usage, storedGiB\].*Did you mean efs\.storedGiB\?/],
    ['a key like none', { zebra: 5 }, /There are: efs\.storedGiB, /],
    ['negative', { 'efs.storedGiB': -1 }, /\[usage, efs\.storedGiB\] It is -1 \(number\)\. Write a number from 0 to/],
    ['absurd', { 'fargate.hours': 1000 }, /It is 1000 .*from 0 to 730 \(hours a month\)/],
    ['a text', { 'efs.storedGiB': '20' }, /It is "20" \(string\)/],
    ['not finite', { 'efs.storedGiB': Infinity }, /efs\.storedGiB\] It is null/],
    ['a list', [], /\[usage\] It is \[\]/],
    [
      'inside a resource',
      { resources: { 'A/B': { 'efs.storedGiB': -1 } } },
      /\[usage, A\/B, efs\.storedGiB\] It is -1/,
    ],
  ])('%s', (_name, usage, message) => {
    expect(() => Usage.from(usage)).toThrow(message);
  });
  test('a file that is none, or no JSON', () => {
    expect(() => Usage.fromFile('/nowhere/usage.json')).toThrow(/\/nowhere\/usage\.json\].*ENOENT/);
    expect(() => Usage.fromFile(path.join(folder({ 'u.json': '{' }), 'u.json'))).toThrow(/is no JSON/);
  });
  test('a resource’s own value counts for it alone; one for a resource that is not there is told', () => {
    const keys = { A: { Type: 'AWS::KMS::Key' }, B: { Type: 'AWS::KMS::Key' } };
    const { resources, unusedUsage } = bill(keys, {
      'kms.requests': 0,
      resources: { 'Test/A': { 'kms.requests': 1_020_000 }, 'Test/C': { 'kms.requests': 1 } },
    });
    expect(resources.map(({ monthlyUsd }) => monthlyUsd)).toEqual([1 + 100 * 0.03, 1]);
    expect(unusedUsage).toEqual(['Test/C']);
  });
});

test('a stack in a region without prices is an error that names those there are', () => {
  const key = { Key: { Type: 'AWS::KMS::Key' } };
  expect(() => bill(key, {}, { region: 'mars-1' })).toThrow(
    /\[Test\/Key\] There are no prices for its region, mars-1\..*ap-southeast-2, eu-west-1, us-east-1/,
  );
  expect(resourcesOf(key, {}, 'eu-west-1').all[0].region).toBe('eu-west-1');
});
