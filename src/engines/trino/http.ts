import http from 'node:http';
import https from 'node:https';

/** One HTTP answer, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpLimits {
  /** PEM text of the authority that signed the server's certificate; default: the system's. */
  readonly ca?: string | undefined;
  /** A request without an answer for this long is given up. Trino holds one for about 1 s. */
  readonly requestTimeoutMs: number;
  /** An answer larger than this is an error, so that one statement cannot fill the memory. */
  readonly maxAnswerBytes: number;
}

export interface Http {
  /** Rejects with Node's own error (`code`: ECONNREFUSED, ECONNRESET, …) or the abort reason. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/**
 * HTTP over kept-alive connections. Not `fetch`: it takes no certificate authority of its own.
 */
export function createHttp(limits: HttpLimits): Http {
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({
    keepAlive: true,
    ...(limits.ca === undefined ? {} : { ca: limits.ca }),
  });
  return {
    send: (request) => send(request, limits, { plain, secure }),
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

interface Agents {
  readonly plain: http.Agent;
  readonly secure: https.Agent;
}

function send(request: HttpRequest, limits: HttpLimits, agents: Agents): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const isSecure = new URL(request.url).protocol === 'https:';
    const options = {
      method: request.method,
      headers: request.headers,
      timeout: limits.requestTimeoutMs,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    const sent = isSecure
      ? https.request(request.url, { ...options, agent: agents.secure })
      : http.request(request.url, { ...options, agent: agents.plain });
    sent.on('timeout', () => {
      sent.destroy(new Error(`no answer within ${limits.requestTimeoutMs} ms`));
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      readBody(response, limits.maxAnswerBytes).then(
        (text) => resolve({ status: response.statusCode ?? 0, text }),
        reject,
      );
    });
    sent.end(request.body);
  });
}

async function readBody(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      response.destroy();
      throw new AnswerTooLarge(`an answer of more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The answer went over `maxAnswerBytes`: asking again would do the same. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}
