import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import { EfsDataLayer } from '../../lib';
import { census, dataLayer, importedVpc, newStack } from '../helpers';

describe('adopting a file system', () => {
  const adopt = (stack: Stack, extra: object = {}, props: object = {}) =>
    new EfsDataLayer(stack, 'Data', {
      existingFileSystem: {
        fileSystemId: 'fs-0123456789abcdef0',
        vpc: importedVpc(stack),
        securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0'),
        ...extra,
      },
      ...props,
    });

  test('makes access points on it, and neither a file system nor mount targets', () => {
    const stack = newStack();
    adopt(stack);
    const template = Template.fromStack(stack);
    const counts = census(template);
    expect(counts['AWS::EFS::FileSystem']).toBeUndefined();
    expect(counts['AWS::EFS::MountTarget']).toBeUndefined();
    expect(counts['AWS::EFS::AccessPoint']).toBe(3);
    template.allResourcesProperties('AWS::EFS::AccessPoint', { FileSystemId: 'fs-0123456789abcdef0' });
  });

  test('warns that isolation is not enforced and prints the command, until one says it is', () => {
    const warned = (stack: Stack) =>
      JSON.stringify(stack.node.findAll().map((node) => node.node.metadata)).includes('IsolationNotEnforced');
    const first = newStack();
    adopt(first);
    expect(warned(first)).toBe(true);
    expect(JSON.stringify(Template.fromStack(first).toJSON().Outputs)).toContain(
      'aws efs put-file-system-policy --file-system-id fs-0123456789abcdef0',
    );
    const second = newStack();
    adopt(second, { policyAttached: true });
    expect(warned(second)).toBe(false);
  });

  test('recreates mount targets on request, with a group of its own', () => {
    const stack = newStack();
    adopt(stack, { createMountTargets: true, securityGroup: undefined });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::EFS::MountTarget', 2);
    template.resourceCountIs('AWS::EC2::SecurityGroup', 1);
  });

  test.each([
    ['no VPC', { vpc: undefined }, {}, /existingFileSystem.vpc is missing.*Pass the VPC/s],
    ['no security group', { securityGroup: undefined }, {}, /securityGroup is missing.*createMountTargets/s],
    ['a bad id', { fileSystemId: 'my-files' }, {}, /fileSystemId is "my-files".*fs-0123/s],
    ['no id', { fileSystemId: undefined }, {}, /fileSystemId is undefined/],
    [
      'a lifecycle policy',
      {},
      { lifecyclePolicy: efs.LifecyclePolicy.AFTER_7_DAYS },
      /lifecyclePolicy cannot be set together/,
    ],
  ])('%s is refused', (_name, extra, props, message) => {
    expect(() => adopt(newStack(), extra, props)).toThrow(message);
  });

  test('two data layers may not share its directories', () => {
    const app = new App();
    adopt(new Stack(app, 'One'));
    expect(() => adopt(new Stack(app, 'Two'))).toThrow(/\[Two\/Data\/OpenWebUi\].*\/open-webui.*One\/Data\/OpenWebUi/s);
  });
});

test('an unknown lifecycle is refused', () => {
  expect(() => dataLayer({ lifecyclePolicy: 'AFTER_31_DAYS' as efs.LifecyclePolicy })).toThrow(
    /AFTER_31_DAYS.*AFTER_30_DAYS/s,
  );
});

describe('numbers', () => {
  test.each([
    [0, /uid is 0 \(number\).*1 to 4294967295/s],
    [1.5, /uid is 1.5/],
    [4294967296, /uid is 4294967296/],
    ['1000', /uid is "1000" \(string\)/],
    ['root', /uid is "root" \(string\)/],
    [NaN, /uid is null/],
  ])('uid %p is refused', (uid, message) => {
    expect(() => dataLayer({ uid: uid as number })).toThrow(message);
  });
  test('a token is refused where a number is needed', () => {
    expect(() =>
      dataLayer((stack) => ({ uid: new CfnParameter(stack, 'Uid', { type: 'Number' }).valueAsNumber })),
    ).toThrow(/\[Test\/Data\/OpenWebUi\] uid is a token.*plain whole number/s);
  });
});
