/** The steps that are statements of Spark: each takes effect once, whatever dies in between. */
import { IcewrightError } from '../../domain/errors.ts';
import type { SnapshotInfo, TableHealth } from '../../domain/health/health.ts';
import type { PartitionKey } from '../../domain/operation.ts';
import { lineSince } from '../../domain/table-facts.ts';
import { ancestry, RUN_ID_PROPERTY } from '../../domain/watermark.ts';
import type { ExecutionResult } from '../execute-once.ts';
import { UNTOLD, unproven } from './count.ts';
import {
  ask,
  beginChanging,
  commitNothing,
  marks,
  NEVER_KNOWN,
  once,
  told,
} from './run-statement.ts';
import {
  keepsOldFiles,
  measureTable,
  refuseObstacles,
  type StepContext,
  type StepResult,
} from './step-context.ts';
import { readProgress, type TableProgress } from './work.ts';

/** Requests that are forgotten at the same time, far beyond what there ever is. */
const OPEN_MAX = 10_000;
const NOOP = { status: 'noop' } as const;

export async function deleteRows(context: StepContext, before: TableProgress): Promise<StepResult> {
  if (before.toDelete === 0) return { progress: before, receipt: NOOP };
  const progress = await beginChanging(context, before);
  const { deps, target, runId } = context;
  const statement = deps.spark.compiler.compileDelete(target, marks(context, runId));
  const isOurs = ({ summary }: SnapshotInfo) => summary[RUN_ID_PROPERTY] === runId;
  const result = await once(context, statement, 0, (health) =>
    ancestry(health.snapshots, health.snapshotId).some(isOurs),
  );
  const after = await measureTable(deps, context.table);
  const ours = after.snapshots.find(isOurs);
  // Its rows could be counted against nothing, now or later.
  if (ours === undefined && hasDeleted(context, after)) {
    return unproven(context, { ...progress, doubt: UNTOLD }, [], UNTOLD);
  }
  const bytes = Number(ours?.summary['added-files-size'] ?? 0);
  const bytesRewritten = progress.bytesRewritten + bytes;
  return {
    progress: { ...progress, bytesRewritten },
    receipt: { ...told(result), bytesRewritten: bytes },
  };
}

/** Since the first attempt at this step began. */
function hasDeleted({ started }: StepContext, after: TableHealth): boolean {
  const line = lineSince(after, started.before.snapshotId);
  return line?.some(({ operation }) => /^(delete|overwrite)$/.test(operation)) ?? true;
}

export async function rewriteFiles(
  context: StepContext,
  before: TableProgress,
): Promise<StepResult> {
  if (context.health.deleteFiles === 0) return { progress: before, receipt: NOOP };
  const progress = await beginChanging(context, before);
  const { deps, target } = context;
  const statement = deps.spark.compiler.compileForcedRewrite(target);
  const result = await once(context, statement, 0, NEVER_KNOWN);
  return rewritten(progress, result);
}

export async function dropDangling(
  context: StepContext,
  before: TableProgress,
): Promise<StepResult> {
  const { deps, target, health } = context;
  if (health.deleteFiles === 0) return { progress: before, receipt: NOOP };
  const progress = await beginChanging(context, before);
  const { compiler } = deps.spark;
  const result = await once(context, compiler.compileDanglingDeletes(target), 4, NEVER_KNOWN);
  if (!(await hasOldDeletes(context, 'at first'))) return { progress, receipt: told(result) };
  // An equality delete stays while any older data file of its partition does, whether or not it
  // applies to that. Afterwards all are younger, and the next commit drops it.
  const some = await rewriteAll(context, await partitionsWithDeletes(context), 2);
  const first = rewritten(progress, some);
  // A partition without a data file is none that a rewrite would look at.
  if (!(await hasOldDeletes(context, 'still'))) return first;
  return rewritten(first.progress, await rewriteAll(context, [], 0));
}

async function rewriteAll(
  context: StepContext,
  partitions: readonly PartitionKey[],
  after: number,
) {
  const { deps, target } = context;
  const statement = deps.spark.compiler.compileFullRewrite(target, partitions);
  const result = await once(context, statement, after + 1, NEVER_KNOWN);
  await commitNothing(context, after);
  return result;
}

/** Equality deletes from before this step began: later ones are of somebody else. */
async function hasOldDeletes(context: StepContext, when: string): Promise<boolean> {
  const { deps, target, health } = context;
  const head = health.snapshots.find((one) => one.snapshotId === health.snapshotId);
  const statement = deps.spark.compiler.compileEqualityDeletes(target, head?.sequenceNumber ?? 0);
  const [row] = await ask(context, statement, when);
  return Number(row?.files) !== 0;
}

async function partitionsWithDeletes({ deps, target }: StepContext) {
  const options = { nowMs: deps.nowMs(), depth: 'files' } as const;
  const { partitionHealth } = await deps.catalog.measureTable(target.table, options);
  return (partitionHealth ?? []).filter((one) => one.deleteFiles > 0).map(({ key }) => key);
}

function rewritten(progress: TableProgress, result: ExecutionResult): StepResult {
  const bytes = Number(result.rows[0]?.rewritten_bytes_count ?? 0);
  const bytesRewritten = progress.bytesRewritten + bytes;
  const receipt = { ...told(result), bytesRewritten: bytes };
  return { progress: { ...progress, bytesRewritten }, receipt };
}

/** Everything but the heads of refs: what is older still reaches the old files. */
export async function expireOld(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  const { deps, target, table, health } = context;
  const ids = oldSnapshots(health).map((one) => one.snapshotId);
  if (ids.length === 0 || keepsOldFiles(context)) return { progress, receipt: NOOP };
  await refuseObstacles(context);
  await refusePinned(context);
  await refuseUncounted(context);
  const operation = { kind: 'expire_snapshots', snapshotIds: ids } as const;
  const compiled = deps.spark.compiler.compileOperation(target.table, operation);
  if ('refused' in compiled) throw new IcewrightError('Internal', compiled.refused, { table });
  const [statement] = compiled;
  if (statement === undefined) throw new IcewrightError('Internal', 'no statement', { table });
  const result = await once(context, statement, 0, (after) => {
    const there = new Set(after.snapshots.map((one) => one.snapshotId));
    return !ids.some((id) => there.has(id));
  });
  const snapshotsExpired = progress.snapshotsExpired + ids.length;
  return { progress: { ...progress, snapshotsExpired }, receipt: told(result) };
}

export function oldSnapshots(health: TableHealth): readonly SnapshotInfo[] {
  const heads = new Set(health.refs.map((ref) => ref.snapshotId));
  if (health.snapshotId !== null) heads.add(health.snapshotId);
  return health.snapshots.filter((one) => !heads.has(one.snapshotId));
}

/** Another batch that is half-way here counts in a snapshot of before: it comes to its end first. */
async function refuseUncounted({ deps, table, batchId }: StepContext): Promise<void> {
  const open = await deps.erasures.listRequests({ states: ['forgetting'], limit: OPEN_MAX });
  const batches = new Set(open.map((one) => one.batchId).filter((one) => one !== null));
  batches.delete(batchId);
  for (const other of batches) {
    const progress = await readProgress(deps, other, table);
    if (progress?.unproven !== true) continue;
    const message = `${table}: another erasure (${other}) has not counted to its end`;
    throw new IcewrightError('TableBusy', message, { table });
  }
}

async function refusePinned({ deps, table, health }: StepContext): Promise<void> {
  const pins = await deps.ledger.livePins(table, new Date(deps.nowMs()).toISOString());
  const pinned = oldSnapshots(health).find((one) => pins.includes(one.snapshotId));
  if (pinned === undefined) return;
  const message = `${table}: a run that is going on reads snapshot ${pinned.snapshotId}`;
  throw new IcewrightError('TableBusy', message, { table });
}
