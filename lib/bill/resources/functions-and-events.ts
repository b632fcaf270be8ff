import { asRecord, asRecords } from '../../checks/internal';
import { Pricer } from '../pricing';
import { RATE } from '../rates';

/** Lambda, EventBridge, Step Functions, ECR. */
export const FUNCTIONS_AND_EVENTS: { [type: string]: Pricer } = {
  'AWS::Lambda::Function': {
    part: 'compute',
    price: (pricing) => {
      const architectures = pricing.property('Architectures');
      const arm = Array.isArray(architectures) && architectures.includes('arm64');
      const memoryGB = pricing.number('MemorySize', 128) / 1024;
      pricing.line('Requests', RATE.lambdaRequests, (use) => use('lambda.requests') / 1e6);
      pricing.line(
        `Duration (${arm ? 'ARM64' : 'x86_64'})`,
        arm ? RATE.lambdaArm : RATE.lambdaX86,
        (use) => (use('lambda.requests') * use('lambda.milliseconds') * memoryGB) / 1000,
      );
      if (asRecord(pricing.property('ProvisionedConcurrencyConfig')).ProvisionedConcurrentExecutions !== undefined) {
        pricing.notPriced('provisioned concurrency has no rate');
      }
    },
  },
  'AWS::Events::Rule': {
    part: 'compute',
    price: (pricing) => {
      // Scheduled rules and the events of AWS services cost nothing; a target that is an ECS task does.
      const tasks = asRecords(pricing.property('Targets')).filter(({ EcsParameters }) => EcsParameters !== undefined);
      if (tasks.length > 0) {
        pricing.notPriced('it starts ECS tasks; use AWS::Scheduler::Schedule, whose tasks are priced');
      }
    },
  },
  'AWS::Events::EventBus': {
    part: 'compute',
    price: (pricing) =>
      pricing.line('Custom events', RATE.eventBridgeCustom, (use) => use('events.customEvents') / 1e6),
  },
  'AWS::StepFunctions::StateMachine': {
    part: 'compute',
    price: (pricing) => {
      if (pricing.text('StateMachineType', 'STANDARD') === 'EXPRESS') {
        pricing.notPriced('an express workflow is billed by its duration, which has no rate');
        return;
      }
      pricing.line(
        'State transitions',
        RATE.stepFunctionsTransitions,
        (use) => use('stepfunctions.transitions') / 1000,
      );
    },
  },
  'AWS::ECR::Repository': {
    part: 'compute',
    price: (pricing) => pricing.line('Storage', RATE.ecrStorage, (use) => use('ecr.storedGB')),
  },
};
