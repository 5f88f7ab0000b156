/** Names that outlive a process: workflow ids, task queues, schedule ids, run ids. */
import type { EngineName } from './engine.ts';
import type { CompactTuning, OperationKind } from './operation.ts';

/** Workflows and short activities. */
export const CONTROL_QUEUE = 'icewright-control';

/** Each engine has a queue of its own, so that a full Spark never holds up Trino. */
export const ENGINE_QUEUES: Readonly<Record<EngineName, string>> = {
  spark: 'icewright-spark',
  trino: 'icewright-trino',
};

/** The table's workflow: its lock and its queue. `key` as `tableKey` writes it. */
export function tableWorkflowId(key: string): string {
  return `table/${key}`;
}

/** The child workflow that executes one job. */
export function runWorkflowId(runId: string): string {
  return `run/${runId}`;
}

export function nightlyWorkflowId(runId: string): string {
  return `nightly/${runId}`;
}

export function transformWorkflowId(runId: string): string {
  return `transform/${runId}`;
}

/** The workflow that sweeps the tables of one catalog. */
export function healthWorkflowId(catalog: string): string {
  return `health/${catalog}`;
}

/** One request to forget a subject. */
export function erasureWorkflowId(requestId: string): string {
  return `erasure/${requestId}`;
}

/** Requests that are forgotten together. */
export function batchWorkflowId(batchId: string): string {
  return `erasure-batch/${batchId}`;
}

/** The workflow that maintains the tables of one catalog unasked. */
export function sweepWorkflowId(catalog: string): string {
  return `sweep/${catalog}`;
}

/** Schedules whose id begins so are ours; no other is ever touched. */
export const SCHEDULE_PREFIX = 'icewright/nightly/';

/**
 * `20261121T020000-4f2a9c`: readable, sorts by time, unique through 24 random bits a second.
 * @param unique at least six hexadecimal digits
 */
export function runIdAt(nowMs: number, unique: string): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]/g, '').slice(0, 15);
  // The last digits: the first ones of a time-ordered uuid are the clock again.
  return `${stamp}-${unique.replace(/-/g, '').slice(-6)}`;
}

/** Warm sessions of engines: maintenance shares two, each model has its own. */
export const MAINTENANCE_SESSION = 'maintenance';

/** Of operations that delete no file: here the engine may not, whatever it takes for garbage. */
export const KEEPING_SESSION = 'maintenance/keep';

/** Of reading for an erasure, and of its expiry, which deletes files. */
export const ERASURE_SESSION = 'erasure';

/** Of a step of an erasure: all but its expiry delete rows, and no file. */
export function erasureSession(step: string): string {
  return step === 'expire' ? ERASURE_SESSION : `${KEEPING_SESSION}/erasure`;
}

/**
 * The session of an operation's statements. One with settings of its own has a session for these:
 * statements of one session that differ in settings wait for each other.
 */
export function sessionOf(operation: {
  readonly kind: OperationKind;
  readonly tuning?: CompactTuning;
}): string {
  const { kind, tuning } = operation;
  if (kind === 'expire_snapshots' || kind === 'remove_orphans') return MAINTENANCE_SESSION;
  const level = kind === 'compact' ? tuning?.zstdLevel : undefined;
  return level === undefined ? KEEPING_SESSION : `${KEEPING_SESSION}/zstd-${level}`;
}

/** How the sessions of models begin. */
export const MODEL_SESSIONS = 'model/';

export function modelSession(model: string): string {
  return `${MODEL_SESSIONS}${model}`;
}

/**
 * Identity of a statement in an engine.
 * @param before how many statements of the same operation come after it; 0: the last one
 */
export function operationKey(runId: string, ordinal: number, before = 0): string {
  return keyBefore(`${runId}/${ordinal}`, before);
}

/** Key of the statement that comes so many before the last one, whose key is given. */
export function keyBefore(lastKey: string, before: number): string {
  return before === 0 ? lastKey : `${lastKey}/-${before}`;
}

/** Run of a part of a larger run: `20261121T020000-4f2a9c.silver.orders`. */
export function partRunId(parentRunId: string, part: string): string {
  return `${parentRunId}.${part}`;
}
