import { Command } from 'commander';
import { doctorPolicy } from '../doctor/actions';
import { exitCodeOf } from '../doctor/finding';
import { printReport } from '../doctor/report';
import { examine } from '../doctor/run';
import { PROFILE, REGION, Shell } from './shell';

/** What the deploy app calls its stack. */
const STACK = 'EfsDataLayer';

const HELP = `
Examples:
  efs-data-layer doctor
  efs-data-layer doctor EfsDataLayer-staging --region ap-southeast-2 --profile ops
  efs-data-layer doctor --json | jq '.findings[] | select(.severity == "critical")'
  efs-data-layer doctor --print-policy > doctor-policy.json

Exit codes:
  0   nothing, or notices only
  3   a warning, or a check that could not be made
  4   something critical
  1   AWS refused, or nobody is logged in
  64  a wrong argument

It only reads. docs/doctor-findings.md says what each finding means.`;

interface DoctorOptions {
  readonly json?: boolean;
  readonly printPolicy?: boolean;
  readonly region?: string;
  readonly profile?: string;
}

/** `efs-data-layer doctor [stack]` */
export function doctorCommand(shell: Shell): Command {
  return new Command('doctor')
    .description('compares what is deployed and live with what the data layer promises')
    .argument('[stack]', 'the CloudFormation stack of the data layer', STACK)
    .option('--json', 'one JSON object')
    .option('--print-policy', 'print the smallest IAM policy with which every check can be made, and do nothing else')
    .option(...REGION)
    .option(...PROFILE)
    .addHelpText('after', HELP)
    .action(async (stack: string, options: DoctorOptions) => {
      if (options.printPolicy) {
        return shell.io.out(JSON.stringify(doctorPolicy(), undefined, 2));
      }
      const aws = shell.clients({ region: options.region, profile: options.profile });
      const report = await examine(aws, shell.clock, shell.io, stack);
      if (options.json) {
        shell.io.out(JSON.stringify(report, undefined, 2));
      } else {
        printReport(shell.io, report);
      }
      shell.exit(exitCodeOf(report));
    });
}
