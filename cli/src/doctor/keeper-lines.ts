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

const EVENTS = '{ $.keeper = "*" && $.keeper != "heartbeat" }';
const HEARTBEATS = '{ $.keeper = "heartbeat" }';

/**
 * What the keeper of a unit has said: events of the last day and of the hour in which each task started, and the latest
 * heartbeats. Undefined where there is no keeper, or its lines go elsewhere than to CloudWatch Logs.
 */
export async function keeperLines(live: Live, unit: Unit, tasks: Task[]): Promise<KeeperLine[] | undefined> {
  const container = unit.definition.containerDefinitions?.find(hasKeeper);
  const options = container?.logConfiguration?.options;
  if (!container || container.logConfiguration?.logDriver !== 'awslogs' || !options?.['awslogs-group']) {
    return undefined;
  }
  const prefix = `${options['awslogs-stream-prefix']}/${container.name}/`;
  const now = live.clock.now();
  const started = tasks.flatMap((task) => (task.startedAt ? [task.startedAt.getTime()] : []));
  const read = (pattern: string, from: number, to?: number) =>
    live.logLines(options['awslogs-group'], prefix, pattern, from, to);
  const found = await Promise.all([
    read(EVENTS, now - 24 * HOUR_MS),
    read(HEARTBEATS, now - 2 * HOUR_MS),
    // The takeover comes before ECS says that the task started.
    ...started.filter((at) => at < now - 23 * HOUR_MS).map((at) => read(EVENTS, at - HOUR_MS, at + HOUR_MS)),
  ]);
  const lines = [...new Map(found.flat().map((line) => [`${line.stream} ${line.at} ${line.text}`, line])).values()]
    .flatMap(parse)
    .sort((a, b) => a.time - b.time);
  // Of tasks that run; when none does, of the last one that did.
  const streams = tasks.map((task) => prefix + task.taskArn!.split('/').pop());
  const wanted = streams.length > 0 ? streams : lines.slice(-1).map((line) => line.stream);
  return lines.filter((line) => wanted.includes(line.stream));
}
