/** How a step of an erasure has Spark do something, or answer something. */
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { EngineRow, Statement } from '../../domain/engine.ts';
import { BATCH_PROPERTY } from '../../domain/erasure/own-commits.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { ERASURE_SESSION, erasureSession, operationKey } from '../../domain/ids.ts';
import { ancestry, RUN_ID_PROPERTY } from '../../domain/watermark.ts';
import { type ExecutionResult, executeOnce } from '../execute-once.ts';
import { measureTable, type StepContext } from './step-context.ts';
import { saveProgress, type TableProgress } from './work.ts';

/** Of a statement that changes nothing the second time. */
export const NEVER_KNOWN = () => false;

/** `after`: statements of this step that come after it, so that each has an identity. */
export async function once(
  context: StepContext,
  statement: Statement,
  after: number,
  hasCommitted: (health: TableHealth) => boolean,
): Promise<ExecutionResult> {
  const { deps, runId, ordinal, table, step } = context;
  const result = await executeOnce({
    runner: deps.spark.runner,
    statement,
    key: operationKey(runId, ordinal, after),
    session: erasureSession(step),
    hasCommitted: async () => hasCommitted(await measureTable(deps, table)),
  });
  await result.release();
  return result;
}

/**
 * The rows of a question. Each attempt asks anew: an answer that an earlier one asked for may be of
 * another head.
 * @param name of the question, unique within the step
 */
export async function ask(
  { deps, runId, step }: StepContext,
  statement: Statement,
  name: string,
): Promise<readonly EngineRow[]> {
  const key = `${runId}/${step}/${activityInfo().attempt}/${name}`;
  const options = { key, session: ERASURE_SESSION, signal: cancellationSignal() };
  const { rows, release } = await deps.spark.runner.run(statement, options);
  await release();
  return rows;
}

/** What the summary of our own commits says. */
export function marks({ batchId }: StepContext, mark: string): Readonly<Record<string, string>> {
  return { [RUN_ID_PROPERTY]: mark, [BATCH_PROPERTY]: batchId };
}

/** A commit without a file: manifests and delete files that nothing needs are left behind by it. */
export function commitNothing(context: StepContext, after: number): Promise<ExecutionResult> {
  const { deps, target, runId, step, health } = context;
  const mark = `${runId}.${step}.empty.${after}`;
  const summary = { ...carriedOver(health), ...marks(context, mark) };
  const statement = deps.spark.compiler.compileEmptyCommit(target, summary);
  return once(context, statement, after, ({ snapshots }) =>
    snapshots.some((one) => one.summary[RUN_ID_PROPERTY] === mark),
  );
}

/**
 * What a streaming sink or a model looks for in the table's own history to know where it had
 * stopped (kafka.connect.offsets.*, flink.*, icewright.inputs): the snapshots that carry it go.
 */
export function carriedOver(health: TableHealth): Readonly<Record<string, string>> {
  const carried: Record<string, string> = {};
  for (const { summary } of ancestry(health.snapshots, health.snapshotId)) {
    for (const [key, value] of Object.entries(summary)) {
      if (/^(kafka\.connect\.|flink\.|icewright\.(inputs|model))/.test(key)) carried[key] ??= value;
    }
  }
  return carried;
}

/** Said before the first change: from now on what was counted before must not be forgotten. */
export async function beginChanging(
  context: StepContext,
  progress: TableProgress,
): Promise<TableProgress> {
  if (progress.unproven === true) return progress;
  const changing = { ...progress, unproven: true };
  await saveProgress(context.deps, context, changing);
  return changing;
}

export function told({ engineOperationId, reattached }: ExecutionResult) {
  return { status: 'done', engineOperationId, reattached } as const;
}
