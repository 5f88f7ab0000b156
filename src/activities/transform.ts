/** Runs one model: decides whether there is anything new, pins what it reads, writes once. */
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { beforeOf, NO_TABLE } from '../domain/before-operation.ts';
import type { EngineRunner, Statement } from '../domain/engine.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { SnapshotInfo, TableHealth } from '../domain/health/health.ts';
import { modelSession, operationKey } from '../domain/ids.ts';
import type { TransformOutcome } from '../domain/job.ts';
import { inputsChanged } from '../domain/model/changes.ts';
import type { CompiledModel, Model } from '../domain/model/model.ts';
import type { Receipt } from '../domain/receipt.ts';
import { snapshotsSince, transformCommitted } from '../domain/reconcile.ts';
import { tableFromKey } from '../domain/table.ts';
import { ancestry } from '../domain/watermark.ts';
import { type ExecutionResult, executeOnce } from './execute-once.ts';
import { withFailures, withHeartbeats } from './failure.ts';
import type { StartedOperation } from './ledger-port.ts';
import type { OperateDeps } from './operate/deps.ts';
import { changeSince } from './operate/receipt.ts';
import { measureIfThere } from './planning/inputs.ts';
import type { Jobs } from './ports.ts';
import { refuseBesideAnother, rowOf } from './runs.ts';
import type { OpenedTransform, OpenRunInput, TransformInput, TransformResult } from './types.ts';

export interface TransformDeps extends OperateDeps {
  readonly jobs: Jobs;
  /** Key of keyed hashes, 32 bytes in hex; never logged, never in SQL text. */
  readonly pseudonymKey: string | undefined;
}

/**
 * A pin that a dead run left behind stops holding snapshots after this long: a live one has ended
 * long before, because its statement may take a day.
 */
const PIN_MS = 3 * 24 * 3_600_000;

export function createTransformActivities(deps: TransformDeps) {
  return {
    openTransform: withFailures((input: OpenRunInput) => openTransform(deps, input)),
    runModel: withFailures(withHeartbeats((input: TransformInput) => runModel(deps, input))),
  };
}

async function openTransform(deps: TransformDeps, input: OpenRunInput): Promise<OpenedTransform> {
  const { job } = input;
  const nowMs = deps.nowMs();
  const startedAt = new Date(nowMs).toISOString();
  const name = job.work.kind === 'transform' ? job.work.model : '';
  const [model] = await Promise.all([findModel(deps, name), refuseBesideAnother(deps, input)]);
  await deps.ledger.saveRun({ ...rowOf(input, 'running', startedAt), startedAt });
  const target = await measure(deps, model.target);
  const found = await Promise.all(
    model.inputs.map(async (key) => [key, await measure(deps, tableFromKey(key))] as const),
  );
  const missing = found.filter(([, health]) => health?.snapshotId == null).map(([key]) => key);
  const inputs = Object.fromEntries(
    found.flatMap(([key, health]) =>
      health?.snapshotId == null ? [] : [[key, health.snapshotId]],
    ),
  );
  const noop = (because: string): OpenedTransform => ({
    engine: model.engine,
    inputs,
    outcome: {
      model: name,
      status: 'noop',
      rowsWritten: 0,
      snapshotId: target?.snapshotId ?? null,
      inputs,
      because,
    },
  });
  // An empty input has no snapshot to read at: what is not there yet cannot be transformed.
  if (missing.length > 0) return noop(`nothing in ${missing.join(', ')} yet`);
  if (target !== null && model.inputs.length > 0) {
    const { changed, reasons } = inputsChanged({
      targetSnapshots: ancestry(target.snapshots, target.snapshotId),
      inputs: Object.fromEntries(found.map(([key, health]) => [key, mainLine(health)])),
      modelDigest: model.digest,
    });
    if (!changed) return noop(reasons.join('; '));
  }
  await deps.ledger.pinSnapshots(
    job.runId,
    Object.entries(inputs).map(([table, snapshotId]) => ({ table, snapshotId })),
    new Date(nowMs + PIN_MS).toISOString(),
  );
  return { engine: model.engine, inputs, outcome: null };
}

function mainLine(health: TableHealth | null): readonly SnapshotInfo[] {
  return health === null ? [] : ancestry(health.snapshots, health.snapshotId);
}

async function findModel(deps: TransformDeps, name: string): Promise<Model> {
  const model = (await deps.project.models()).find((one) => one.name === name);
  if (model !== undefined) return model;
  throw new IcewrightError('ModelInvalid', `there is no model ${name} any more`, { model: name });
}

async function runModel(deps: TransformDeps, input: TransformInput): Promise<TransformResult> {
  const [model, written] = await Promise.all([
    findModel(deps, input.model),
    deps.ledger.readReceipt(input.runId, 0),
  ]);
  if (written !== null) return { receipt: written, outcome: outcomeOf(input, written) };
  const { runner, compiler } = deps.engines[model.engine];
  const { pseudonymKey } = deps;
  const context = { runId: input.runId, inputs: input.inputs, pseudonymKey };
  const compiled = compiler.compileModel(model, context);
  const health = await measure(deps, model.target);
  const started = await begin(deps, input, model, health);
  const exists = health !== null;
  const writing = { input, model, compiled, started, exists, runner };
  const { receipt, release } = await write(deps, writing);
  const kept = await deps.ledger.saveReceipt(input.runId, 0, input.table, receipt);
  deps.meter.operationEnded(kept, input.table);
  // Nobody waits for the engine to forget the result.
  void release?.();
  return { receipt: kept, outcome: outcomeOf(input, kept) };
}

async function begin(
  deps: TransformDeps,
  input: TransformInput,
  model: Model,
  health: TableHealth | null,
): Promise<StartedOperation> {
  return deps.ledger.startOperation({
    runId: input.runId,
    ordinal: 0,
    table: input.table,
    operation: 'transform',
    engine: model.engine,
    before: health === null ? NO_TABLE : beforeOf(health),
    startedAt: new Date(deps.nowMs()).toISOString(),
  });
}

interface Writing {
  readonly input: TransformInput;
  readonly model: Model;
  readonly compiled: CompiledModel;
  readonly started: StartedOperation;
  /** The target's table is there. */
  readonly exists: boolean;
  readonly runner: EngineRunner;
}

interface Written {
  readonly receipt: Receipt;
  /** Lets the engine forget the result; to be called when the receipt is written. */
  readonly release?: () => Promise<void>;
}

async function write(deps: TransformDeps, writing: Writing): Promise<Written> {
  const { input, model, compiled, exists, runner } = writing;
  try {
    if (!exists) await ensure(compiled.ensure, input, runner);
    const result = await executeOnce({
      runner,
      statement: compiled.write,
      key: operationKey(input.runId, 0),
      // One warm session for each target: its settings name the run, and one run writes at a time.
      session: modelSession(model.name),
      hasCommitted: async (engineOperationIds) => {
        const health = await measure(deps, model.target);
        const marks = { runId: input.runId, engineOperationIds };
        return health !== null && transformCommitted(health, marks) !== null;
      },
    });
    const after = await measure(deps, model.target);
    const { release } = result;
    return { receipt: receiptOf(writing, after, deps.nowMs(), result), release };
  } catch (error) {
    if (!(error instanceof IcewrightError) || !DEFINITIVE.has(error.code)) throw error;
    const after = await measure(deps, model.target);
    const { code, message } = error;
    const receipt = {
      ...receiptOf(writing, after, deps.nowMs(), null),
      status: 'failed',
      rowsWritten: 0,
      error: { code, message },
    } as const;
    return { receipt };
  }
}

const DEFINITIVE: ReadonlySet<string> = new Set([
  'EngineRejected',
  'TableNotFound',
  'CommitConflict',
  'CredentialsRejected',
]);

/**
 * Namespace and table, `IF NOT EXISTS`: repeating them is harmless, so each attempt runs anew. Two
 * models that create one namespace at the same time can meet all the same ("already exists" from
 * the catalog); the second try then finds it.
 */
async function ensure(
  statements: readonly Statement[],
  input: TransformInput,
  runner: EngineRunner,
): Promise<void> {
  for (const [index, statement] of statements.entries()) {
    const attempt = (tries: number) =>
      runner.run(statement, {
        key: `${input.runId}/ensure/${activityInfo().attempt}/${index}/${tries}`,
        session: modelSession(input.model),
        signal: cancellationSignal(),
      });
    const result = await attempt(1).catch((error: unknown) => {
      if (error instanceof IcewrightError && error.code === 'EngineRejected') return attempt(2);
      throw error;
    });
    await result.release();
  }
}

function measure(deps: TransformDeps, table: Model['target']): Promise<TableHealth | null> {
  return measureIfThere(deps.catalog, table, { nowMs: deps.nowMs(), depth: 'metadata' });
}

function receiptOf(
  { model, started }: Writing,
  after: TableHealth | null,
  nowMs: number,
  result: ExecutionResult | null,
): Receipt {
  const snapshots = after === null ? [] : snapshotsSince(after, started.before.snapshotId);
  const change = changeSince(started, after, nowMs);
  return {
    ...change,
    operation: 'transform',
    engine: model.engine,
    status: change.snapshotAfter === change.snapshotBefore ? 'noop' : 'done',
    rowsWritten: snapshots.reduce((sum, { summary }) => sum + rowsWritten(summary), 0),
    engineOperationId: result?.engineOperationId ?? null,
    reattached: result?.reattached ?? false,
  };
}

const MERGED = 'spark.merge-into.num-target-rows-';

/** A merge by copy-on-write also writes rows that have not changed: those are not counted. */
function rowsWritten(summary: SnapshotInfo['summary']): number {
  const merged = ['inserted', 'updated', 'deleted'].map((what) => summary[`${MERGED}${what}`]);
  if (merged.every((count) => count === undefined)) return Number(summary['added-records'] ?? 0);
  return merged.reduce((sum, count) => sum + Number(count ?? 0), 0);
}

function outcomeOf(input: TransformInput, receipt: Receipt): TransformOutcome {
  const status = receipt.status === 'refused' ? 'failed' : receipt.status;
  const because = {
    done: `${receipt.rowsWritten} rows written`,
    noop: 'nothing new to write',
    failed: receipt.error?.message ?? 'failed',
  }[status];
  return {
    model: input.model,
    status,
    rowsWritten: receipt.rowsWritten,
    snapshotId: receipt.snapshotAfter,
    inputs: input.inputs,
    because,
  };
}
