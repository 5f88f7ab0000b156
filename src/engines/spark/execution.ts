/** One execution followed to its end, over as many streams as it takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineProgress, EngineRow } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { formatBytes, formatDuration } from '../../domain/units.ts';
import { type FailureContext, statementError, unavailableError, unknownOutcome } from './errors.ts';
import { type Failure, isCredentialsFailure, isLostConnection } from './failure.ts';
import { followStream, type StreamEnd } from './follow.ts';
import type { Caller, ErrorChain, ExecutePlanResponse, Plan } from './messages.ts';
import { decodeRows } from './rows.ts';
import { type LiveSession, sessionFate } from './session.ts';
import type { Wire } from './wire.ts';

/**
 * Where the execution begins: with a plan for a session just prepared, or with one to take over.
 */
export type Beginning =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly session: LiveSession }
  | { readonly kind: 'resume' };

export interface ExecutionLimits {
  /** How long Spark may be away while an execution is followed, in ms. */
  readonly reconnectLimitMs: number;
  /** Silence after which a stream counts as dead, in ms. */
  readonly stallMs: number;
  /** Largest result, in bytes of Arrow data. */
  readonly maxResultBytes: number;
  /** For calls with one answer, in ms. */
  readonly callDeadlineMs: number;
}

export interface ExecutionOptions {
  readonly wire: Wire;
  readonly caller: Caller;
  readonly beginning: Beginning;
  readonly context: FailureContext;
  readonly limits: ExecutionLimits;
  readonly onProgress?: ((progress: EngineProgress) => void) | undefined;
  /** Lets go: the stream is closed, the execution goes on in Spark. */
  readonly detach?: AbortSignal | undefined;
  readonly log: (message: string) => void;
}

export interface Executed {
  readonly rows: readonly EngineRow[];
  /** The execution was there before this call. */
  readonly reattached: boolean;
}

/** The session was closed before the plan was taken: prepare another and hand the plan to that. */
export class SessionGone extends Error {}

/** What was received so far, and from where a next stream must go on. */
interface Received {
  readonly rows: EngineRow[];
  bytes: number;
  lastResponseId: string | null;
  complete: boolean;
}

/**
 * Hands the plan over (or takes an execution over) and follows it until Spark says it is complete.
 * Broken streams are attached again after the last response; a plan whose first response never came
 * is sent again under the same id, which attaches to it if it had arrived. Rejects with
 * {@link SessionGone} or an `IcewrightError` (`EngineRejected`, `CommitConflict`, `TableNotFound`,
 * `Cancelled`, `EngineOutcomeUnknown`, `CredentialsRejected`).
 */
export async function followExecution(options: ExecutionOptions): Promise<Executed> {
  const received: Received = { rows: [], bytes: 0, lastResponseId: null, complete: false };
  const patience = createPatience(options);
  let attach = options.beginning.kind === 'resume';
  let reattached = attach;
  let doubtful = attach;
  for (;;) {
    const end = await openAndFollow(options, attach, received);
    if (received.complete) return { rows: received.rows, reattached };
    if (end.received > 0) patience.renew();
    const { failure } = end;
    if (options.detach?.aborted) throw letGo(options);
    if (failure === null || isLostConnection(failure)) {
      doubtful = true;
      attach = attach || end.received > 0;
      await patience.wait(failure, end.received > 0);
    } else if (!attach && failure.errorClass === 'INVALID_HANDLE.OPERATION_ALREADY_EXISTS') {
      // Not our own repetition, whose plan would be equal: an earlier process sent this operation.
      attach = true;
      reattached = true;
      doubtful = true;
    } else {
      throw await finalError(options, failure, doubtful);
    }
  }
}

async function openAndFollow(
  options: ExecutionOptions,
  attach: boolean,
  received: Received,
): Promise<StreamEnd> {
  const { wire, caller, beginning, context, limits } = options;
  const identity = { ...caller, operation_id: context.operationId };
  const stream =
    attach || beginning.kind === 'resume'
      ? wire.reattachExecute({
          ...identity,
          ...(received.lastResponseId && { last_response_id: received.lastResponseId }),
        })
      : wire.executePlan({
          ...identity,
          plan: beginning.plan,
          request_options: [{ reattach_options: { reattachable: true } }],
          client_observed_server_side_session_id: beginning.session.serverSideId,
        });
  const onResponse = (response: ExecutePlanResponse) => receive(options, response, received);
  const cut = () => stream.cancel();
  if (options.detach?.aborted) cut();
  options.detach?.addEventListener('abort', cut, { once: true });
  try {
    return await followStream(stream, onResponse, limits.stallMs);
  } finally {
    options.detach?.removeEventListener('abort', cut);
  }
}

/** Another process may hold the stream by now: whoever is told to let go must not take it back. */
function letGo({ context }: ExecutionOptions): IcewrightError {
  const { operationId, sessionId } = context;
  return new IcewrightError(
    'EngineOutcomeUnknown',
    `let go of operation ${operationId}: it goes on in Spark`,
    { operationId, sessionId, detached: true },
  );
}

function receive(options: ExecutionOptions, response: ExecutePlanResponse, received: Received) {
  const data =
    response.arrow_batch?.data ?? response.sql_command_result?.relation?.local_relation?.data;
  if (data !== undefined) {
    received.bytes += data.length;
    if (received.bytes > options.limits.maxResultBytes) throw tooLarge(options);
    received.rows.push(...decodeRows(data));
  }
  if (response.sql_command_result?.relation?.sql !== undefined) throw notRun(options);
  if (response.execution_progress !== undefined) {
    // Sent beside the result: it is no position from which the result can be continued.
    options.onProgress?.(progressOf(response.execution_progress));
    return;
  }
  if (response.result_complete !== undefined) received.complete = true;
  received.lastResponseId = response.response_id;
}

function progressOf(
  report: NonNullable<ExecutePlanResponse['execution_progress']>,
): EngineProgress {
  const stages = report.stages ?? [];
  const sum = (value: (stage: (typeof stages)[number]) => number | undefined) =>
    stages.reduce((total, stage) => total + (value(stage) ?? 0), 0);
  return {
    tasksDone: sum((stage) => stage.num_completed_tasks),
    tasksTotal: sum((stage) => stage.num_tasks),
    bytesRead: sum((stage) => stage.input_bytes_read),
    state: (report.num_inflight_tasks ?? 0) > 0 ? 'running' : 'waiting',
  };
}

/** Errors after which an execution cannot be found or read any more, though it may have run. */
const LOST_EXECUTION: Readonly<Record<string, string>> = {
  'INVALID_HANDLE.OPERATION_NOT_FOUND':
    'Spark does not know it (never received, restarted, released, or detached for too long)',
  'INVALID_HANDLE.OPERATION_ABANDONED':
    'it was released, or Spark gave it up after nobody was attached for too long',
  'INVALID_CURSOR.POSITION_NOT_AVAILABLE': 'Spark has dropped the first part of its result',
  'INVALID_CURSOR.POSITION_NOT_FOUND': 'Spark has dropped the first part of its result',
};

async function finalError(options: ExecutionOptions, failure: Failure, doubtful: boolean) {
  const { context } = options;
  const { errorClass } = failure;
  const fate = sessionFate(failure);
  if (fate !== null && !doubtful) return new SessionGone();
  if (fate !== null) {
    const why = fate === 'closed' ? 'its session was closed' : 'Spark was restarted';
    return unknownOutcome(why, context, { errorClass, ended: true });
  }
  const lost = LOST_EXECUTION[errorClass ?? ''];
  if (lost !== undefined) {
    const ended = errorClass?.startsWith('INVALID_HANDLE.') === true;
    return unknownOutcome(lost, context, { errorClass, ended });
  }
  if (isCredentialsFailure(failure)) {
    if (!doubtful) return unavailableError(failure, context.address);
    return unknownOutcome('Spark refuses our credentials now', context, { credentials: 'refused' });
  }
  return statementError(failure, await causesOf(options, failure), context);
}

/** The chain of causes, by which a wrapped commit failure is told from others. */
async function causesOf(options: ExecutionOptions, failure: Failure): Promise<ErrorChain | null> {
  if (failure.errorId === null) return null;
  const request = { ...options.caller, error_id: failure.errorId };
  try {
    return await options.wire.ask('FetchErrorDetails', request, options.limits.callDeadlineMs);
  } catch {
    return null; // The failure itself is known; only its causes are not.
  }
}

interface Patience {
  renew(): void;
  /**
   * Waits before the next stream; rejects with `EngineOutcomeUnknown` when the limit is reached.
   */
  wait(failure: Failure | null, progressed: boolean): Promise<void>;
}

/** First and longest pause between two streams, in ms; doubled each time. */
const PAUSE_MS = { first: 50, longest: 2_000 } as const;

function createPatience({ wire, context, limits, log }: ExecutionOptions): Patience {
  let awaySince: number | null = null;
  let pauseMs: number = PAUSE_MS.first;
  return {
    renew: () => {
      awaySince = null;
      pauseMs = PAUSE_MS.first;
    },
    wait: async (failure, progressed) => {
      if (wire.isClosed()) throw unknownOutcome('this process closed its connection', context);
      if (failure === null && progressed) return; // The stream's own end: go on at once.
      const now = performance.now();
      if (awaySince === null) {
        awaySince = now;
        log(`stream of operation ${context.operationId} broke, attaching again`);
      }
      if (now - awaySince >= limits.reconnectLimitMs) {
        const away = formatDuration(limits.reconnectLimitMs);
        throw unknownOutcome(`Spark at ${context.address} was away for ${away}`, context, {
          address: context.address,
          grpcCode: failure?.code ?? null,
        });
      }
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest);
    },
  };
}

function tooLarge({ limits, context }: ExecutionOptions): IcewrightError {
  return new IcewrightError(
    'EngineRejected',
    `the result is larger than ${formatBytes(limits.maxResultBytes)}; ` +
      'write it to a table, or select less',
    { operationId: context.operationId },
  );
}

function notRun({ context }: ExecutionOptions): IcewrightError {
  return new IcewrightError(
    'EngineRejected',
    'Spark took the statement for a query and did not run it; begin it with SELECT or WITH',
    { operationId: context.operationId },
  );
}
