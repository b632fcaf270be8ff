import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { loadDefinition } from './load-definition';
import { TableNames } from './sql';

/** What the load runs with. */
export interface LoadOptions {
  readonly workGroupName: string;
  readonly tables: TableNames;
  readonly role: iam.Role;
  readonly schedule: scheduler.ScheduleExpression;
}

/** The state machine that loads months, and its schedule. */
export function makeLoad(scope: Construct, options: LoadOptions): sfn.IStateMachine {
  const stack = Stack.of(scope);
  const log = new logs.LogGroup(scope, 'LoadLog', {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const definition = loadDefinition(options.workGroupName, options.tables);
  const machine = new sfn.StateMachine(scope, 'Load', {
    comment: 'Loads the FOCUS export into S3 Tables',
    definitionBody: sfn.DefinitionBody.fromString(stack.toJsonString(definition)),
    role: options.role,
    logs: { destination: log, level: sfn.LogLevel.ALL, includeExecutionData: false },
  });
  Validations.of(machine).acknowledge({
    id: 'AwsSolutions-SF2',
    reason:
      'A run is a chain of Athena queries, into which X-Ray does not see; the history of an execution has the time, input and result of every step.',
  });
  Validations.of(options.role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Actions that deliver the log of a state machine, and X-Ray’s, know no resource; Step Functions asks for them.',
  });
  const role = new iam.Role(scope, 'LoadScheduleRole', {
    description: 'EventBridge Scheduler: starts the load of the FOCUS export',
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
    inlinePolicies: {
      StartLoad: new iam.PolicyDocument({
        minimize: false,
        statements: [
          new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [machine.stateMachineArn] }),
        ],
      }),
    },
  });
  new scheduler.Schedule(scope, 'LoadSchedule', {
    description: 'Loads the current month of the FOCUS export and the one before',
    schedule: options.schedule,
    target: new targets.StepFunctionsStartExecution(machine, {
      input: scheduler.ScheduleTargetInput.fromObject({}),
      role: role.withoutPolicyUpdates(),
    }),
  });
  return machine;
}
