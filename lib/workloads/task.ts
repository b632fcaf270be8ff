import { RemovalPolicy, Token } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { inputError, requireWholeNumber } from '../errors';
import { acknowledgeEnvironment } from '../single-writer';

/** Settings of every task. */
export interface TaskSettings {
  /**
   * The processor.
   *
   * @default ecs.CpuArchitecture.ARM64
   */
  readonly cpuArchitecture?: ecs.CpuArchitecture;

  /**
   * How long logs are kept.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;
}

/** Memory in MiB that Fargate takes with vCPU units (AWS ECS developer guide, task size, read 2026-11). */
const FARGATE_SIZES: { [cpu: number]: { min: number; max: number; step: number; also?: number[] } } = {
  256: { min: 1024, max: 2048, step: 1024, also: [512] },
  512: { min: 1024, max: 4096, step: 1024 },
  1024: { min: 2048, max: 8192, step: 1024 },
  2048: { min: 4096, max: 16384, step: 1024 },
  4096: { min: 8192, max: 30720, step: 1024 },
  8192: { min: 16384, max: 61440, step: 4096 },
  16384: { min: 32768, max: 122880, step: 8192 },
};

function requireSize(scope: Construct, cpu: number, memory: number): void {
  requireWholeNumber(scope, 'cpu', cpu, 256, 16384);
  requireWholeNumber(scope, 'memoryLimitMiB', memory, 512, 122880);
  const size = FARGATE_SIZES[cpu];
  if (!size) {
    throw inputError(scope, `cpu is ${cpu}.`, `Fargate takes ${Object.keys(FARGATE_SIZES).join(', ')} units.`);
  }
  const fits =
    size.also?.includes(memory) || (memory >= size.min && memory <= size.max && (memory - size.min) % size.step === 0);
  if (!fits) {
    throw inputError(
      scope,
      `memoryLimitMiB is ${memory} with cpu ${cpu}.`,
      `With ${cpu} units Fargate takes ${size.also ? `${size.also.join(', ')} or ` : ''}${size.min} to ${size.max} MiB in steps of ${size.step}.`,
    );
  }
}

function requireSettings(scope: Construct, { cpuArchitecture, logRetention }: TaskSettings): void {
  const architecture = (cpuArchitecture as { _cpuArchitecture?: unknown } | undefined)?._cpuArchitecture;
  if (cpuArchitecture !== undefined && architecture !== 'ARM64' && architecture !== 'X86_64') {
    throw inputError(
      scope,
      `cpuArchitecture is ${JSON.stringify(architecture ?? cpuArchitecture)}.`,
      'Pass ecs.CpuArchitecture.ARM64 or ecs.CpuArchitecture.X86_64.',
    );
  }
  if (logRetention !== undefined && !Object.values(logs.RetentionDays).includes(logRetention)) {
    throw inputError(
      scope,
      `logRetention is ${Token.isUnresolved(logRetention) ? 'a token, known only at deployment' : JSON.stringify(logRetention)}.`,
      'Pass one of logs.RetentionDays: CloudWatch Logs knows no other number of days.',
    );
  }
}

/** A Fargate task definition of the data layer, and where its containers log to. */
export interface Task {
  readonly taskDefinition: ecs.FargateTaskDefinition;
  readonly logging: ecs.LogDriver;
  readonly logGroup: logs.ILogGroup;
}

export function createTask(
  scope: Construct,
  streamPrefix: string,
  settings: TaskSettings,
  size: { cpu: number; memoryLimitMiB: number; pidMode?: ecs.PidMode },
): Task {
  requireSize(scope, size.cpu, size.memoryLimitMiB);
  requireSettings(scope, settings);
  const taskDefinition = new ecs.FargateTaskDefinition(scope, 'Task', {
    cpu: size.cpu,
    memoryLimitMiB: size.memoryLimitMiB,
    pidMode: size.pidMode,
    runtimePlatform: {
      cpuArchitecture: settings.cpuArchitecture ?? ecs.CpuArchitecture.ARM64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  });
  acknowledgeEnvironment(taskDefinition);
  const logGroup = new logs.LogGroup(scope, 'Logs', {
    retention: settings.logRetention ?? logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  return { taskDefinition, logGroup, logging: ecs.LogDrivers.awsLogs({ logGroup, streamPrefix }) };
}
