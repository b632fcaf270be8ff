import { execFile } from 'child_process';
import * as http from 'http';
import { AddressInfo } from 'net';
import { ContainerDefinition } from '@aws-sdk/client-ecs';
import { KEYS } from './collection';

/** Answers as ECS does when a task asks for the keys of its role. */
export class RoleKeys {
  public asked = 0;

  private constructor(
    private readonly server: http.Server,
    public readonly address: string,
  ) {}

  public static async open(minutes = 60): Promise<RoleKeys> {
    const server = http.createServer((_request, response) => {
      keys.asked++;
      const Expiration = new Date(Date.now() + minutes * 60_000).toISOString();
      const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = KEYS;
      response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: 'of-the-role', Expiration }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const keys = new RoleKeys(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
    return keys;
  }

  public async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A container's own entry point, command and environment as a process; some words of it stand for others here. */
export function runProgram(
  { entryPoint, command, environment }: ContainerDefinition,
  instead: Record<string, string>,
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const words = [...entryPoint!.slice(1), ...command!].map((word) =>
    Object.entries(instead).reduce((text, [from, to]) => text.replaceAll(from, to), word),
  );
  const own = Object.fromEntries(environment!.map(({ name, value }) => [name!, value!]));
  return new Promise((resolve) =>
    execFile(process.execPath, words, { env: { ...own, ...env } as never }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    ),
  );
}
