import { spawnSync } from 'child_process';
import { createHash } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import * as zlib from 'zlib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EfsDataLayer } from '../../lib';
import { askKeeperFirst, KEEPER_LOCAL_DIR, keeperBundle, MAX_KEEPER_BYTES } from '../../lib/single-writer/keeper';
import { dataLayer, newStack } from '../helpers';

const ROOM = path.join(__dirname, '..', '..', 'lib', 'single-writer');

function containersOf(task: 'OpenWebUi' | 'Knowledge') {
  const tasks = dataLayer().template.findResources('AWS::ECS::TaskDefinition');
  return Object.entries(tasks).find(([id]) => id.includes(task))![1].Properties;
}

test('the bundle was packed from the keeper as it is (else run: npm run bundle:keeper), and is small enough', () => {
  const modules = fs.readdirSync(ROOM).filter((name) => name.endsWith('.py'));
  const sources = modules.sort().map((name) => fs.readFileSync(path.join(ROOM, name), 'utf8'));
  const [sum, bundle] = fs.readFileSync(path.join(ROOM, 'keeper.bundle'), 'utf8').split('\n');
  expect(createHash('sha256').update(sources.join('')).digest('hex')).toBe(sum);
  const packed = zlib.inflateSync(new Uint8Array(Buffer.from(bundle, 'base64'))).toString('utf8');
  expect(Object.keys(JSON.parse(packed))).toEqual(modules);
  expect(keeperBundle()).toBe(bundle);
  expect(bundle.length).toBeLessThan(MAX_KEEPER_BYTES);
});

test('Open WebUI is a child of the keeper', () => {
  const [container] = containersOf('OpenWebUi').ContainerDefinitions;
  expect(container.EntryPoint.slice(0, 2)).toEqual(['python3', '-c']);
  expect(container.EntryPoint[3]).toBe(keeperBundle());
  expect(container.Command).toEqual(['run', '--', 'bash', 'start.sh']);
});

describe('the Chroma server, whose image has no Python', () => {
  test('waits at the gate of a keeper beside it, which sees its process', () => {
    const { ContainerDefinitions, PidMode, Volumes } = containersOf('Knowledge');
    const [server, keeper] = ContainerDefinitions;
    expect(PidMode).toBe('task');
    expect(server.Command).toEqual(['chroma', 'run', '/config.yaml']);
    expect(server.DependsOn).toEqual([{ ContainerName: 'knowledge-keeper', Condition: 'START' }]);
    expect(keeper).toMatchObject({ Name: 'knowledge-keeper', Essential: true, StopTimeout: 120, Command: ['guard'] });
    expect(keeper.Environment).toContainEqual({ Name: 'KEEPER_IMAGE', Value: server.Image });
    for (const container of [server, keeper]) {
      expect(container.MountPoints.map((mount: { ContainerPath: string }) => mount.ContainerPath).sort()).toEqual([
        '/mnt/knowledge',
        KEEPER_LOCAL_DIR,
      ]);
    }
    expect(Volumes.map((volume: { Name: string }) => volume.Name)).toEqual(['knowledge-keeper', 'efs-knowledge']);
  });
  test('the gate is bash that runs', () => {
    const [server] = containersOf('Knowledge').ContainerDefinitions;
    expect(server.EntryPoint.slice(0, 2)).toEqual(['bash', '-c']);
    expect(spawnSync('bash', ['-n', '-c', server.EntryPoint[2]]).status).toBe(0);
  });
});

describe('the health check asks the keeper first', () => {
  const phase = (word: string | undefined, command: string[]) => {
    const directory = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keeper-'));
    try {
      if (word) {
        fs.writeFileSync(path.join(directory, 'phase'), word);
      }
      const [kind, ...words] = askKeeperFirst({ command }).command.map((w) =>
        w.replaceAll(KEEPER_LOCAL_DIR, directory),
      );
      return kind === 'CMD' ? spawnSync(words[0], words.slice(1)).status : spawnSync('sh', ['-c', words[0]]).status;
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  };
  test.each([undefined, 'waiting', 'takeover', 'snapshot', 'stopping'])(
    '%p is healthy, whatever the application says',
    (word) => {
      expect(phase(word, ['CMD-SHELL', 'false'])).toBe(0);
      expect(phase(word, ['CMD', 'false'])).toBe(0);
      expect(phase(word, ['false'])).toBe(0);
    },
  );
  test('running: the application decides', () => {
    expect(phase('running', ['CMD-SHELL', 'false || exit 1'])).toBe(1);
    expect(phase('running', ['CMD-SHELL', 'true'])).toBe(0);
    expect(phase('running', ['CMD', 'sh', '-c', 'exit 3'])).toBe(3);
  });
});

test('what the keeper is told cannot be overridden', () => {
  const stack = newStack();
  const data = new EfsDataLayer(stack, 'Data');
  const task = new ecs.FargateTaskDefinition(stack, 'Task');
  expect(() =>
    data.knowledge.addContainer(task, 'Crew', {
      image: ecs.ContainerImage.fromRegistry('example/crew:1.0'),
      command: ['run'],
      environment: { KEEPER_DIR: '/tmp' },
    }),
  ).toThrow(/Test\/Task.*Crew sets KEEPER_DIR.*Leave it out/s);
});
