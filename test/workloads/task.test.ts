import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { createTask } from '../../lib/workloads/task';

const make = (cpu: number, memoryLimitMiB: number) => {
  const stack = new Stack(undefined, 'Test');
  const { taskDefinition, logging } = createTask(stack, 'x', {}, { cpu, memoryLimitMiB });
  taskDefinition.addContainer('c', { image: ecs.ContainerImage.fromRegistry('example/x:1'), logging });
  return stack;
};

test.each([
  [256, 512],
  [256, 1024],
  [256, 2048],
  [512, 4096],
  [1024, 2048],
  [4096, 30720],
  [8192, 20480],
  [16384, 122880],
])('Fargate takes %i units with %i MiB', (cpu, memory) => {
  Template.fromStack(make(cpu, memory)).hasResourceProperties('AWS::ECS::TaskDefinition', {
    Cpu: `${cpu}`,
    Memory: `${memory}`,
    RuntimePlatform: { CpuArchitecture: 'ARM64' },
  });
});

test.each([
  [256, 1536],
  [256, 4096],
  [512, 512],
  [1024, 1024],
  [8192, 17408],
  [3000, 4096],
])('Fargate does not take %i units with %i MiB', (cpu, memory) => {
  expect(() => make(cpu, memory)).toThrow(/^\[Test\] (cpu|memoryLimitMiB) is .*Fargate takes/s);
});
