import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import Ajv from 'ajv';
import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as sm from 'aws-cdk-lib/aws-secretsmanager';
import { DataLayerStack, DataLayerStackProps } from '../../lib';
import { main } from '../src/main';

const yaml = require('js-yaml') as { load(text: string): unknown };

// CloudFormation's own rules have nothing to do with it, and take seconds.
process.env.CDK_VALIDATION = 'false';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'compose-test-'));
afterAll(() => fs.rmSync(root, { recursive: true }));

type Service = Record<string, unknown> & {
  environment: Record<string, string>;
  entrypoint: string[];
  command: string[];
};
interface Document {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

let count = 0;

/** Synthesizes a stack and runs the command on it, in a folder of its own. */
async function compose(props: DataLayerStackProps, args: string[] = [], change = (_stack: DataLayerStack) => {}) {
  const folder = path.join(root, `${count++}`);
  fs.mkdirSync(folder);
  const app = new App({ outdir: path.join(folder, 'cdk.out') });
  const stack = new DataLayerStack(app, 'Local', props);
  change(stack);
  app.synth();
  const template = JSON.parse(fs.readFileSync(path.join(folder, 'cdk.out', 'Local.template.json'), 'utf8'));
  const run = async (...more: string[]) => {
    const notes: string[] = [];
    const io = { out: (line: string) => void notes.push(line), note: (line: string) => void notes.push(line) };
    const out = path.join(folder, 'compose.yaml');
    const code = await main(['compose', path.join(folder, 'cdk.out'), '--out', out, ...args, ...more], { io });
    return { code, notes: notes.join('\n') };
  };
  const read = () => yaml.load(fs.readFileSync(path.join(folder, 'compose.yaml'), 'utf8')) as Document;
  return { folder, template, run, read, first: await run() };
}

/** What compose makes of a text: two dollars are one. */
const text = (value: string) => value.replace(/\$\$/g, '$');

describe('the default data layer with services', () => {
  let made: Awaited<ReturnType<typeof compose>>;
  beforeAll(async () => {
    made = await compose({ services: true });
  });

  test('is valid by the schema of the compose specification', () => {
    expect(made.first).toMatchObject({ code: 0 });
    const { $schema, ...schema } = JSON.parse(
      fs.readFileSync(path.join(__dirname, 'compose', 'compose-spec.json'), 'utf8'),
    );
    expect($schema).toContain('draft-07');
    const ajv = new Ajv({ unknownFormats: 'ignore' });
    const valid = ajv.validate(schema, made.read());
    expect({ valid, errors: ajv.errors }).toEqual({ valid: true, errors: null });
    expect(ajv.validate(schema, { services: { a: { imagee: 'b' } } })).toBe(false);
  });

  test('every container with its image, entry point, command, settings, health check and time to stop', () => {
    const { services } = made.read();
    const tasks = Object.values(made.template.Resources as Record<string, { Type: string; Properties: never }>).filter(
      ({ Type }) => Type === 'AWS::ECS::TaskDefinition',
    );
    const containers = tasks.flatMap(({ Properties: { ContainerDefinitions } }) => ContainerDefinitions as never[]);
    expect(Object.keys(services).sort()).toEqual(containers.map(({ Name }) => Name).sort());
    for (const { Name, Image, EntryPoint, Command, Environment, HealthCheck, StopTimeout } of containers as Record<
      string,
      never
    >[]) {
      const service = services[Name];
      expect(service.image).toBe(Image);
      expect(service.entrypoint?.map(text)).toEqual(EntryPoint);
      expect(service.command.map(text)).toEqual(Command);
      expect(service.stop_grace_period).toBe(StopTimeout && `${StopTimeout}s`);
      for (const { Name: variable, Value } of (Environment ?? []) as { Name: string; Value: unknown }[]) {
        expect(service.environment[variable]).toBe(typeof Value === 'string' ? Value : `\${${variable}:-}`);
      }
      const {
        test: check,
        interval,
        timeout,
        retries,
        start_period,
      } = (service.healthcheck ?? {}) as Record<string, never>;
      const { Command: words, Interval, Timeout, Retries, StartPeriod } = (HealthCheck ?? {}) as Record<string, never>;
      expect((check as string[] | undefined)?.map(text)).toEqual(words);
      expect([interval, timeout, retries, start_period]).toEqual(
        words ? [`${Interval}s`, `${Timeout}s`, Retries, `${StartPeriod}s`] : Array(4).fill(undefined),
      );
    }
  });

  test('directories of the volume are local ones, and the user is that of the access point', () => {
    const { services, volumes } = made.read();
    expect(services['open-webui']).toMatchObject({
      user: '1000:1000',
      init: true,
      ports: ['127.0.0.1:8080:8080'],
      volumes: [{ type: 'bind', source: './data/open-webui', target: '/mnt/open-webui' }],
    });
    expect(fs.readdirSync(path.join(made.folder, 'data')).sort()).toEqual(['evidence', 'knowledge', 'open-webui']);
    expect(Object.keys(volumes)).toEqual(['knowledge-keeper']);
    if (process.getuid!() === 0) {
      expect(fs.statSync(path.join(made.folder, 'data', 'open-webui'))).toMatchObject({ uid: 1000, gid: 1000 });
    }
  });

  test('the keeper beside Chroma starts first, sees its process, and shares scratch space that is empty at every start', () => {
    const { services, volumes } = made.read();
    expect(services.knowledge).toMatchObject({
      pid: 'service:knowledge-keeper',
      depends_on: { 'knowledge-keeper': { condition: 'service_started' } },
      networks: { default: { aliases: ['chroma'] } },
    });
    expect(volumes['knowledge-keeper']).toMatchObject({ driver_opts: { type: 'tmpfs' } });
    expect(services['knowledge-keeper'].volumes).toEqual(services.knowledge.volumes);
  });

  test('the collector runs when it is asked to', () => {
    expect(made.read().services.evidence.profiles).toEqual(['evidence']);
  });

  test('is written over, but no other file is, and what was set in .env stays', async () => {
    const env = path.join(made.folder, '.env');
    expect(fs.statSync(env).mode & 0o777).toBe(0o600);
    fs.writeFileSync(env, 'AWS_REGION=eu-west-1');
    const { code, notes } = await made.run();
    expect(code).toBe(0);
    expect(notes).toMatch(/Set in .*\.env: AWS_ACCOUNT_ID\.$/m);
    expect(fs.readFileSync(env, 'utf8')).toMatch(/^AWS_REGION=eu-west-1\n# known only in AWS: .*\nAWS_ACCOUNT_ID=\n$/);
    fs.writeFileSync(path.join(made.folder, 'compose.yaml'), 'services: {}\n');
    expect(await made.run()).toMatchObject({
      code: 64,
      notes: expect.stringMatching(/was not written by this command/),
    });
  });
});

test('secrets are variables that have to be set, and no value of theirs is in the file', async () => {
  const { read, folder } = await compose({
    services: true,
    get dataLayer() {
      const secret = sm.Secret.fromSecretNameV2(new Stack(new App(), 'Elsewhere'), 'Key', 'openai');
      return { openWebUi: { secrets: { OPENAI_API_KEY: ecs.Secret.fromSecretsManager(secret) } } };
    },
  });
  expect(read().services['open-webui'].environment.OPENAI_API_KEY).toBe('${OPENAI_API_KEY:?set it in .env}');
  expect(fs.readFileSync(path.join(folder, '.env'), 'utf8')).toContain('# secret of open-webui\nOPENAI_API_KEY=\n');
});

test('another user, another directory, another identity on the volume', async () => {
  const { read } = await compose({ dataLayer: { uid: 2000, gid: 3000 } }, ['--data', path.join(root, 'local data')]);
  expect(read().services['open-webui']).toMatchObject({
    user: '2000:3000',
    volumes: [{ source: path.join(root, 'local data', 'open-webui') }],
  });
});

test.each([
  [['--user', 'root'], /--user root.*uid:gid.*1000:1000/],
  [['--user', '0:0'], /--user 0:0/],
  [['--out', '/nowhere/compose.yaml'], /--out \/nowhere\/compose\.yaml.*no directory/],
  [['/nowhere/cdk.out'], /\/nowhere\/cdk\.out/],
])('%j is named, with the way out', async (args, message) => {
  const notes: string[] = [];
  const io = { out: () => {}, note: (line: string) => void notes.push(line) };
  expect(await main(['compose', ...args], { io })).toBe(64);
  expect(notes.join('\n')).toMatch(message);
});

test('a template without a data layer, and an image that is built at deployment, are named', async () => {
  const folder = fs.mkdtempSync(path.join(root, 'other-'));
  const file = path.join(folder, 'Other.template.json');
  const task = (Image: unknown, path_: string) => ({
    Resources: {
      Point: {
        Type: 'AWS::EFS::AccessPoint',
        Properties: { PosixUser: { Uid: '1000', Gid: '1000' }, RootDirectory: { Path: '/a' } },
      },
      Task: {
        Type: 'AWS::ECS::TaskDefinition',
        Properties: {
          ContainerDefinitions: [{ Name: 'app', Image }],
          Volumes: [{ Name: 'v', [path_]: { AuthorizationConfig: { AccessPointId: { Ref: 'Point' } } } }],
        },
      },
    },
  });
  const notes: string[] = [];
  const io = { out: () => {}, note: (line: string) => void notes.push(line) };
  const run = (template: object) => {
    fs.writeFileSync(file, JSON.stringify(template));
    return main(['compose', file, '--out', path.join(folder, 'compose.yaml')], { io });
  };
  expect(await run(task('a:1', 'Other'))).toBe(64);
  expect(notes.pop()).toMatch(/no task definition with a directory on EFS/);
  expect(await run(task({ 'Fn::Sub': '${AWS::AccountId}.dkr.ecr/app' }, 'EFSVolumeConfiguration'))).toBe(64);
  expect(notes.pop()).toMatch(/image of app is known only at deployment.*fromRegistry/);
  expect(fs.existsSync(path.join(folder, 'compose.yaml'))).toBe(false);
});
