import * as http from 'http';
import { AddressInfo } from 'net';

/** How a request is answered in place of the file. */
export type Answer = (response: http.ServerResponse, file: Buffer, request: http.IncomingMessage) => void;

/** A server of price list files that can fail in all the ways a network does. Gives parts of files, as AWS does. */
export class PriceListServer {
  /** What was asked for: path, and the part of it. */
  public readonly asked: string[] = [];
  private readonly files = new Map<string, { content: Buffer; etag: string | undefined }>();
  private readonly answers = new Map<string, Answer[]>();
  private readonly server = http.createServer((request, response) => this.answer(request, response));

  public static async start(): Promise<PriceListServer> {
    const server = new PriceListServer();
    await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  public get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public serve(service: string, region: string, content: string | Buffer, etag?: string): void {
    this.files.set(pathOf(service, region), {
      content: typeof content === 'string' ? Buffer.from(content) : content,
      etag,
    });
  }

  /** The next requests for a file are answered so, one after the other. */
  public next(service: string, region: string, ...answers: Answer[]): void {
    this.answers.set(pathOf(service, region), answers);
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { range, 'if-range': validator } = request.headers;
    this.asked.push(`${request.url}${range === undefined ? '' : ` ${range}`}`);
    const file = this.files.get(request.url ?? '');
    if (file === undefined) {
      response.writeHead(404).end('Not Found');
      return;
    }
    const { content, etag } = file;
    const own = this.answers.get(request.url ?? '')?.shift();
    if (etag !== undefined) {
      response.setHeader('etag', etag);
    }
    if (own) {
      own(response, content, request);
      return;
    }
    const begin = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (begin > 0 && validator === etag) {
      response.writeHead(206, {
        'content-length': content.length - begin,
        'content-range': `bytes ${begin}-${content.length - 1}/${content.length}`,
      });
      response.end(content.subarray(begin));
      return;
    }
    response.writeHead(200, { 'content-length': content.length }).end(content);
  }
}

function pathOf(service: string, region: string): string {
  return `/offers/v1.0/aws/${service}/current/${region}/index.json`;
}

/** Sends a part of the file and breaks the connection. */
export function dropAfter(bytes: number): Answer {
  return (response, file) => {
    response.writeHead(200, { 'content-length': file.length });
    response.write(file.subarray(0, bytes), () => setTimeout(() => response.destroy(), 5));
  };
}

/** Sends a part of the file, and then nothing more. */
export function stallAfter(bytes: number): Answer {
  return (response, file) => {
    response.writeHead(200, { 'content-length': file.length });
    response.write(file.subarray(0, bytes));
  };
}

/** Answers with a status and no file. */
export function status(code: number): Answer {
  return (response) => void response.writeHead(code).end('no');
}
