import { spawnSync } from 'child_process';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Stack } from 'aws-cdk-lib';
import { EfsDataLayer, EfsDataLayerProps } from '../../lib';
import { collectorScript, MAX_SCRIPT_BYTES } from '../../lib/workloads/evidence';
import { dataLayer, newStack, statementsOf } from '../helpers';

const IMAGE = ecs.ContainerImage.fromRegistry('example/app:1.0');

function containerOf(name: string, props?: EfsDataLayerProps | ((stack: Stack) => EfsDataLayerProps)) {
  const tasks = Object.values(dataLayer(props).template.findResources('AWS::ECS::TaskDefinition'));
  return tasks.flatMap((task) => task.Properties.ContainerDefinitions).find((container) => container.Name === name);
}

function environmentOf(container: { Environment: { Name: string; Value: unknown }[] }) {
  return Object.fromEntries(container.Environment.map(({ Name, Value }) => [Name, Value]));
}

describe('Open WebUI', () => {
  test('the settings that keep SQLite whole on NFS', () => {
    const container = containerOf('open-webui');
    expect(environmentOf(container)).toEqual({
      DATA_DIR: '/mnt/open-webui',
      DATABASE_URL: 'sqlite:///file:/mnt/open-webui/webui.db?vfs=unix-excl&uri=true',
      DATABASE_ENABLE_SQLITE_WAL: 'true',
      DATABASE_SQLITE_PRAGMA_SYNCHRONOUS: 'FULL',
      DATABASE_SQLITE_PRAGMA_MMAP_SIZE: '0',
      DATABASE_SQLITE_PRAGMA_BUSY_TIMEOUT: '30000',
      DATABASE_POOL_SIZE: '4',
      DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL: '300',
      UVICORN_WORKERS: '1',
      WEBUI_SECRET_KEY_FILE: '/mnt/open-webui/.webui_secret_key',
      KEEPER_DIR: '/mnt/open-webui',
      KEEPER_STORES: 'webui.db,vector_db/',
      KEEPER_LOCAL_DIR: '/tmp/keeper',
      KEEPER_MIGRATIONS: '/app/backend/open_webui/migrations/versions',
    });
  });
  test('a pinned image, its port, its health, 120 seconds to stop', () => {
    const container = containerOf('open-webui');
    expect(container.Image).toMatch(/^ghcr\.io\/open-webui\/open-webui:v\d+\.\d+\.\d+$/);
    expect(container.PortMappings[0].ContainerPort).toBe(8080);
    expect(container.HealthCheck.Command[1]).toContain('http://localhost:8080/health');
    expect(container.StopTimeout).toBe(120);
  });
  test('more settings are taken', () => {
    const more = containerOf('open-webui', { openWebUi: { environment: { WEBUI_NAME: 'Ours' } } });
    expect(environmentOf(more).WEBUI_NAME).toBe('Ours');
  });
  test.each([
    [{ UVICORN_WORKERS: '4' }, /sets UVICORN_WORKERS, which the data layer sets/],
    [{ OPENAI_API_KEY: 'sk-1' }, /sets OPENAI_API_KEY.*openWebUi.secrets/s],
  ])('refuses %p', (environment, message) => {
    expect(() => containerOf('open-webui', { openWebUi: { environment: environment as never } })).toThrow(message);
  });
  test.each([
    [{ cpu: 300 }, /cpu is 300.*256, 512/s],
    [{ cpu: 256, memoryLimitMiB: 8192 }, /memoryLimitMiB is 8192 with cpu 256/],
    [{ mountPath: '/app/backend/data' }, /hides \/app\/backend\/data/],
  ])('refuses the size or path %p', (openWebUi, message) => {
    expect(() => dataLayer({ openWebUi })).toThrow(message);
  });
});

describe('knowledge', () => {
  test('by default the pinned Chroma server with its data in a sub-directory of the volume', () => {
    const container = containerOf('knowledge');
    expect(container.Image).toMatch(/^ghcr\.io\/chroma-core\/chroma:\d+\.\d+\.\d+$/);
    expect(environmentOf(container).CHROMA_PERSIST_PATH).toBe('/mnt/knowledge/chroma');
  });
  test('the health check is bash that runs', () => {
    const command: string[] = containerOf('knowledge').HealthCheck.Command;
    const [shell, option, script] = command.slice(-3);
    expect([shell, option]).toEqual(['bash', '-c']);
    expect(spawnSync('bash', ['-n', '-c', script]).status).toBe(0);
  });
  test('an application of one’s own gets CrewAI’s storage on the volume, and no port', () => {
    const container = containerOf('knowledge', { knowledge: { image: IMAGE, command: ['python', 'crew.py'] } });
    expect(environmentOf(container)).toEqual({
      CREWAI_STORAGE_DIR: '/mnt/knowledge/crewai',
      KEEPER_DIR: '/mnt/knowledge',
      KEEPER_STORES: 'crewai/',
      KEEPER_LOCAL_DIR: '/tmp/keeper',
    });
    expect(container.PortMappings).toBeUndefined();
  });
  test.each([
    [{ image: IMAGE }, /knowledge.image has no command/],
    [{ command: ['x'] }, /knowledge.command is set without knowledge.image/],
  ])('image and command come together', (knowledge, message) => {
    expect(() => dataLayer({ knowledge })).toThrow(message);
  });
  test('a client needs a running server', () => {
    const { data } = dataLayer();
    expect(() => data.knowledge.serviceConnectClient()).toThrow(/runOn\(cluster\) first/);
    expect(() => data.knowledge.allowClient(data.volume.securityGroup)).toThrow(/runOn\(cluster\) first/);
  });
});

describe('evidence', () => {
  const withSource = (stack: Stack) => ({
    evidence: { focusExport: { bucket: s3.Bucket.fromBucketName(stack, 'Export', 'exports'), prefix: 'focus/cost' } },
  });
  test('the collector travels in the task definition and is small enough', () => {
    const container = containerOf('evidence', withSource);
    expect(container.EntryPoint).toEqual(['/usr/bin/python3', '-c']);
    expect(container.Command).toEqual([collectorScript()]);
    expect(Buffer.byteLength(collectorScript())).toBeLessThan(MAX_SCRIPT_BYTES);
    expect(environmentOf(container)).toMatchObject({
      EVIDENCE_ROOT: '/mnt/evidence',
      FOCUS_EXPORT_BUCKET: 'exports',
      FOCUS_EXPORT_PREFIX: 'focus/cost',
    });
  });
  test('reads below the export’s prefix only, and writes nothing to S3', () => {
    const { template } = dataLayer(withSource);
    const s3Statements = statementsOf(template, 'DataEvidenceTaskTaskRole').filter((s) =>
      JSON.stringify(s.Action).includes('s3:'),
    );
    expect(s3Statements.map((s) => s.Action)).toEqual(['s3:ListBucket', ['s3:GetObject', 's3:GetObjectVersion']]);
    expect(JSON.stringify(s3Statements[0].Condition)).toContain('focus/cost/*');
    expect(JSON.stringify(s3Statements[1].Resource)).toContain('exports/focus/cost/*');
  });
  test.each(['/focus', 'focus/', '', 'a//b', 'a b'])('refuses the prefix %p', (prefix) => {
    expect(() =>
      dataLayer((stack) => ({
        evidence: { focusExport: { bucket: s3.Bucket.fromBucketName(stack, 'B', 'exports'), prefix } },
      })),
    ).toThrow(/focusExport.prefix is/);
  });
  test('runs daily, with no inbound rule and the role of Scheduler bound to this account', () => {
    const stack = newStack();
    const data = new EfsDataLayer(stack, 'Data', withSource(stack));
    data.evidence.scheduleOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 6 * * ? *)',
      Target: {
        EcsParameters: {
          LaunchType: 'FARGATE',
          NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
        },
      },
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'Evidence collector: no inbound rule',
      SecurityGroupIngress: Match.absent(),
    });
  });
});
