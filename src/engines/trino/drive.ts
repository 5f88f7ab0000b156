import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineProgress } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { statementError } from './errors.ts';
import type { Link } from './link.ts';
import { type Answer, progressOf, progressOfState, type QueryState } from './protocol.ts';
import type { Column } from './values.ts';

/** What the answers of one statement said, joined. */
export interface Collected {
  columns: readonly Column[];
  readonly data: (readonly unknown[])[];
  updateCount: number | string | undefined;
}

/** Where a statement stands: enough to go on with it from another process. */
export interface Position {
  readonly queryId: string;
  /** The address to ask next; empty when only the id is known. */
  readonly uri: string;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  /** A result of more rows is an error: a runner is for operations and small answers. */
  readonly maxRows: number;
  /** Awaited before `uri` is asked: a caller may record it first. */
  readonly onPosition: (position: Position) => void | Promise<void>;
  readonly onProgress: (progress: EngineProgress) => void;
}

/** `rerun`: a query whose rows went to a process that died; asking again changes nothing. */
export type Driven = Collected | 'rerun';

/** States in which the work is done or given up, and only the answer has to be fetched. */
const ENDING = new Set(['FINISHING', 'FINISHED', 'FAILED']);
/** States before a statement does anything; Trino may not know yet whether it is a query. */
const BEFORE_RUNNING = new Set([
  'QUEUED',
  'WAITING_FOR_RESOURCES',
  'DISPATCHING',
  'PLANNING',
  'STARTING',
]);
const SHORTEST_POLL_MS = 50;
const LONGEST_POLL_MS = 1_000;
/** Trino gives up a statement nobody asks for (5 min by default); this is often enough. */
const KEEP_ALIVE_MS = 10_000;
/** A statement whose last answer went to a dead process stays FINISHING: no use to wait longer. */
const FINISHING_PATIENCE_MS = 30_000;

/** Follows a statement from its first answer to its last and joins what they say. */
export async function drive(link: Link, first: Answer, watch: Watch): Promise<Driven> {
  const collected = emptyCollection();
  collect(collected, first, watch);
  if (first.nextUri === undefined) return collected;
  return followFrom(link, { queryId: first.id, uri: first.nextUri }, collected, watch);
}

/** Takes over a statement that another process had begun. */
export async function takeOver(link: Link, position: Position, watch: Watch): Promise<Driven> {
  if (position.uri === '') return settle(link, position.queryId, watch);
  return followFrom(link, position, emptyCollection(), watch);
}

function emptyCollection(): Collected {
  return { columns: [], data: [], updateCount: undefined };
}

async function followFrom(
  link: Link,
  start: Position,
  collected: Collected,
  watch: Watch,
): Promise<Driven> {
  const { queryId } = start;
  let uri = start.uri;
  let announced = '';
  let mayHold = true;
  for (;;) {
    if (uri !== announced) await watch.onPosition({ queryId, uri });
    else await sleep(SHORTEST_POLL_MS, undefined, withSignal(watch));
    announced = uri;
    const answer = await link.follow(queryId, uri, watch.signal);
    // Trino tells every address only in the answer before it, and each holds a code of its own,
    // so a lost position cannot be counted up: what is left is the query's final state.
    if ('lost' in answer) return settle(link, queryId, watch);
    collect(collected, answer, watch);
    if (answer.nextUri === undefined) return collected;
    if (isQueued(uri) && isQueued(answer.nextUri)) continue;
    if (mayHold && !isQueued(uri) && isBeforeTheEnd(answer)) {
      mayHold = await hold(link, { queryId, uri }, watch);
    }
    uri = answer.nextUri;
  }
}

/** The address of a waiting statement stays good until Trino starts it: no need to move on. */
function isQueued(uri: string): boolean {
  return uri.includes('/v1/statement/queued/');
}

function isBeforeTheEnd(answer: Answer): boolean {
  return (answer.data?.length ?? 0) === 0 && !ENDING.has(answer.stats?.state ?? 'FINISHED');
}

/**
 * Stays at a position while a change (INSERT, ALTER TABLE EXECUTE, …) is under way: Trino repeats
 * the answer of the last position asked and forgets those before it, so that a handle recorded
 * seconds ago still works after a crash. A query must be read on, or it blocks.
 * @returns whether the statement is one to hold again
 */
async function hold(link: Link, position: Position, watch: Watch): Promise<boolean> {
  let pollMs = SHORTEST_POLL_MS;
  let keptAliveAt = performance.now();
  for (;;) {
    const query = await link.queryState(position.queryId, watch.signal);
    if (typeof query === 'string') return false;
    watch.onProgress(progressOfState(query));
    if (ENDING.has(query.state)) return true;
    const isChange = typeof query.updateType === 'string';
    if (!isChange && !BEFORE_RUNNING.has(query.state)) return false;
    if (performance.now() - keptAliveAt > KEEP_ALIVE_MS) {
      await link.follow(position.queryId, position.uri, watch.signal);
      keptAliveAt = performance.now();
    }
    await sleep(pollMs, undefined, withSignal(watch));
    pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS);
  }
}

/** Without a position: waits for the query's final state and answers by it. */
async function settle(link: Link, queryId: string, watch: Watch): Promise<Driven> {
  let finishingSince: number | null = null;
  for (;;) {
    const query = await link.queryState(queryId, watch.signal);
    if (typeof query === 'string') throw lostQuery(queryId, query);
    watch.onProgress(progressOfState(query));
    if (query.state === 'FAILED') throw failedQuery(query, queryId);
    if (query.queryType === 'SELECT') {
      await link.cancel(queryId, '');
      return 'rerun';
    }
    if (query.state === 'FINISHED') return emptyCollection();
    if (query.state === 'FINISHING') {
      finishingSince ??= performance.now();
      if (performance.now() - finishingSince > FINISHING_PATIENCE_MS) {
        throw lostQuery(queryId, 'finishing');
      }
    }
    await sleep(LONGEST_POLL_MS / 4, undefined, withSignal(watch));
  }
}

function collect(collected: Collected, answer: Answer, watch: Watch): void {
  if (answer.error !== undefined) throw statementError(answer.error, answer.id);
  if (answer.columns !== undefined) collected.columns = answer.columns;
  if (answer.updateCount !== undefined) collected.updateCount = answer.updateCount;
  for (const row of answer.data ?? []) collected.data.push(row);
  if (answer.stats !== undefined) watch.onProgress(progressOf(answer.stats));
  if (collected.data.length > watch.maxRows) throw tooManyRows(answer.id, watch.maxRows);
}

function failedQuery(query: QueryState, queryId: string): IcewrightError {
  const code = query.errorCode ?? { code: -1, name: 'UNKNOWN', type: 'UNKNOWN' };
  const error = {
    message: query.failureInfo?.message ?? 'the statement failed',
    errorCode: code.code,
    errorName: code.name,
    errorType: code.type,
    failureInfo: query.failureInfo,
  };
  return statementError(error, queryId);
}

const WHY_LOST = {
  gone: 'it was restarted, or has dropped the query from its history',
  hidden: 'it does not show the query to this user',
  finishing: 'its last answer went to a process that is no more',
} as const;

function lostQuery(queryId: string, why: keyof typeof WHY_LOST): IcewrightError {
  return new IcewrightError(
    'EngineOutcomeUnknown',
    `Trino cannot tell how query ${queryId} ended: ${WHY_LOST[why]}; ` +
      'reload the table and look for the run before doing it again',
    { engine: 'trino', queryId, reason: why, ended: why !== 'hidden' },
  );
}

function tooManyRows(queryId: string, maxRows: number): IcewrightError {
  return new IcewrightError(
    'EngineRejected',
    `the statement returns more than ${maxRows} rows; narrow it or aggregate (query ${queryId})`,
    { engine: 'trino', queryId, maxRows },
  );
}

function withSignal(watch: Watch): { signal?: AbortSignal } {
  return watch.signal === undefined ? {} : { signal: watch.signal };
}
