/** The steps that are statements of Spark: each takes effect once, whatever dies in between. */
import type { Statement } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { SnapshotInfo, TableHealth } from '../../domain/health/health.ts';
import { erasureSession, operationKey } from '../../domain/ids.ts';
import { snapshotsSince } from '../../domain/reconcile.ts';
import { ancestry, RUN_ID_PROPERTY } from '../../domain/watermark.ts';
import { type ExecutionResult, executeOnce } from '../execute-once.ts';
import {
  keepsOldFiles,
  measureTable,
  refuseObstacles,
  type StepContext,
  type StepResult,
} from './step-context.ts';
import type { TableProgress } from './work.ts';

const NOOP = { status: 'noop' } as const;
const MANIFEST_TARGET = 'commit.manifest.target-size-bytes';

export async function deleteRows(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  if (progress.oracle.matched === 0) return { progress, receipt: NOOP };
  const { deps, target, runId } = context;
  const statement = deps.spark.compiler.compileDelete(target, runId);
  const result = await once(context, statement, 0, (health) =>
    ancestry(health.snapshots, health.snapshotId).some(
      ({ summary }) => summary[RUN_ID_PROPERTY] === runId,
    ),
  );
  const after = await measureTable(deps, context.table);
  const ours = after.snapshots.find(({ summary }) => summary[RUN_ID_PROPERTY] === runId);
  const bytes = Number(ours?.summary['added-files-size'] ?? 0);
  const bytesRewritten = progress.bytesRewritten + bytes;
  return {
    progress: { ...progress, bytesRewritten },
    receipt: { ...told(result), bytesRewritten: bytes },
  };
}

export async function rewriteFiles(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  if (context.health.deleteFiles === 0) return { progress, receipt: NOOP };
  const { deps, target } = context;
  const statement = deps.spark.compiler.compileForcedRewrite(target);
  const result = await once(context, statement, 0, (health) => replacedSince(context, health));
  const bytes = Number(result.rows[0]?.rewritten_bytes_count ?? 0);
  const bytesRewritten = progress.bytesRewritten + bytes;
  const receipt = { ...told(result), bytesRewritten: bytes };
  return { progress: { ...progress, bytesRewritten }, receipt };
}

export async function dropDangling(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  const { deps, target, health } = context;
  if (health.deleteFiles === 0) return { progress, receipt: NOOP };
  const statement = deps.spark.compiler.compileDanglingDeletes(target);
  const result = await once(context, statement, 0, (after) => replacedSince(context, after));
  return { progress, receipt: told(result) };
}

/**
 * Until no manifest of the head names a removed file: an entry of one carries its column bounds.
 * One manifest alone is never rewritten, unless its target is smaller than itself.
 */
export async function rewriteManifests(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  const { deps, target, runId, health } = context;
  const { compiler } = deps.spark;
  // Two commits come after it within this step: it may be repeated, and then changes nothing.
  await once(context, compiler.compileManifests(target), 5, () => false);
  const mark = `${runId}.empty`;
  const summary = { ...carriedOver(health), [RUN_ID_PROPERTY]: mark };
  const result = await once(context, compiler.compileEmptyCommit(target, summary), 4, (after) =>
    after.snapshots.some((one) => one.summary[RUN_ID_PROPERTY] === mark),
  );
  const left = await once(context, compiler.compileRemovedEntries(target), 3, () => false);
  if (Number(left.rows[0]?.removed ?? 0) > 0) {
    const half = String(Math.max(1, Math.ceil(Number(left.rows[0]?.bytes ?? 2) / 2)));
    const before = health.properties[MANIFEST_TARGET] ?? null;
    await once(context, compiler.compileManifestTarget(target, half), 2, () => false);
    await once(context, compiler.compileManifests(target), 1, () => false);
    await once(context, compiler.compileManifestTarget(target, before), 0, () => false);
  }
  return { progress, receipt: told(result) };
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

async function refusePinned({ deps, table, health }: StepContext): Promise<void> {
  const pins = await deps.ledger.livePins(table, new Date(deps.nowMs()).toISOString());
  const pinned = oldSnapshots(health).find((one) => pins.includes(one.snapshotId));
  if (pinned === undefined) return;
  const message = `${table}: a run that is going on reads snapshot ${pinned.snapshotId}`;
  throw new IcewrightError('TableBusy', message, { table });
}

/** `after`: statements of this step that come after it, so that each has an identity. */
async function once(
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

/** Nobody else writes while the table is held: a replace since this step began is ours. */
function replacedSince({ started }: StepContext, health: TableHealth): boolean {
  const since = snapshotsSince(health, started.before.snapshotId);
  return since.some((one) => one.operation === 'replace');
}

function told({ engineOperationId, reattached }: ExecutionResult) {
  return { status: 'done', engineOperationId, reattached } as const;
}
