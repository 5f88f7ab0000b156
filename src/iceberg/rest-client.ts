import { IcewrightError } from '../domain/errors.ts';
import { parseExactJson } from '../domain/exact-json.ts';
import { CATALOG_CONFIG, checkShape, type Shape } from './metadata.schema.ts';
import { type Authorizer, createAuthorizer, type RestCredentials } from './rest-auth.ts';

export interface RestClientOptions extends RestCredentials {
  /** For example `http://127.0.0.1:8181`, without `/v1`. */
  readonly url: string;
  readonly warehouse?: string | undefined;
  /** One request's patience. Default 30,000 ms. */
  readonly requestTimeoutMs?: number | undefined;
}

export interface RestAnswer {
  readonly status: number;
  readonly etag: string | null;
  readonly text: string;
  /** Of the text as it came. */
  readonly textBytes: number;
}

/** Requests to one Iceberg REST catalog, below the prefix that it asks for. */
export interface RestClient {
  readonly url: string;
  /**
   * @param path below `/v1/{prefix}/`, encoded
   * Rejects with `CatalogUnavailable`, `CredentialsRejected`; other statuses come back.
   */
  send(path: string, init?: RestRequest): Promise<RestAnswer>;
  /** Endpoints that the catalog says it has, such as `HEAD /v1/…`; `null`: it does not tell. */
  endpoints(): Promise<readonly string[] | null>;
  /** A namespace of several levels as one segment of a path. */
  namespacePath(levels: readonly string[]): Promise<string>;
}

export interface RestRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** JSON text; only of `POST`. */
  readonly body?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes a body of more than {@link LARGE_BYTES} as it arrives, and gives what is left of it. */
  readonly largeBody?: () => LargeBody;
}

export interface LargeBody {
  push(chunk: Uint8Array): void;
  end(): string;
}

/** Larger answers are not held as a whole where there is another way. */
export const LARGE_BYTES = 8 * 2 ** 20;
/** No table can be worked on whose metadata every commit writes anew in this size. */
const MAX_BODY_BYTES = 2 ** 30;
/** What is held as a text. */
const MAX_TEXT_BYTES = 128 * 2 ** 20;

interface Settings {
  readonly base: string;
  /** Between the levels of a namespace, already encoded for a path. */
  readonly separator: string;
  readonly endpoints: readonly string[] | null;
}

/** The unit separator, which the specification has as default. */
const DEFAULT_SEPARATOR = '%1F';

export function createRestClient(options: RestClientOptions): RestClient {
  const url = options.url.replace(/\/+$/, '').replace(/\/v1$/, '');
  const timeoutMs = options.requestTimeoutMs ?? 30_000;
  const wire: Wire = { url, timeoutMs, authorizer: createAuthorizer(options, url, timeoutMs) };
  let settings: Promise<Settings> | null = null;
  const ready = () => {
    settings ??= readSettings(wire, options.warehouse).catch((cause: unknown) => {
      settings = null;
      throw cause;
    });
    return settings;
  };
  return {
    url,
    send: async (path, request) => send(wire, `${(await ready()).base}/${path}`, request ?? {}),
    endpoints: async () => (await ready()).endpoints,
    namespacePath: async (levels) => {
      const { separator } = await ready();
      return levels.map(encodeURIComponent).join(separator);
    },
  };
}

interface Wire {
  readonly url: string;
  readonly timeoutMs: number;
  readonly authorizer: Authorizer;
}

async function readSettings(wire: Wire, warehouse: string | undefined): Promise<Settings> {
  const query = warehouse === undefined ? {} : { warehouse };
  const answer = await send(wire, `${wire.url}/v1/config`, { query });
  const config = parseBody(CATALOG_CONFIG, answer, `${wire.url}/v1/config`);
  const told: Record<string, string> = { ...config.defaults, ...config.overrides };
  const root = (told.uri ?? wire.url).replace(/\/+$/, '').replace(/\/v1$/, '');
  const prefix = told.prefix === undefined || told.prefix === '' ? '' : `/${told.prefix}`;
  return {
    base: `${root}/v1${prefix}`,
    separator: told['namespace-separator'] ?? DEFAULT_SEPARATOR,
    endpoints: config.endpoints ?? null,
  };
}

async function send(wire: Wire, url: string, request: RestRequest): Promise<RestAnswer> {
  const first = await sendOnce(wire, url, request);
  if (first.status !== 401) return accept(wire, first);
  // A token may be revoked or lost on the server's side before its time.
  if (!wire.authorizer.renew()) return accept(wire, first);
  return accept(wire, await sendOnce(wire, url, request));
}

async function sendOnce(wire: Wire, url: string, request: RestRequest): Promise<RestAnswer> {
  const authorization = await wire.authorizer.header();
  const query = new URLSearchParams(request.query).toString();
  try {
    const response = await fetch(query === '' ? url : `${url}?${query}`, {
      method: request.method ?? 'GET',
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: AbortSignal.timeout(wire.timeoutMs),
      headers: {
        Accept: 'application/json',
        ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(authorization === null ? {} : { Authorization: authorization }),
        ...request.headers,
      },
    });
    const body = await readBody(response, wire.url, request.largeBody);
    return { status: response.status, etag: response.headers.get('etag'), ...body };
  } catch (cause) {
    if (cause instanceof IcewrightError) throw cause;
    const why = reasonOf(cause);
    const message = `the Iceberg catalog at ${wire.url} cannot be reached: ${why}`;
    throw new IcewrightError('CatalogUnavailable', message, { url: wire.url }, cause);
  }
}

async function readBody(response: Response, url: string, largeBody: RestRequest['largeBody']) {
  const chunks: Uint8Array[] = [];
  let large: LargeBody | null = null;
  let textBytes = 0;
  for await (const chunk of response.body ?? []) {
    textBytes += chunk.length;
    if (textBytes > (large === null ? MAX_TEXT_BYTES : MAX_BODY_BYTES)) throw tooLarge(url);
    if (large === null && largeBody !== undefined && textBytes > LARGE_BYTES) {
      large = largeBody();
      for (const before of chunks.splice(0)) large.push(before);
    }
    if (large === null) chunks.push(chunk);
    else large.push(chunk);
  }
  return { text: large?.end() ?? Buffer.concat(chunks).toString('utf8'), textBytes };
}

function tooLarge(url: string): IcewrightError {
  const message = `the Iceberg catalog at ${url} answered with more than can be read: expire snapshots`;
  return new IcewrightError('CatalogRejected', message, { url, damage: 'too large' });
}

function accept(wire: Wire, answer: RestAnswer): RestAnswer {
  const details = { url: wire.url, status: answer.status };
  if (answer.status === 401 || answer.status === 403) {
    const message =
      `the Iceberg catalog at ${wire.url} rejected the credentials (HTTP ${answer.status}); ` +
      'check the token or credential';
    throw new IcewrightError('CredentialsRejected', message, details);
  }
  if (answer.status === 429 || answer.status >= 500) {
    const told = messageOf(answer);
    const message = `the Iceberg catalog at ${wire.url} answered HTTP ${answer.status}: ${told}`;
    throw new IcewrightError('CatalogUnavailable', message, details);
  }
  return answer;
}

/** Checks a body; a wrong one or another status is `CatalogRejected` and says where. */
export function parseBody<T>(shape: Shape<T>, answer: RestAnswer, where: string): T {
  const details = { where, status: answer.status };
  if (answer.status !== 200) {
    const message = `${where} answered HTTP ${answer.status}: ${messageOf(answer)}`;
    throw new IcewrightError('CatalogRejected', message, details);
  }
  let json: unknown;
  try {
    json = parseExactJson(answer.text);
  } catch (cause) {
    const message = `${where} did not answer with JSON: is this an Iceberg REST catalog?`;
    throw new IcewrightError('CatalogRejected', message, details, cause);
  }
  const checked = checkShape(shape, json);
  if ('data' in checked) return checked.data;
  const message = `${where} answered what cannot be understood: ${checked.faults}`;
  throw new IcewrightError('CatalogRejected', message, details);
}

/** The specification's error body: `{error: {message, type, code}}`. */
export function messageOf(answer: RestAnswer): string {
  try {
    const body = JSON.parse(answer.text) as { error?: { message?: string } };
    return body.error?.message?.slice(0, 300) ?? 'no message';
  } catch {
    return answer.text.slice(0, 200);
  }
}

function reasonOf(cause: unknown): string {
  // `fetch` hides the reason (ECONNREFUSED, …) one level down.
  const error = cause as { message?: string; cause?: { code?: string; message?: string } };
  return error.cause?.code ?? error.cause?.message ?? error.message ?? String(cause);
}
