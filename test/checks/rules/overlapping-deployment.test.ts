import { Change, check, compliant, compliantBut, problems } from '../helpers';

const FOUND = ['OverlappingDeployment Svc'];

test('compliant: one task, the old one stopped first', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: stopped', () => {
  expect(check(compliantBut('Svc', (svc) => (svc.DesiredCount = 0)))).toEqual([]);
});
test('compliant: numbers and booleans as text', () => {
  const resources = compliantBut('Svc', (svc) => {
    svc.DesiredCount = '1';
    svc.DeploymentConfiguration = {
      MinimumHealthyPercent: '0',
      MaximumPercent: '100',
      DeploymentCircuitBreaker: { Enable: 'true', Rollback: 'false' },
    };
  });
  expect(check(resources)).toEqual([]);
});
test('compliant: a service that writes into no such directory may overlap', () => {
  const resources = compliant();
  const [container] = resources.Td.Properties!.ContainerDefinitions as Record<string, unknown>[];
  delete container.Environment;
  delete resources.Svc.Properties!.DeploymentConfiguration;
  expect(check(resources)).toEqual([]);
});
test.each<[string, Change]>([
  ['two tasks', (svc) => (svc.DesiredCount = 2)],
  ['a count that deployments do not set', (svc) => delete svc.DesiredCount],
  ['a count known at deployment', (svc) => (svc.DesiredCount = { Ref: 'Count' })],
  ['start before stop', (svc) => (svc.DeploymentConfiguration.MaximumPercent = 200)],
  ['must stay up', (svc) => (svc.DeploymentConfiguration.MinimumHealthyPercent = 100)],
  ['rollback', (svc) => (svc.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback = true)],
  ['rollback by alarm', (svc) => (svc.DeploymentConfiguration.Alarms = { Enable: true, Rollback: true })],
  ['blue/green', (svc) => (svc.DeploymentConfiguration.Strategy = 'BLUE_GREEN')],
  ['CodeDeploy', (svc) => (svc.DeploymentController = { Type: 'CODE_DEPLOY' })],
  ['a task on every host', (svc) => (svc.SchedulingStrategy = 'DAEMON')],
])('non-compliant: %s', (_name, change) => {
  expect(check(compliantBut('Svc', change))).toEqual(FOUND);
});
test('several settings of one service are one finding', () => {
  const resources = compliantBut('Svc', (svc) => delete svc.DeploymentConfiguration);
  expect(check(resources)).toEqual(FOUND);
  expect(problems(resources)[0]).toMatch(/MinimumHealthyPercent is undefined.*MaximumPercent is undefined/);
});
test('the text names setting, directory and reason', () => {
  const [text] = problems(compliantBut('Svc', (svc) => (svc.DesiredCount = 2)));
  expect(text).toMatch(
    /^DesiredCount is 2; allowed is 0 or 1. The service writes into \/app, which takes one writer \(container "app": the variable DATABASE_URL names a SQLite database\)\. SQLite and Chroma/,
  );
});
