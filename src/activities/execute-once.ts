/**
 * Executes a statement so that it takes effect once, whatever dies in between: a retry takes over
 * the execution that is there, or asks the table what became of it, before it starts another.
 */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import type {
  EngineHandle,
  EngineProgress,
  EngineRow,
  EngineRunner,
  Statement,
} from '../domain/engine.ts';
import { IcewrightError } from '../domain/errors.ts';

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
}

/** What an attempt leaves to the next one. A definitive failure raises `generation`. */
interface Trace {
  readonly generation: number;
  readonly handle?: EngineHandle;
  readonly progress?: EngineProgress;
}

/** Commit conflicts are tried again on the new snapshot this often, in one attempt. */
const CONFLICTS_MAX = 3;
const HEARTBEAT_MS = 2_000;

export async function executeOnce(execution: Execution): Promise<ExecutionResult> {
  const earlier = (activityInfo().heartbeatDetails ?? { generation: 0 }) as Trace;
  const pulse = new Pulse(earlier);
  try {
    return await execute(execution, earlier, pulse);
  } finally {
    pulse.stop();
  }
}

async function execute(
  execution: Execution,
  earlier: Trace,
  pulse: Pulse,
): Promise<ExecutionResult> {
  if (activityInfo().attempt > 1) {
    const found = await findCommitted(execution, earlier);
    if (found !== null) return found;
  }
  let { generation, handle } = earlier;
  for (let conflicts = 0; ; ) {
    try {
      return await start(execution, generation, handle, pulse);
    } catch (error) {
      const code = error instanceof IcewrightError ? error.code : null;
      const gone = code === 'EngineOutcomeUnknown' && handle !== undefined;
      if (code === 'CommitConflict' && conflicts < CONFLICTS_MAX) conflicts += 1;
      else if (!gone) throw error;
      // The engine has forgotten the execution, or it has failed for good: what the table says
      // decides, and a new execution needs a new identity.
      const found = await findCommitted(execution, pulse.trace);
      if (found !== null) return found;
      generation += 1;
      handle = undefined;
      pulse.follow({ generation });
    }
  }
}

async function start(
  execution: Execution,
  generation: number,
  resume: EngineHandle | undefined,
  pulse: Pulse,
): Promise<ExecutionResult> {
  return await execution.runner.run(execution.statement, {
    key: generation === 0 ? execution.key : `${execution.key}#${generation}`,
    session: execution.session,
    resume,
    signal: cancellationSignal(),
    onStarted: (handle) => pulse.follow({ generation, handle }),
    onProgress: (progress) => pulse.follow({ ...pulse.trace, progress }),
  });
}

async function findCommitted(execution: Execution, trace: Trace): Promise<ExecutionResult | null> {
  const { runner, key } = execution;
  const ids = trace.handle === undefined ? await runner.settle?.(key) : [idOf(trace.handle)];
  if (!(await execution.hasCommitted(ids ?? []))) return null;
  return {
    rows: [],
    engineOperationId: ids?.[0] ?? null,
    reattached: true,
    release: async () => {},
  };
}

function idOf(handle: EngineHandle): string {
  return handle.engine === 'spark' ? handle.operationId : handle.queryId;
}

/** Heartbeats the newest trace at once when the handle changes, else every two seconds. */
class Pulse {
  trace: Trace;
  private readonly timer: NodeJS.Timeout;

  constructor(trace: Trace) {
    this.trace = trace;
    this.timer = setInterval(() => heartbeat(this.trace), HEARTBEAT_MS);
  }

  follow(trace: Trace): void {
    const news = trace.handle !== this.trace.handle || trace.generation !== this.trace.generation;
    this.trace = trace;
    if (news) heartbeat(trace);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
