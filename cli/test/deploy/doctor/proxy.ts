import * as http from 'http';
import { AddressInfo } from 'net';
import { Clients } from '../../../src/aws/clients';

/** What the proxy does with a request: nothing (it is passed on), an error, or no answer at all. */
export type Fault =
  { readonly status: number; readonly code: string; readonly message: string } | 'silence' | undefined;

/** An error as the protocol of the service has it: JSON, XML, or the XML of EC2. */
function errorOf(service: string, code: string, message: string): { type: string; body: string } {
  if (service === 'ec2') {
    return {
      type: 'text/xml',
      body: `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors></Response>`,
    };
  }
  if (['iam', 'cloudformation', 'rds', 'elasticache', 'elasticloadbalancing'].includes(service)) {
    return {
      type: 'text/xml',
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    };
  }
  return {
    type: 'application/json',
    body: JSON.stringify({ __type: code, ErrorCode: code, message, Message: message }),
  };
}

/** Stands before the emulator and spoils answers. */
export class Proxy {
  /** Actions in the order they were asked for, as an IAM policy names them. */
  public readonly asked: string[] = [];
  public fault: (action: string, attempt: number) => Fault = () => undefined;
  private readonly server: http.Server;
  private readonly attempts = new Map<string, number>();

  constructor(private readonly target: string) {
    this.server = http.createServer((request, response) => void this.handle(request, response));
  }

  public async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  public forget(): void {
    this.asked.length = 0;
    this.attempts.clear();
    this.fault = () => undefined;
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    // Credential=<key>/<day>/<region>/<service>/aws4_request: the service is the prefix of its actions.
    const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const action = `${service}:${request.headers['x-operation'] as string}`;
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) {
      chunks.push(new Uint8Array(chunk as Buffer));
    }
    const attempt = (this.attempts.get(action) ?? 0) + 1;
    this.attempts.set(action, attempt);
    this.asked.push(action);
    const fault = this.fault(action, attempt);
    if (fault === 'silence') {
      return;
    }
    if (fault) {
      const { type, body } = errorOf(service, fault.code, fault.message);
      response.writeHead(fault.status, { 'content-type': type, 'x-amzn-errortype': fault.code });
      response.end(body);
      return;
    }
    const passed = http.request(
      `${this.target}${request.url}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    );
    passed.end(Buffer.concat(chunks));
  }
}

/** Lets the clients say which operation they call: a path alone does not. */
export function nameOperations(clients: Clients): void {
  for (const client of Object.values(clients) as Clients['ecs'][]) {
    client.middlewareStack.add(
      (next, context) => (args) => {
        const request = args.request as { headers: Record<string, string> };
        request.headers['x-operation'] = (context as { commandName: string }).commandName.replace(/Command$/, '');
        return next(args);
      },
      { step: 'build' },
    );
  }
}
