/** Spark as an engine: executions by key, resumable and cancellable, over Spark Connect. */
import type { EngineRunner, RunOptions, Statement, StatementResult } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { KEEPING_SESSION, MODEL_SESSIONS } from '../../domain/ids.ts';
import { interrupt, interruptOnAbort } from './cancel.ts';
import { unavailableError } from './errors.ts';
import {
  type Beginning,
  type Executed,
  type ExecutionLimits,
  followExecution,
  SessionGone,
} from './execution.ts';
import { readFailure } from './failure.ts';
import { newPlanMark, operationIdOf } from './ids.ts';
import { buildPlan } from './plan.ts';
import { callerOf, createSessionKeeper, type SessionKeeper } from './session.ts';
import { parseSparkUrl, type SparkTarget } from './url.ts';
import { openWire, type Wire } from './wire.ts';

export interface SparkRunnerOptions {
  /** `sc://host:port/;token=…;use_ssl=true;user_id=…` */
  readonly url: string;
  /** Name of this installation: mixed into session and operation ids, so that two never meet. */
  readonly deployment: string;
  /**
   * Name of the Iceberg catalog in Spark. Iceberg keeps loaded tables in a cache of each session
   * and would read them stale after a commit by Trino or by another session; our sessions switch
   * that cache off.
   */
  readonly catalog: string;
  /** PEM file of the authority behind Spark's certificate; default: the system's. */
  readonly caFile?: string | undefined;
  /** How long Spark may be away while an execution is followed. Default 2 minutes. */
  readonly reconnectLimitMs?: number;
  /** Silence after which a stream is attached anew. Default 3 minutes (Spark's own limit is 2). */
  readonly stallMs?: number;
  /** Largest result, in bytes of Arrow data. Default 256 MB. */
  readonly maxResultBytes?: number;
  /**
   * For a call with one answer; it bounds how long an unreachable host goes unnoticed.
   * Default 30 s.
   */
  readonly callDeadlineMs?: number;
  /** Receives one line per noteworthy event; no values, no secrets. */
  readonly log?: (message: string) => void;
}

/** How often a statement moves to a new session because its own was closed under it. */
const SESSION_TRIES = 5;

/** What every run of one runner shares. */
interface Runner {
  readonly wire: Wire;
  readonly target: SparkTarget;
  readonly deployment: string;
  /** In force for every statement of a session, under its own settings. */
  readonly settingsOf: (session: string) => Readonly<Record<string, string>>;
  readonly limits: ExecutionLimits;
  readonly log: (message: string) => void;
  readonly keeperOf: (session: string) => SessionKeeper;
}

/**
 * A runner over one connection, made at the first use. Throws `ConfigInvalid` for a bad URL or
 * certificate file. Statements that share a session and differ in settings run one after another.
 */
export function createSparkRunner(options: SparkRunnerOptions): EngineRunner {
  const runner = createRunner(options);
  return {
    name: 'spark',
    run: (statement, runOptions) => run(runner, statement, runOptions),
    end: (key, session) => end(runner, key, session),
    version: () => readVersion(runner),
    close: async () => runner.wire.close(),
  };
}

function createRunner(options: SparkRunnerOptions): Runner {
  const target = parseSparkUrl(options.url);
  const log = options.log ?? (() => undefined);
  if (target.token !== null && !target.useSsl) {
    log(`the token for Spark Connect at ${target.host} travels unencrypted; set use_ssl=true`);
  }
  const limits: ExecutionLimits = {
    reconnectLimitMs: options.reconnectLimitMs ?? 120_000,
    stallMs: options.stallMs ?? 180_000,
    maxResultBytes: options.maxResultBytes ?? 256 * 2 ** 20,
    callDeadlineMs: options.callDeadlineMs ?? 30_000,
  };
  const wire = openWire({ target, caFile: options.caFile });
  const keepers = new Map<string, SessionKeeper>();
  const keeperOf = (name: string) => {
    const known = keepers.get(name);
    if (known !== undefined) return known;
    const { deployment } = options;
    const { callDeadlineMs } = limits;
    const keeper = createSessionKeeper({
      wire,
      deployment,
      name,
      userId: target.userId,
      callDeadlineMs,
    });
    keepers.set(name, keeper);
    return keeper;
  };
  const settingsOf = (session: string) => sessionSettings(options.catalog, session);
  return { wire, target, deployment: options.deployment, settingsOf, limits, log, keeperOf };
}

/**
 * Iceberg deletes what it wrote when a commit fails, and takes a commit for failed whose answer was
 * lost: a session that has nothing to delete gets a store that deletes nothing (docs/decisions/0016).
 * Read when the session first uses the catalog, so every statement of the session carries it.
 */
function sessionSettings(catalog: string, session: string): Readonly<Record<string, string>> {
  const prefix = `spark.sql.catalog.${catalog}`;
  const keeps = session.startsWith(KEEPING_SESSION) || session.startsWith(MODEL_SESSIONS);
  return {
    [`${prefix}.cache-enabled`]: 'false',
    ...(keeps ? { [`${prefix}.s3.delete-enabled`]: 'false' } : {}),
  };
}

async function run(
  runner: Runner,
  statement: Statement,
  options: RunOptions,
): Promise<StatementResult> {
  if (statement.engine !== 'spark') {
    throw new IcewrightError('Internal', `a ${statement.engine} statement was given to Spark`);
  }
  const { gate } = runner.keeperOf(options.session);
  const settings = JSON.stringify(Object.entries(statement.settings ?? {}).sort());
  const { resume, signal } = options;
  const leave = resume ? gate.join(settings) : await gate.enter(settings, signal);
  try {
    if (resume === undefined) return await runPlan(runner, statement, options);
    if (resume.engine === 'spark') {
      return await runOnce(runner, statement, options, { kind: 'resume' }, resume);
    }
    throw new IcewrightError('Internal', 'a Trino handle was given to Spark');
  } finally {
    leave();
  }
}

/** Hands the plan to the live session; to the next one when Spark closes it in that moment. */
async function runPlan(
  runner: Runner,
  statement: Statement,
  options: RunOptions,
): Promise<StatementResult> {
  const plan = buildPlan(statement, newPlanMark());
  const operationId = operationIdOf(runner.deployment, options.key);
  for (let tries = 1; ; tries += 1) {
    const session = await runner.keeperOf(options.session).prepare({
      ...runner.settingsOf(options.session),
      ...statement.settings,
    });
    if (options.signal?.aborted) throw cancelled({ operationId, handedOver: false });
    const place = { sessionId: session.sessionId, operationId };
    options.onStarted?.({ engine: 'spark', ...place });
    try {
      const beginning = { kind: 'plan', plan, session } as const;
      return await runOnce(runner, statement, options, beginning, place);
    } catch (error) {
      if (!(error instanceof SessionGone)) throw error;
      runner.log(`session ${session.sessionId} was closed by Spark; taking the next one`);
      if (tries === SESSION_TRIES) throw sessionsClosed(runner, options);
    }
  }
}

interface Place {
  readonly sessionId: string;
  readonly operationId: string;
}

async function runOnce(
  runner: Runner,
  statement: Statement,
  options: RunOptions,
  beginning: Beginning,
  { sessionId, operationId }: Place,
): Promise<StatementResult> {
  const { wire, limits, log } = runner;
  const { signal, onProgress, detach } = options;
  const caller = callerOf(sessionId, runner.target.userId);
  const secrets = statement.parameters ?? {};
  const context = { address: wire.address, sessionId, operationId, secrets };
  if (beginning.kind === 'resume') options.onStarted?.({ engine: 'spark', sessionId, operationId });
  const stopWatching = interruptOnAbort({ wire, caller, operationId, signal });
  let executed: Executed;
  try {
    executed = await followExecution({
      wire,
      caller,
      beginning,
      context,
      limits,
      onProgress,
      detach,
      log,
    });
  } catch (error) {
    throw await settleFailure(error, signal, () => interrupt({ wire, caller, operationId }));
  } finally {
    stopWatching();
  }
  if (signal?.aborted) throw cancelled({ operationId, sessionId, completed: true });
  return {
    ...executed,
    engineOperationId: operationId,
    release: () => release(runner, sessionId, operationId),
  };
}

/** After an abort every definitive failure is its consequence; not knowing stays not knowing. */
async function settleFailure(
  error: unknown,
  signal: AbortSignal | undefined,
  stop: () => Promise<void>,
): Promise<unknown> {
  if (!(error instanceof IcewrightError)) return error;
  if (error.code === 'EngineRejected') await stop(); // A result too large is still being made.
  if (!signal?.aborted || error.code === 'EngineOutcomeUnknown') return error;
  return cancelled({ ...error.details, completed: false });
}

/** Takes the execution over with the wish to end it: interrupted until Spark says that it ended. */
async function end(runner: Runner, key: string, session: string): Promise<void> {
  const operationId = operationIdOf(runner.deployment, key);
  const { sessionId } = await runner.keeperOf(session).prepare(runner.settingsOf(session));
  const options: RunOptions = { key, session, signal: AbortSignal.abort() };
  const statement: Statement = { engine: 'spark', sql: '' };
  const place = { sessionId, operationId };
  try {
    await runOnce(runner, statement, options, { kind: 'resume' }, place);
  } catch (error) {
    if (!(error instanceof IcewrightError)) throw error;
    if (error.code !== 'Cancelled' && error.details.ended !== true) throw error;
  }
}

async function release(runner: Runner, sessionId: string, operationId: string): Promise<void> {
  const caller = callerOf(sessionId, runner.target.userId);
  const request = { ...caller, operation_id: operationId, release_all: {} };
  try {
    await runner.wire.ask('ReleaseExecute', request, runner.limits.callDeadlineMs);
  } catch (error) {
    // Spark forgets it by itself after its own timeout: nothing is lost but a little memory.
    runner.log(`operation ${operationId} could not be released: ${readFailure(error).text}`);
  }
}

async function readVersion(runner: Runner): Promise<string> {
  const { sessionId } = await runner.keeperOf('version').prepare({});
  const request = { ...callerOf(sessionId, runner.target.userId), spark_version: {} };
  try {
    const answer = await runner.wire.ask('AnalyzePlan', request, runner.limits.callDeadlineMs);
    return answer.spark_version?.version ?? 'unknown';
  } catch (error) {
    throw unavailableError(readFailure(error), runner.wire.address);
  }
}

function cancelled(details: Readonly<Record<string, unknown>>): IcewrightError {
  return new IcewrightError('Cancelled', 'the statement was cancelled', details);
}

function sessionsClosed(runner: Runner, options: RunOptions): IcewrightError {
  return new IcewrightError(
    'EngineUnavailable',
    `Spark Connect at ${runner.wire.address} closed ${SESSION_TRIES} sessions "${options.session}" ` +
      'one after another; check its session timeout',
    { session: options.session },
  );
}
