/** An HTTP proxy that does to chosen requests what networks and gateways do: once, or for a while. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What befalls a request: the first three happen after the server has done its work. */
export type Fault =
  /** The connection breaks, and the answer with it. */
  | { readonly kind: 'cut' }
  /** Somebody between answers instead of the server. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A gateway that lost the answer sends the request again, and hands on the second answer. */
  | { readonly kind: 'repeat' }
  /** The request never arrives. */
  | { readonly kind: 'refuse'; readonly status: number }
  /** It arrives when something else has happened. */
  | { readonly kind: 'late'; readonly after: () => Promise<unknown> };

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Asked for every request; `null`: it passes. */
export type Rule = (seen: Seen) => Fault | null;

export interface FaultProxy {
  readonly url: string;
  /** In force from the next request on; default: everything passes. */
  use(rule: Rule): void;
  /** Requests that met with a fault, and what the server had answered (`null`: not asked). */
  readonly met: { readonly seen: Seen; readonly fault: Fault; readonly status: number | null }[];
  close(): Promise<void>;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let rule: Rule = () => null;
  const met: FaultProxy['met'] = [];
  const server = createServer((incoming, outgoing) => {
    void pass({ target: new URL(target), incoming, outgoing, met, rule: (seen) => rule(seen) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    met,
    use: (next) => {
      rule = next;
    },
    close,
  };
}

/** A rule for the `nth` commit (from 1) to a table's address; others pass. */
export function atCommit(table: string, fault: Fault, nth = 1): Rule {
  const [, namespace, name] = table.split('.');
  let commits = 0;
  return ({ method, path }) => {
    if (method !== 'POST' || !path.endsWith(`/namespaces/${namespace}/tables/${name}`)) return null;
    commits += 1;
    return commits === nth ? fault : null;
  };
}

interface Passing {
  readonly target: URL;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly met: FaultProxy['met'];
  readonly rule: Rule;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function pass(passing: Passing): Promise<void> {
  const { incoming, outgoing, met, rule } = passing;
  try {
    const body = await collect(incoming);
    const { method = 'GET', url = '/' } = incoming;
    const seen = { method, path: url.replace(/\?.*/, ''), body: body.toString('latin1') };
    const fault = rule(seen);
    if (fault?.kind === 'refuse') {
      met.push({ seen, fault, status: null });
      outgoing.writeHead(fault.status).end();
      return;
    }
    if (fault?.kind === 'late') await fault.after();
    let answer = await forward(passing, body);
    if (fault !== null) met.push({ seen, fault, status: answer.status });
    if (fault?.kind === 'cut') {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === 'answer') {
      outgoing.writeHead(fault.status, fault.headers).end();
      return;
    }
    if (fault?.kind === 'repeat') answer = await forward(passing, body);
    reply(outgoing, answer, method);
  } catch {
    incoming.socket.destroy();
  }
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** With the client's own headers, its `Host` among them: an object store's signature covers it. */
async function forward({ target, incoming }: Passing, body: Buffer): Promise<Answer> {
  const sent = request({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await collect(answer) };
}

function reply(outgoing: ServerResponse, answer: Answer, method: string): void {
  const { 'transfer-encoding': _, ...headers } = answer.headers;
  // The length of what a HEAD tells of is not the length of what it sends.
  const length = method === 'HEAD' ? {} : { 'content-length': String(answer.body.length) };
  outgoing.writeHead(answer.status, { ...headers, ...length });
  outgoing.end(method === 'HEAD' ? undefined : answer.body);
}
