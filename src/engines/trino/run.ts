import type {
  EngineHandle,
  EngineRow,
  EngineRunner,
  RunOptions,
  Statement,
  StatementResult,
} from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { endQuery } from './cancel.ts';
import {
  type Collected,
  type Driven,
  drive,
  type Position,
  takeOver,
  type Watch,
} from './drive.ts';
import { createHttp } from './http.ts';
import { createLink, type Link } from './link.ts';
import { authorization, sessionHeader, sourceOf } from './protocol.ts';
import { quoteText } from './quote.ts';
import { decodeRows } from './values.ts';

export interface TrinoOptions {
  /** Where Trino answers: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly user: string;
  /** Password of `user`; needs https on most servers. */
  readonly password?: string | undefined;
  /** A JWT or OAuth2 token, instead of a password. */
  readonly token?: string | undefined;
  /** Catalog of unqualified names. */
  readonly catalog: string;
  /** Time zone of the session. Default `UTC`, so that results do not hang on the server's. */
  readonly timeZone?: string;
  /** First part of `X-Trino-Source`. Default `icewright`. */
  readonly sourcePrefix?: string;
  /** PEM text of a certificate authority to trust besides none. */
  readonly ca?: string | undefined;
  /** Silence after the hand-over that makes an outcome unknown. Default 120,000 ms. */
  readonly lostAfterMs?: number;
  /** One request's patience. Default 30,000 ms: Trino itself answers within about one second. */
  readonly requestTimeoutMs?: number;
  /** Most rows of one result. Default 100,000. */
  readonly maxRows?: number;
  /** Largest single answer. Default 64 MB; Trino aims at 1 to 16 MB. */
  readonly maxAnswerBytes?: number;
}

/** A statement that Trino still remembers under a key's source. */
export interface FoundQuery {
  readonly queryId: string;
  /** `RUNNING`, `FINISHED`, `FAILED`, … */
  readonly state: string;
  readonly createdAt: string;
  /** Trino's error name when it failed. */
  readonly error: string | null;
}

export interface TrinoRunner extends EngineRunner {
  readonly name: 'trino';
  /**
   * Statements that earlier attempts submitted under this key, newest first. `run` does not look
   * by itself; a caller whose earlier attempt left no handle asks here, and passes what it finds
   * as `resume: {engine: 'trino', queryId, nextUri: ''}`.
   */
  findBySource(key: string): Promise<readonly FoundQuery[]>;
}

interface Runner {
  readonly options: TrinoOptions;
  readonly link: Link;
}

/** Runs statements on Trino by its statement protocol: resumable, cancellable, exact. */
export function createTrinoRunner(options: TrinoOptions): TrinoRunner {
  const url = options.url.replace(/\/+$/, '');
  const http = createHttp({
    ca: options.ca,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    maxAnswerBytes: options.maxAnswerBytes ?? 64 * 2 ** 20,
  });
  const credentials = { 'X-Trino-User': options.user, ...authorization(options) };
  const link = createLink(http, { url, credentials, lostAfterMs: options.lostAfterMs ?? 120_000 });
  const runner: Runner = { options, link };
  return {
    name: 'trino',
    run: (statement, runOptions) => run(runner, statement, runOptions),
    findBySource: (key) => findBySource(runner, key),
    settle: (key) => settle(runner, key),
    end: async (key) => {
      await settle(runner, key);
    },
    version: async () => (await link.info()).version,
    close: async () => http.close(),
  };
}

async function run(
  runner: Runner,
  statement: Statement,
  options: RunOptions,
): Promise<StatementResult> {
  // Only the newest position is of use when the statement has to be ended.
  const at: { position: Position | null } = { position: null };
  const watch = watchOf(runner, options, at);
  try {
    options.signal?.throwIfAborted();
    const resume = options.resume?.engine === 'trino' ? options.resume : undefined;
    if (resume !== undefined) {
      at.position = { queryId: resume.queryId, uri: resume.nextUri };
      const driven = await takeOver(runner.link, at.position, watch);
      if (driven !== 'rerun') return resultOf(driven, at.position.queryId, true);
    }
    const driven = await submitAndDrive(runner, statement, options, watch, at);
    const queryId = (at.position as Position).queryId;
    if (driven !== 'rerun') return resultOf(driven, queryId, false);
    throw new IcewrightError(
      'EngineOutcomeUnknown',
      `another process read the rows of query ${queryId}; run it again`,
      { engine: 'trino', queryId },
    );
  } catch (cause) {
    if (options.detach?.aborted === true && options.signal?.aborted !== true) {
      throw letGo(at.position);
    }
    if (options.signal?.aborted === true) throw await endQuery(runner.link, at.position);
    // Nobody will read on: the engine need not work for nothing.
    if (isOurLimit(cause) && at.position !== null) await endQuery(runner.link, at.position);
    throw cause;
  }
}

async function submitAndDrive(
  runner: Runner,
  statement: Statement,
  options: RunOptions,
  watch: Watch,
  at: { position: Position | null },
): Promise<Driven> {
  const headers = headersOf(runner, statement, options);
  const first = await runner.link.submit(statement.sql, headers, anySignal(options));
  at.position = { queryId: first.id, uri: first.nextUri ?? '' };
  return drive(runner.link, first, watch);
}

function watchOf(runner: Runner, options: RunOptions, at: { position: Position | null }): Watch {
  return {
    signal: anySignal(options),
    maxRows: runner.options.maxRows ?? 100_000,
    onProgress: (progress) => options.onProgress?.(progress),
    onPosition: (position) => {
      at.position = position;
      return options.onStarted?.(handleOf(position));
    },
  };
}

/** Both end our waiting; only `signal` also ends the query. */
function anySignal({ signal, detach }: RunOptions): AbortSignal | undefined {
  if (signal === undefined || detach === undefined) return signal ?? detach;
  return AbortSignal.any([signal, detach]);
}

function letGo(position: Position | null): IcewrightError {
  const queryId = position?.queryId ?? null;
  const what = queryId === null ? 'nothing was begun' : `query ${queryId} goes on in Trino`;
  return new IcewrightError('EngineOutcomeUnknown', `let go: ${what}`, {
    engine: 'trino',
    queryId,
    detached: true,
  });
}

function handleOf(position: Position): EngineHandle {
  return { engine: 'trino', queryId: position.queryId, nextUri: position.uri };
}

function headersOf(
  runner: Runner,
  statement: Statement,
  options: Pick<RunOptions, 'key'>,
): Record<string, string> {
  const settings = sessionHeader(statement.settings ?? {});
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Trino-Source': sourceOf(runner.options.sourcePrefix ?? 'icewright', options.key),
    'X-Trino-Catalog': runner.options.catalog,
    'X-Trino-Time-Zone': runner.options.timeZone ?? 'UTC',
    // Without it Trino rounds timestamps to milliseconds on the way out.
    'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
    ...(settings === '' ? {} : { 'X-Trino-Session': settings }),
  };
}

function resultOf(collected: Collected, queryId: string, reattached: boolean): StatementResult {
  return {
    rows: rowsOf(collected),
    engineOperationId: queryId,
    reattached,
    // Trino forgets by itself, after `query.min-expire-age`.
    release: async () => {},
  };
}

/** A change answers `{rows: n}`, `n` a `bigint`; nothing when Trino tells no count. */
function rowsOf(collected: Collected): readonly EngineRow[] {
  if (collected.data.length > 0) return decodeRows(collected.columns, collected.data);
  if (collected.updateCount === undefined || collected.updateCount === null) return [];
  return [{ rows: BigInt(collected.updateCount) }];
}

function isOurLimit(cause: unknown): boolean {
  return cause instanceof IcewrightError && cause.details.maxRows !== undefined;
}

/** Ends what still runs under the key: nobody holds its handle any more. */
async function settle(runner: Runner, key: string): Promise<readonly string[]> {
  const found = await findBySource(runner, key);
  for (const { queryId, state } of found) {
    if (state === 'FINISHED' || state === 'FAILED') continue;
    const ended = await endQuery(runner.link, { queryId, uri: '' });
    if (ended.code !== 'Cancelled') throw ended;
  }
  return found.map(({ queryId }) => queryId);
}

async function findBySource(runner: Runner, key: string): Promise<readonly FoundQuery[]> {
  const source = sourceOf(runner.options.sourcePrefix ?? 'icewright', key);
  const sql =
    'SELECT query_id, state, created, error_code FROM system.runtime.queries ' +
    `WHERE source = ${quoteText(source)} ORDER BY created DESC LIMIT 20`;
  // Under another key, or it would find itself.
  const options: RunOptions = { key: `find ${key}`, session: 'find' };
  const found = await run(runner, { engine: 'trino', sql }, options);
  return found.rows.map((row) => ({
    queryId: String(row.query_id),
    state: String(row.state),
    createdAt: String(row.created),
    error: row.error_code === null ? null : String(row.error_code),
  }));
}
