import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { createApp } from '../../bin/app';

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** What a deployment would put in the place of each reference. */
const STACK_ID =
  'arn:aws:cloudformation:us-east-1:123456789012:stack/EfsDataLayer/0a1b2c3d-0000-0000-0000-00000000cafe';

/** Evaluates the intrinsic functions that stand in texts. */
function resolve(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(resolve);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const [[name, argument], ...others] = Object.entries(value);
  if (others.length === 0) {
    switch (name) {
      case 'Ref':
        return argument === 'AWS::StackId' ? STACK_ID : `<${argument as string}>`;
      case 'Fn::GetAtt':
        return `<${(argument as string[]).join('.')}>`;
      case 'Fn::Join':
        return (resolve(argument[1]) as string[]).join(argument[0] as string);
      case 'Fn::Split':
        return (resolve(argument[1]) as string).split(argument[0] as string);
      case 'Fn::Select':
        return (resolve(argument[1]) as string[])[Number(argument[0])];
    }
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, resolve(child)]));
}

const context = {
  ...(require('../../cdk.json') as { context: object }).context,
  'data-layer:analytics': 's3-tables',
  'data-layer:focusExport': 's3://exports/focus/cost',
};

/** The resources of the deploy app's template with S3 Tables, as a deployment in us-east-1 would see them. */
export function resources(type: string): Record<string, unknown>[] {
  const app: App = createApp({ context });
  const template = Template.fromStack(app.node.children.find(Stack.isStack) as Stack).toJSON() as {
    Resources: Record<string, Resource>;
  };
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => resolve(Properties) as Record<string, unknown>);
}

// For the tests in Python: what CloudFormation would be given.
if (require.main === module) {
  console.log(
    JSON.stringify({ tables: resources('AWS::S3Tables::Table'), exportTable: resources('AWS::Glue::Table')[0] }),
  );
}
