/** The worker's HTTP edge: `/healthz` (alive), `/readyz` (may take work), `/metrics`. */
import { createServer, type Server } from 'node:http';
import { IcewrightError } from '../domain/errors.ts';
import type { Metrics } from './metrics.ts';

export interface HttpOptions {
  /** `host:port`; loopback unless configured otherwise. */
  readonly address: string;
  readonly metrics: Metrics;
  /** Names of parts that are not ready, empty when all are. */
  readonly unready: () => readonly string[];
}

export async function startHttp(options: HttpOptions): Promise<Server> {
  const [host = '127.0.0.1', port = '9464'] = options.address.split(':');
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, contentType = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': contentType }).end(body);
    const path = (request.url ?? '/').split('?')[0];
    if (request.method !== 'GET') return answer(405, 'only GET\n');
    if (path === '/healthz') return answer(200, 'ok\n');
    if (path === '/readyz') {
      const unready = options.unready();
      return unready.length === 0
        ? answer(200, 'ready\n')
        : answer(503, `not ready: ${unready.join(', ')}\n`);
    }
    if (path === '/metrics') {
      return options.metrics.render().then(
        ({ body, contentType }) => answer(200, body, contentType),
        (error: unknown) => answer(500, `${error}\n`),
      );
    }
    return answer(404, 'not found: try /metrics, /healthz or /readyz\n');
  });
  await listen(server, host, Number(port));
  return server;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      const message = taken
        ? `${host}:${port} is taken: set ICEWRIGHT_HTTP_ADDRESS to another address`
        : `cannot listen on ${host}:${port}: ${error.message}`;
      reject(new IcewrightError('ConfigInvalid', message));
    });
    server.listen(port, host, resolve);
  });
}
