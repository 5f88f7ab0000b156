import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../../domain/errors.ts';
import { AnswerTooLarge, type Http, type HttpAnswer, type HttpRequest } from './http.ts';
import { type Answer, parseAnswer, type QueryState } from './protocol.ts';

/** How to reach one Trino server, and how long to bear with it. */
export interface LinkOptions {
  /** For example `http://127.0.0.1:8080`, without a path. */
  readonly url: string;
  /** Sent with every request to this server; never to another origin. */
  readonly credentials: Readonly<Record<string, string>>;
  /** An answer that stays away this long after the hand-over makes the outcome unknown. */
  readonly lostAfterMs: number;
}

/** The position asked for is not (or no longer) there. */
export interface Lost {
  readonly lost: number;
}

/** The requests of Trino's statement protocol, each with the patience and the error it needs. */
export interface Link {
  submit(
    sql: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Answer>;
  follow(queryId: string, uri: string, signal?: AbortSignal): Promise<Answer | Lost>;
  /** `gone`: Trino does not know the query. `hidden`: this user or a gateway may not see it. */
  queryState(queryId: string, signal?: AbortSignal): Promise<QueryState | 'gone' | 'hidden'>;
  cancel(queryId: string, uri: string): Promise<void>;
  info(): Promise<{ readonly version: string; readonly starting: boolean }>;
}

/** Answers that a server or a gateway gives while it is busy or starting. */
const PASSING = new Set([429, 500, 502, 503, 504]);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export function createLink(http: Http, options: LinkOptions): Link {
  const origin = new URL(options.url).origin;
  const ask: Ask = (request) => {
    const own = new URL(request.url).origin === origin;
    const headers = own ? { ...request.headers, ...options.credentials } : request.headers;
    return http.send({ ...request, headers });
  };
  return {
    submit: (sql, headers, signal) => submit({ ask, options }, sql, headers, signal),
    follow: (queryId, uri, signal) => follow({ ask, options }, queryId, uri, signal),
    queryState: (queryId, signal) => queryState({ ask, options }, queryId, signal),
    cancel: (queryId, uri) => cancel({ ask, options }, queryId, uri),
    info: () => info({ ask, options }),
  };
}

type Ask = (request: HttpRequest) => Promise<HttpAnswer>;

interface Wire {
  readonly ask: Ask;
  readonly options: LinkOptions;
}

/**
 * Hands a statement over. Trino only registers it here and begins with the first request of
 * `nextUri`, so whatever goes wrong in this step, nothing has been executed.
 */
async function submit(
  wire: Wire,
  sql: string,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Answer> {
  const { url } = wire.options;
  const request = {
    method: 'POST',
    url: `${url}/v1/statement`,
    headers,
    body: sql,
    signal,
  } as const;
  let answer: HttpAnswer;
  try {
    answer = await patiently(wire, request, isBusy);
  } catch (cause) {
    signal?.throwIfAborted();
    throw unavailable(wire, reasonOf(cause), cause);
  }
  if (answer.status === 401 || answer.status === 403) throw credentialsRejected(wire, answer);
  if (PASSING.has(answer.status)) throw unavailable(wire, `it answered HTTP ${answer.status}`);
  if (answer.status !== 200) {
    throw new IcewrightError(
      'EngineRejected',
      `Trino at ${url} answered HTTP ${answer.status} to a statement: ${excerpt(answer.text)}`,
      { engine: 'trino', status: answer.status },
    );
  }
  try {
    return parseAnswer(answer.text);
  } catch (cause) {
    throw unavailable(wire, `its answer could not be read: ${reasonOf(cause)}`, cause);
  }
}

async function follow(
  wire: Wire,
  queryId: string,
  uri: string,
  signal?: AbortSignal,
): Promise<Answer | Lost> {
  const answer = await insist(wire, queryId, { method: 'GET', url: uri, headers: {}, signal });
  if (answer.status === 404 || answer.status === 410) return { lost: answer.status };
  if (answer.status !== 200) throw outcomeUnknown(wire, queryId, `HTTP ${answer.status}`);
  try {
    return parseAnswer(answer.text);
  } catch (cause) {
    throw outcomeUnknown(wire, queryId, reasonOf(cause), cause);
  }
}

async function queryState(
  wire: Wire,
  queryId: string,
  signal?: AbortSignal,
): Promise<QueryState | 'gone' | 'hidden'> {
  const url = `${wire.options.url}/v1/query/${encodeURIComponent(queryId)}?pruned=true`;
  const answer = await insist(wire, queryId, { method: 'GET', url, headers: {}, signal });
  if (answer.status === 404 || answer.status === 410) return 'gone';
  if (answer.status !== 200) return 'hidden';
  try {
    return JSON.parse(answer.text) as QueryState;
  } catch {
    return 'hidden';
  }
}

/** Asks the engine to end the query; that it did is for the caller to see. */
async function cancel(wire: Wire, queryId: string, uri: string): Promise<void> {
  // A statement's own address needs no rights beyond having it; without one, the query's page.
  const page = `${wire.options.url}/v1/query/${encodeURIComponent(queryId)}`;
  const first = await insist(wire, queryId, { method: 'DELETE', url: uri || page, headers: {} });
  if (uri !== '' && first.status >= 400) {
    await insist(wire, queryId, { method: 'DELETE', url: page, headers: {} });
  }
}

async function info(wire: Wire): Promise<{ version: string; starting: boolean }> {
  const url = `${wire.options.url}/v1/info`;
  try {
    const answer = await wire.ask({ method: 'GET', url, headers: {} });
    if (answer.status === 401 || answer.status === 403) throw credentialsRejected(wire, answer);
    const told = JSON.parse(answer.text) as { nodeVersion: { version: string }; starting: boolean };
    return { version: told.nodeVersion.version, starting: told.starting };
  } catch (cause) {
    if (cause instanceof IcewrightError) throw cause;
    throw unavailable(wire, reasonOf(cause), cause);
  }
}

/** After the hand-over: repeats a request (all are repeatable) until it answers or time is up. */
async function insist(wire: Wire, queryId: string, request: HttpRequest): Promise<HttpAnswer> {
  try {
    const answer = await patiently(wire, request, (outcome) =>
      outcome instanceof Error ? !(outcome instanceof AnswerTooLarge) : PASSING.has(outcome.status),
    );
    if (!PASSING.has(answer.status)) return answer;
    throw outcomeUnknown(wire, queryId, `HTTP ${answer.status}`);
  } catch (cause) {
    request.signal?.throwIfAborted();
    if (cause instanceof IcewrightError) throw cause;
    throw outcomeUnknown(wire, queryId, reasonOf(cause), cause);
  }
}

type WorthRepeating = (outcome: HttpAnswer | Error) => boolean;

/** Before the hand-over only a busy server is waited for: a refused connection is an answer. */
const isBusy: WorthRepeating = (outcome) =>
  !(outcome instanceof Error) && PASSING.has(outcome.status);

async function patiently(
  wire: Wire,
  request: HttpRequest,
  again: WorthRepeating,
): Promise<HttpAnswer> {
  const giveUpAt = performance.now() + wire.options.lostAfterMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const outcome = await wire.ask(request).catch((cause: unknown) => cause as Error);
    request.signal?.throwIfAborted();
    if (!again(outcome) || performance.now() + pauseMs > giveUpAt) {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    }
    await sleep(pauseMs, undefined, request.signal ? { signal: request.signal } : {});
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function unavailable(wire: Wire, why: string, cause?: unknown): IcewrightError {
  return new IcewrightError(
    'EngineUnavailable',
    `Trino at ${wire.options.url} cannot be used: ${why}; nothing was executed`,
    { engine: 'trino', url: wire.options.url },
    cause,
  );
}

function outcomeUnknown(wire: Wire, queryId: string, why: string, cause?: unknown): IcewrightError {
  return new IcewrightError(
    'EngineOutcomeUnknown',
    `Trino at ${wire.options.url} no longer answers for query ${queryId}: ${why}; ` +
      'reload the table and look for the run before doing it again',
    { engine: 'trino', queryId, url: wire.options.url },
    cause,
  );
}

function credentialsRejected(wire: Wire, answer: HttpAnswer): IcewrightError {
  return new IcewrightError(
    'CredentialsRejected',
    `Trino at ${wire.options.url} rejected the credentials (HTTP ${answer.status}); ` +
      'check the user and the password or token',
    { engine: 'trino', url: wire.options.url, status: answer.status },
  );
}

function reasonOf(cause: unknown): string {
  const error = cause as { code?: string; message?: string };
  return [error.code, error.message].filter((part) => part !== undefined && part !== '').join(' ');
}

function excerpt(text: string): string {
  return text.slice(0, 300).trim();
}
