/**
 * What an engine is to the rest of the house. `compile` (pure) turns an operation into statements;
 * `run` (effect) executes one statement and can be resumed and cancelled.
 */

export type EngineName = 'spark' | 'trino';

/** Tasks that an engine runs at the same time, over all its nodes; an engine may be missing. */
export type EngineCores = Readonly<Partial<Record<EngineName, number>>>;

/** One SQL text and what its execution needs besides. */
export interface Statement {
  readonly engine: EngineName;
  readonly sql: string;
  /** Values of `:name` markers in `sql` (Spark only). Secrets travel here, never in `sql`. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Session settings for this statement: Spark conf or Trino session properties. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * What is needed to find an execution again after the worker died. Small enough to heartbeat;
 * holds no secret.
 */
export type EngineHandle =
  | { readonly engine: 'spark'; readonly sessionId: string; readonly operationId: string }
  | { readonly engine: 'trino'; readonly queryId: string; readonly nextUri: string };

/** How far a statement has come. Unknown figures are left out. */
export interface EngineProgress {
  readonly tasksDone?: number;
  readonly tasksTotal?: number;
  readonly bytesRead?: number;
  readonly rowsRead?: number;
  readonly state?: string;
}

export type EngineRow = Readonly<Record<string, unknown>>;

export interface StatementResult {
  /**
   * bigint columns come as `bigint`, decimals and timestamps as strings, the rest as JSON types.
   */
  readonly rows: readonly EngineRow[];
  /** Spark's operation id or Trino's query id: what an operator looks for in the engine's UI. */
  readonly engineOperationId: string;
  /** `true` when this call took over an execution that an earlier call had started. */
  readonly reattached: boolean;
  /** Lets the engine forget the result. Call it after the outcome is recorded, not before. */
  readonly release: () => Promise<void>;
}

export interface RunOptions {
  /**
   * Identity of this execution. Running the same key again attaches to the execution that is there
   * instead of starting another one (Spark: operation id; Trino: found by `source`).
   */
  readonly key: string;
  /** Name of the warm session to use (Spark). Statements of one session share its settings. */
  readonly session: string;
  /** What an earlier attempt handed to `onStarted`. */
  readonly resume?: EngineHandle | undefined;
  /** Aborting interrupts the statement inside the engine; `run` then rejects with `Cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Aborting lets go of the statement without ending it: `run` rejects with
   * `EngineOutcomeUnknown`, the engine goes on, and somebody else may take the statement over.
   */
  readonly detach?: AbortSignal | undefined;
  /** Called as soon as the execution can be found again, and when the handle changes. */
  readonly onStarted?: ((handle: EngineHandle) => void) | undefined;
  readonly onProgress?: ((progress: EngineProgress) => void) | undefined;
}

/**
 * Executes statements. Rejects with an `IcewrightError`: `EngineUnavailable` (nothing was handed
 * over), `EngineRejected` (definitive), `CommitConflict`, `CredentialsRejected`,
 * `EngineOutcomeUnknown` (handed over, then lost), `Cancelled`. An unknown outcome has
 * `details.ended: true` only when the engine itself says that nothing of it runs any more; without
 * it the statement may still be at work, and must not be started again.
 */
export interface EngineRunner {
  readonly name: EngineName;
  run(statement: Statement, options: RunOptions): Promise<StatementResult>;
  /**
   * For an earlier attempt that left no handle: ends what still runs under `key` and returns the
   * engine operation ids that ever ran under it, as far as the engine remembers. Engines whose
   * key is an idempotency key do not need it.
   */
  settle?(key: string): Promise<readonly string[]>;
  /**
   * Ends whatever still runs under `key` and resolves when the engine says that nothing does.
   * Rejects while that cannot be known. Nothing under that key is no fault.
   */
  end(key: string, session: string): Promise<void>;
  /** Version text of the engine; rejects as `run` does when it cannot be had. */
  version(): Promise<string>;
  close(): Promise<void>;
}

/** What an operation becomes for one engine: statements in order, or why it cannot be done. */
export type Compiled = readonly Statement[] | { readonly refused: string };
