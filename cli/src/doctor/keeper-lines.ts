import { Task } from '@aws-sdk/client-ecs';
import { hasKeeper } from '../aws/workload';
import { Live } from './live';
import { Unit } from './live-ecs';

/** One line of a keeper. */
export interface KeeperLine {
  readonly keeper: string;
  readonly stream: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly message?: string;
  readonly store?: string;
  readonly [field: string]: unknown;
}

const HOUR_MS = 3_600_000;

function parse(line: { stream: string; at: number; text: string }): KeeperLine[] {
  try {
    const fields = JSON.parse(line.text) as Record<string, unknown> | null;
    return typeof fields?.keeper === 'string'
      ? [{ ...fields, keeper: fields.keeper, stream: line.stream, time: line.at }]
      : [];
  } catch {
    return [];
  }
}

/** What the keeper of a unit has said: everything but heartbeats since its tasks started, and the latest heartbeats. */
export async function keeperLines(live: Live, unit: Unit, tasks: Task[]): Promise<KeeperLine[] | undefined> {
  const container = unit.definition.containerDefinitions?.find(hasKeeper);
  const options = container?.logConfiguration?.options;
  if (!container || container.logConfiguration?.logDriver !== 'awslogs' || !options?.['awslogs-group']) {
    return undefined;
  }
  const prefix = `${options['awslogs-stream-prefix']}/${container.name}/`;
  const now = live.clock.now();
  const started = tasks.map((task) => task.startedAt?.getTime() ?? task.createdAt?.getTime() ?? now - 24 * HOUR_MS);
  const since = started.length > 0 ? Math.min(...started) - HOUR_MS : now - 24 * HOUR_MS;
  const group = options['awslogs-group'];
  const [events, beats] = await Promise.all([
    live.logLines(group, prefix, '{ $.keeper = "*" && $.keeper != "heartbeat" }', since),
    live.logLines(group, prefix, '{ $.keeper = "heartbeat" }', now - 2 * HOUR_MS),
  ]);
  const lines = [
    ...events.flatMap(parse).filter((line) => line.keeper !== 'heartbeat'),
    ...beats.flatMap(parse).filter((line) => line.keeper === 'heartbeat'),
  ].sort((a, b) => a.time - b.time);
  // Of tasks that run; when none does, of the last one that did.
  const streams = tasks.map((task) => prefix + task.taskArn!.split('/').pop());
  const wanted = streams.length > 0 ? streams : lines.slice(-1).map((line) => line.stream);
  return lines.filter((line) => wanted.includes(line.stream));
}
