import { DescribeStacksCommand, ListStackResourcesCommand, CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  DescribeAccessPointsCommand,
  DescribeFileSystemsCommand,
  DescribeMountTargetsCommand,
  EFSClient,
} from '@aws-sdk/client-efs';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { main as commandLine } from '../cli/src/main';
import { EmulatedAws } from './emulated-aws';

const STACK = 'EfsDataLayer';

async function main(): Promise<void> {
  const started = Date.now();
  const step = (text: string) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s] ${text}`);
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'efs-data-layer-'));
  step('Starting a local emulator of the AWS API (no account, nothing leaves this machine)');
  const aws = await EmulatedAws.start('ap-southeast-2');
  const end = async () => {
    await aws.stop();
    fs.rmSync(out, { recursive: true, force: true });
  };
  process.once('SIGINT', () => void end().then(() => process.exit(130)));
  process.once('SIGTERM', () => void end().then(() => process.exit(143)));
  try {
    step('cdk bootstrap');
    await aws.bootstrap();
    step('cdk deploy');
    const { code, output } = await aws.cdk(
      'deploy',
      '--method=direct',
      '--require-approval',
      'never',
      '--output',
      out,
      '-c',
      'data-layer:services=true',
    );
    if (code !== 0) {
      throw new Error(`cdk deploy failed:\n${output}`);
    }
    step('Deployed. What the AWS SDK finds:');
    await show(aws);
    step('What the doctor finds (efs-data-layer doctor):\n');
    Object.assign(process.env, Object.fromEntries(Object.entries(aws.env).filter(([name]) => name.startsWith('AWS_'))));
    if ((await commandLine(['doctor', STACK])) !== 0) {
      throw new Error('The doctor found something wrong with a fresh deployment.');
    }
    console.log();
    step('What it costs a month (efs-data-layer bill):\n');
    // What the emulator got is bound to no region; the prices are those of the region it was deployed to.
    if ((await commandLine(['bill', out, '--region', 'ap-southeast-2'])) !== 0) {
      throw new Error('The bill failed.');
    }
    console.log();
  } finally {
    await end();
  }
  step('The emulator is stopped and nothing is left running.');
  console.log(`
Where to look next
  README.md                deploy it to a real account, step by step
  docs/doctor-findings.md  what the doctor looks for, and what mends it
  docs/usage.md            the assumptions of the bill, and how to set your own
  bin/flags.ts             every switch of the app (-c data-layer:<flag>=<value>)
  lib/efs-data-layer.ts    the construct you import in your own stack
  docs/adr/                why it is built this way
The emulator proves what is created, not that a task runs or a file system mounts: see emulator/README.md.`);
}

async function show(aws: EmulatedAws): Promise<void> {
  const efs = new EFSClient(aws.client);
  const cloudFormation = new CloudFormationClient(aws.client);
  const [fileSystem] = (await efs.send(new DescribeFileSystemsCommand({}))).FileSystems!;
  console.log(
    `\n  File system   ${fileSystem.FileSystemId}: encrypted ${fileSystem.Encrypted}, ${fileSystem.PerformanceMode}, ${fileSystem.ThroughputMode}`,
  );
  const targets = (await efs.send(new DescribeMountTargetsCommand({ FileSystemId: fileSystem.FileSystemId })))
    .MountTargets!;
  for (const target of targets) {
    console.log(`  Mount target  ${target.MountTargetId} in ${target.AvailabilityZoneName} at ${target.IpAddress}`);
  }
  const points = (await efs.send(new DescribeAccessPointsCommand({ FileSystemId: fileSystem.FileSystemId })))
    .AccessPoints!;
  for (const point of points) {
    console.log(
      `  Access point  ${point.AccessPointId} ${point.RootDirectory!.Path!.padEnd(12)} uid ${point.PosixUser!.Uid}, gid ${point.PosixUser!.Gid}`,
    );
  }
  const resources = (await cloudFormation.send(new ListStackResourcesCommand({ StackName: STACK })))
    .StackResourceSummaries!;
  const counts = new Map<string, number>();
  resources.forEach(({ ResourceType }) => counts.set(ResourceType!, (counts.get(ResourceType!) ?? 0) + 1));
  console.log(`\n  ${resources.length} resources:`);
  for (const [type, count] of [...counts].sort()) {
    console.log(`    ${String(count).padStart(2)} ${type}`);
  }
  const [stack] = (await cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }))).Stacks!;
  console.log('\n  Outputs:');
  for (const { OutputKey, OutputValue } of stack.Outputs!) {
    console.log(`    ${OutputKey} = ${OutputValue}`);
  }
  console.log();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
