import { ChildProcess, spawn } from 'child_process';
import * as fs from 'fs';
import * as net from 'net';
import * as os from 'os';
import * as path from 'path';
import { Backend } from '../search/collection';

export const LIBRARIES = path.join(__dirname, '../../../.tmp/opensearch');

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A real OpenSearch on this machine. */
export class OpenSearch {
  private constructor(
    private readonly process: ChildProcess,
    private readonly home: string,
    private readonly address: string,
  ) {}

  public static async start(): Promise<OpenSearch> {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'opensearch-'));
    fs.mkdirSync(path.join(home, 'config'));
    const [port, transport] = [await freePort(), await freePort()];
    const log = fs.openSync(path.join(home, 'log'), 'w');
    const words = [
      '-Xmx512m',
      '-cp',
      `${LIBRARIES}/*`,
      path.join(__dirname, 'Server.java'),
      home,
      `${port}`,
      `${transport}`,
    ];
    const node = new OpenSearch(
      spawn('java', words, { stdio: ['ignore', log, log] }),
      home,
      `http://127.0.0.1:${port}`,
    );
    for (let tries = 0; tries < 240; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (node.process.exitCode !== null) {
        break;
      }
      if (
        await node.call('GET', '/').then(
          ({ status }) => status === 200,
          () => false,
        )
      ) {
        return node;
      }
    }
    const text = fs.readFileSync(path.join(home, 'log'), 'utf8').slice(-3000);
    await node.stop();
    throw new Error(`OpenSearch did not start:\n${text}`);
  }

  public async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGKILL');
      await new Promise((resolve) => this.process.once('exit', resolve));
    }
    fs.rmSync(this.home, { recursive: true, force: true });
  }

  public async call(method: string, place: string, body?: string): Promise<{ status: number; body: object }> {
    const type = place.endsWith('_bulk') ? 'application/x-ndjson' : 'application/json';
    const answer = await fetch(this.address + place, {
      method,
      body: body === '' ? undefined : body,
      headers: body ? { 'content-type': type } : {},
    });
    return { status: answer.status, body: (await answer.json()) as object };
  }

  public get backend(): Backend {
    return (method, place, body) => this.call(method, place, body);
  }
}
