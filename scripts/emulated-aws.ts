import { ChildProcess, execFile, spawn } from 'child_process';
import * as fs from 'fs';
import * as net from 'net';
import * as path from 'path';
import { promisify } from 'util';

// Node 20 is supported here until the SDK's releases need 22; its notice would stand in the middle of the output.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const ROOT = path.join(__dirname, '..');
const PYTHON = path.join(ROOT, '.venv', 'bin', 'python');

/** The account the emulator's test credentials belong to. */
export const ACCOUNT = '123456789012';

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** A running emulator of the AWS API, and the real `cdk` command aimed at it. */
export class EmulatedAws {
  public readonly endpoint: string;
  public readonly env: NodeJS.ProcessEnv;

  private constructor(
    private readonly server: ChildProcess,
    port: number,
    public readonly region: string,
  ) {
    this.endpoint = `http://127.0.0.1:${port}`;
    const env = { ...process.env };
    delete env.AWS_PROFILE;
    delete env.AWS_SESSION_TOKEN;
    this.env = {
      ...env,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      // The form with an IP address makes S3 addresses path-style, so that asset uploads stay on loopback.
      AWS_ENDPOINT_URL: this.endpoint,
      // CDK writes TemplateURL from this one, and moto reads such a URL only when it says localhost.
      AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION: `http://localhost:${port}`,
      CDK_DEFAULT_ACCOUNT: ACCOUNT,
      CDK_DEFAULT_REGION: region,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_DISABLE_VERSION_CHECK: '1',
      NODE_NO_WARNINGS: '1',
      CI: 'true',
    };
  }

  /** Starts the emulator on a free loopback port. */
  public static async start(region = 'us-east-1'): Promise<EmulatedAws> {
    if (!fs.existsSync(PYTHON)) {
      throw new Error('The Python environment is missing. Run: npm run setup');
    }
    const port = await freePort();
    const server = spawn(PYTHON, ['-m', 'emulator', '--port', `${port}`, '--end-with-stdin'], {
      cwd: ROOT,
      // The emulator ends when this pipe closes, so it cannot outlive us, however we end.
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let errors = '';
    server.stderr!.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
    const aws = new EmulatedAws(server, port, region);
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      if (server.exitCode !== null) {
        break;
      }
      if (
        await fetch(`${aws.endpoint}/moto-api/`).then(
          (answer) => answer.ok,
          () => false,
        )
      ) {
        return aws;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    server.kill('SIGKILL');
    throw new Error(`The emulator did not start:\n${errors}`);
  }

  /** Runs the real cdk command. Never throws: the caller looks at the code. */
  public async cdk(...args: string[]): Promise<{ code: number; output: string }> {
    const command = [require.resolve('aws-cdk/bin/cdk'), '--no-notices', '--no-color', ...args];
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, command, {
        cwd: ROOT,
        env: this.env,
        maxBuffer: 64 * 1024 * 1024,
      });
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const failed = error as { code?: number; stdout?: string; stderr?: string };
      return { code: failed.code ?? 1, output: `${failed.stdout ?? ''}${failed.stderr ?? ''}` };
    }
  }

  /** Bootstraps the account; throws with the output when that fails. */
  public async bootstrap(): Promise<void> {
    const { code, output } = await this.cdk('bootstrap', `aws://${ACCOUNT}/${this.region}`);
    if (code !== 0) {
      throw new Error(`cdk bootstrap failed:\n${output}`);
    }
  }

  /** What an SDK client needs to reach the emulator. */
  public get client() {
    return {
      region: this.region,
      endpoint: this.endpoint,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
  }

  /** Resources of types the emulator can only remember. */
  public async recorded(): Promise<{ type: string; logicalId: string; properties: Record<string, unknown> }[]> {
    const answer = await fetch(`${this.endpoint}/emulator/recorded`);
    return (await answer.json()) as { type: string; logicalId: string; properties: Record<string, unknown> }[];
  }

  /** Forgets everything. */
  public async reset(): Promise<void> {
    await fetch(`${this.endpoint}/moto-api/reset`, { method: 'POST' });
  }

  public async stop(): Promise<void> {
    if (this.server.exitCode === null) {
      const ended = new Promise((resolve) => this.server.once('exit', resolve));
      this.server.kill('SIGKILL');
      await ended;
    }
  }
}
