import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One scripted answer: a body (sent as JSON text as it is, when a string), a status, or a drop. */
export interface Scripted {
  readonly status?: number;
  readonly body?: unknown;
  /** Cuts the connection without an answer. */
  readonly drop?: boolean;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Stub {
  readonly url: string;
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

/** Answers as scripted: `"GET /path"` → its answers in turn, the last one for ever. */
export type Script = (url: string) => Readonly<Record<string, Scripted | readonly Scripted[]>>;

export async function startStub(script: Script): Promise<Stub> {
  const seen: Seen[] = [];
  const counts = new Map<string, number>();
  let url = '';
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const path = (request.url ?? '').replace(/\?.*$/, '');
      const key = `${request.method} ${path}`;
      seen.push({ method: request.method ?? '', path, headers: request.headers, body });
      const listed = script(url)[key];
      const answers = listed === undefined ? [{ status: 404 }] : [listed].flat();
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      const answer = (answers[count] ?? answers[answers.length - 1]) as Scripted;
      if (answer.drop === true) {
        request.socket.destroy();
        return;
      }
      response.statusCode = answer.status ?? 200;
      const text =
        typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
