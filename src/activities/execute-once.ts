/**
 * Executes a statement so that it takes effect once, whatever dies in between: a retry takes over
 * the execution that is there, or asks the table what became of it, before it starts another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, Context } from '@temporalio/activity';
import type {
  EngineHandle,
  EngineProgress,
  EngineRow,
  EngineRunner,
  Statement,
} from '../domain/engine.ts';
import { IcewrightError } from '../domain/errors.ts';
import { keyBefore } from '../domain/ids.ts';
import { beatsItself } from './failure.ts';

export interface Execution {
  readonly runner: EngineRunner;
  readonly statement: Statement;
  /** Unique to this step of this run; the engine's operation id is derived from it. */
  readonly key: string;
  readonly session: string;
  /**
   * Asks the table whether the execution has committed.
   * @param engineOperationIds what the engine may have written into the snapshot's summary
   */
  readonly hasCommitted: (engineOperationIds: readonly string[]) => Promise<boolean>;
}

export interface ExecutionResult {
  readonly rows: readonly EngineRow[];
  readonly engineOperationId: string | null;
  /** Taken over from an earlier attempt, in the engine or by its commit in the table. */
  readonly reattached: boolean;
  /** Lets the engine forget the result; call it after the outcome is recorded. */
  readonly release: () => Promise<void>;
  /** What came instead of an answer, where only the table told that the execution took effect. */
  readonly lost?: string;
}

/** What an attempt leaves to the next one. A definitive failure raises `generation`. */
interface Trace {
  /** Of the execution; absent in what an older worker left. */
  readonly key?: string;
  readonly generation: number;
  readonly handle?: EngineHandle;
  readonly progress?: EngineProgress;
}

/**
 * In one attempt: executions begun anew after a commit conflict or because the old one was gone.
 */
const RENEWALS_MAX = 3;
const HEARTBEAT_MS = 1_000;
const COMMIT_ON_ITS_WAY_MS = 2_000;
/** Of one activity: properties are unset and set, partitions and columns have statistics. */
const STATEMENTS_MAX = 2;

/** The one statement of an activity. */
export function executeOnce(execution: Execution): Promise<ExecutionResult> {
  return executeInOrder([execution]);
}

/**
 * Statements of one activity, one after another; answers what the last one did. Those before the
 * one that an earlier attempt was at have ended, and are not executed again.
 */
export async function executeInOrder(executions: readonly Execution[]): Promise<ExecutionResult> {
  if (executions.length === 0 || executions.length > STATEMENTS_MAX) {
    throw new IcewrightError('Internal', `an operation of ${executions.length} statements`);
  }
  const left = activityInfo().heartbeatDetails as Trace | undefined;
  const named = executions.findIndex(({ key }) => key === left?.key);
  // A trace that names none is taken for the first one's. If it was of a later one, the first had
  // ended, and that later one is executed under its own key again.
  let earlier = named >= 0 || left?.key === undefined ? left : undefined;
  let result: ExecutionResult | null = null;
  for (const execution of executions.slice(Math.max(0, named))) {
    result = await follow(execution, { generation: 0, ...earlier, key: execution.key });
    earlier = undefined;
  }
  return result as ExecutionResult;
}

async function follow(execution: Execution, earlier: Trace): Promise<ExecutionResult> {
  const pulse = new Pulse(earlier);
  const leash = holdLeash();
  try {
    return await execute(execution, earlier, pulse, leash);
  } finally {
    pulse.stop();
    leash.drop();
  }
}

interface Leash {
  /** Somebody wants the statement to end. */
  readonly cancel: AbortSignal;
  /** This worker is draining, or its heartbeats came too late: another attempt takes over. */
  readonly detach: AbortSignal;
  readonly drop: () => void;
}

/**
 * Temporal cancels an activity for many reasons. Only one of them means that the statement must
 * end; after the others the next attempt goes on with it, and an interrupt would hit that one.
 */
function holdLeash(): Leash {
  const cancel = new AbortController();
  const detach = new AbortController();
  // Taken now: the event is fired outside of any activity.
  const context = Context.current();
  const temporal = context.cancellationSignal;
  const pull = () => (context.cancellationDetails?.cancelRequested ? cancel : detach).abort();
  if (temporal.aborted) pull();
  temporal.addEventListener('abort', pull, { once: true });
  const drop = () => temporal.removeEventListener('abort', pull);
  return { cancel: cancel.signal, detach: detach.signal, drop };
}

async function execute(
  execution: Execution,
  earlier: Trace,
  pulse: Pulse,
  leash: Leash,
): Promise<ExecutionResult> {
  if (activityInfo().attempt > 1) {
    const found = await findCommitted(execution, earlier);
    if (found !== null) return found;
  }
  let { generation, handle } = earlier;
  for (let renewals = 0; ; renewals += 1) {
    try {
      return await start(execution, { generation, handle, pulse, leash });
    } catch (error) {
      const code = error instanceof IcewrightError ? error.code : null;
      if (leash.detach.aborted) throw error;
      if (leash.cancel.aborted) {
        // The interrupt may have come after the commit: then it is done, and its receipt is due.
        const done = code === 'Cancelled' ? await findCommitted(execution, pulse.trace) : null;
        if (done === null) throw error;
        return { ...done, reattached: false };
      }
      // Only when the engine itself says that it runs no more: an engine that is merely out of
      // reach may still be at work, and a second execution beside it could commit twice.
      // Also a refusal: an engine that lost the catalog's answer may call its commit a failure.
      if (code === 'EngineRejected') {
        const done = await findCommitted(execution, pulse.trace, error);
        if (done === null) throw error;
        return { ...done, reattached: false };
      }
      const ended =
        code === 'Cancelled' || code === 'CommitConflict' || (isUnknown(error) && saysEnded(error));
      if (!ended || renewals === RENEWALS_MAX) throw error;
      // A commit that was on its way to the catalog when the engine lost it gets time to arrive.
      if (isUnknown(error)) await sleep(COMMIT_ON_ITS_WAY_MS);
      // What the table says decides, and a new execution needs a new identity.
      const found = await findCommitted(execution, pulse.trace, error);
      if (found !== null) return found;
      generation += 1;
      handle = undefined;
      pulse.follow({ key: execution.key, generation });
    }
  }
}

function isUnknown(error: unknown): error is IcewrightError {
  return error instanceof IcewrightError && error.code === 'EngineOutcomeUnknown';
}

function saysEnded(error: IcewrightError): boolean {
  return error.details.ended === true;
}

async function start(
  execution: Execution,
  from: {
    readonly generation: number;
    readonly handle: EngineHandle | undefined;
    readonly pulse: Pulse;
    readonly leash: Leash;
  },
): Promise<ExecutionResult> {
  const { generation, handle: resume, pulse, leash } = from;
  return await execution.runner.run(execution.statement, {
    key: keyOf(execution, generation),
    session: execution.session,
    resume,
    signal: leash.cancel,
    detach: leash.detach,
    onStarted: (handle) => pulse.follow({ key: execution.key, generation, handle }),
    onProgress: (progress) => pulse.follow({ ...pulse.trace, progress }),
  });
}

async function findCommitted(
  execution: Execution,
  trace: Trace,
  error?: unknown,
): Promise<ExecutionResult | null> {
  const { runner } = execution;
  const ids = trace.handle === undefined ? [] : [idOf(trace.handle)];
  // Also a generation whose handle was never heartbeated may have been handed over.
  for (let at = 0; trace.handle === undefined && at <= trace.generation + 1; at += 1) {
    ids.push(...((await runner.settle?.(keyOf(execution, at))) ?? []));
  }
  if (!(await execution.hasCommitted(ids))) return null;
  return {
    rows: [],
    engineOperationId: ids[0] ?? null,
    reattached: true,
    release: async () => {},
    lost: error instanceof Error ? error.message : 'the worker that waited for it died',
  };
}

/**
 * Ends every execution that {@link executeInOrder} may have begun.
 * @param lastKey of the last statement; those of the others are derived from it
 * @param statements how many there are at most; default: as many as an operation has
 */
export async function endExecutions(
  runner: EngineRunner,
  lastKey: string,
  session: string,
  statements = STATEMENTS_MAX,
): Promise<void> {
  const keys = Array.from({ length: statements }, (_, before) => keyBefore(lastKey, before));
  for (let generation = 0; generation <= RENEWALS_MAX; generation += 1) {
    await Promise.all(keys.map((key) => runner.end(keyOf({ key }, generation), session)));
  }
}

function keyOf({ key }: Pick<Execution, 'key'>, generation: number): string {
  return generation === 0 ? key : `${key}#${generation}`;
}

function idOf(handle: EngineHandle): string {
  return handle.engine === 'spark' ? handle.operationId : handle.queryId;
}

/** Heartbeats the newest trace at once when the handle changes, else every second. */
class Pulse {
  trace: Trace;
  private readonly timer: NodeJS.Timeout;
  /** Kept, because an engine's streams call back outside of any activity. */
  private readonly context = Context.current();

  constructor(trace: Trace) {
    this.trace = trace;
    beatsItself.add(this.context);
    this.timer = setInterval(() => this.context.heartbeat(this.trace), HEARTBEAT_MS);
  }

  follow(trace: Trace): void {
    const news = trace.handle !== this.trace.handle || trace.generation !== this.trace.generation;
    this.trace = trace;
    if (news) this.context.heartbeat(trace);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
