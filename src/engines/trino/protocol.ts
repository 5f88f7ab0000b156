import { createHash } from 'node:crypto';
import type { QueryResult, QueryStats } from 'trino-client';
import type { EngineProgress } from '../../domain/engine.ts';
import { parseExactJson } from '../../domain/exact-json.ts';
import type { TrinoError } from './errors.ts';
import type { Column } from './values.ts';

/** One answer of the statement protocol; the driver's type leaves out the update fields. */
export type Answer = Pick<QueryResult, 'id' | 'nextUri' | 'data'> & {
  readonly columns?: readonly Column[];
  readonly stats?: Partial<QueryStats>;
  readonly error?: TrinoError;
  /** `INSERT`, `CREATE TABLE`, `ALTER TABLE EXECUTE`, …; absent for a query and until analysed. */
  readonly updateType?: string;
  readonly updateCount?: number | string;
};

/** What Icewright reads of `GET /v1/query/{id}`. */
export interface QueryState {
  readonly queryId: string;
  /** `QUEUED`, `PLANNING`, `STARTING`, `RUNNING`, `FINISHING`, `FINISHED`, `FAILED`. */
  readonly state: string;
  /** `SELECT`, `INSERT`, `DATA_DEFINITION`, …; absent until Trino has parsed the statement. */
  readonly queryType?: string;
  readonly updateType?: string;
  readonly errorCode?: { readonly code: number; readonly name: string; readonly type: string };
  readonly failureInfo?: TrinoError['failureInfo'];
  readonly queryStats?: {
    readonly completedDrivers?: number;
    readonly totalDrivers?: number;
    readonly processedInputPositions?: number;
    /** Bytes as text: `"916854302B"`. */
    readonly processedInputDataSize?: string;
  };
}

/** @throws SyntaxError when the text is not JSON, TypeError when it is not an answer */
export function parseAnswer(text: string): Answer {
  const answer = parseExactJson(text) as Partial<Answer> | null;
  if (typeof answer !== 'object' || typeof answer?.id !== 'string') {
    throw new TypeError('the answer has no query id: is this a Trino server?');
  }
  return answer as Answer;
}

/** Progress as the protocol's answers carry it. */
export function progressOf(stats: Partial<QueryStats>): EngineProgress {
  return {
    ...(stats.completedSplits === undefined ? {} : { tasksDone: stats.completedSplits }),
    ...(stats.totalSplits === undefined ? {} : { tasksTotal: stats.totalSplits }),
    ...(stats.processedBytes === undefined ? {} : { bytesRead: stats.processedBytes }),
    ...(stats.processedRows === undefined ? {} : { rowsRead: stats.processedRows }),
    ...(stats.state === undefined ? {} : { state: stats.state }),
  };
}

/** Progress as the query's own page tells it, for a statement whose answers are held back. */
export function progressOfState(query: QueryState): EngineProgress {
  const stats = query.queryStats ?? {};
  return {
    state: query.state,
    ...(stats.completedDrivers === undefined ? {} : { tasksDone: stats.completedDrivers }),
    ...(stats.totalDrivers === undefined ? {} : { tasksTotal: stats.totalDrivers }),
    ...(stats.processedInputPositions === undefined
      ? {}
      : { rowsRead: stats.processedInputPositions }),
    ...bytesOf(stats.processedInputDataSize),
  };
}

function bytesOf(size: string | undefined): { bytesRead?: number } {
  const bytes = /^(\d+)B$/.exec(size ?? '')?.[1];
  return bytes === undefined ? {} : { bytesRead: Number(bytes) };
}

/** `icewright/<40 hex digits>`: by this a statement is found again in `system.runtime.queries`. */
export function sourceOf(prefix: string, key: string): string {
  return `${prefix}/${createHash('sha256').update(key).digest('hex').slice(0, 40)}`;
}

export interface Identity {
  readonly user: string;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

/** `Authorization` for a password or a token; nothing for a server that asks for neither. */
export function authorization(identity: Identity): Record<string, string> {
  if (identity.token !== undefined) return { Authorization: `Bearer ${identity.token}` };
  if (identity.password === undefined) return {};
  const pair = Buffer.from(`${identity.user}:${identity.password}`).toString('base64');
  return { Authorization: `Basic ${pair}` };
}

/** `a=1,b=x%2Cy`: session properties; Trino decodes each value. */
export function sessionHeader(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join(',');
}
