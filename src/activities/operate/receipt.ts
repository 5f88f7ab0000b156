/** From what an operation found before and after it to its receipt. */
import { hasChanged } from '../../domain/effect.ts';
import type { EngineName } from '../../domain/engine.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { commitsSince } from '../../domain/invariants.ts';
import type { Decision, Operation } from '../../domain/operation.ts';
import { NOTHING_DONE, type PlannedReceipt, type Receipt } from '../../domain/receipt.ts';
import { snapshotsSince } from '../../domain/reconcile.ts';
import type { StartedOperation } from '../ledger-port.ts';
import type { OperateInput } from '../types.ts';

/** One decision of a plan on its way. */
export interface Step extends OperateInput {
  readonly decision: Decision;
  readonly operation: Operation;
  readonly engine: EngineName;
}

/** `after`: `null` when the table is gone; then the figures are those from before. */
export function receiptOf(
  step: Pick<Step, 'operation' | 'engine'> & { readonly decision?: Decision },
  { before, startedAt }: Pick<StartedOperation, 'before' | 'startedAt'>,
  after: TableHealth | null,
  nowMs: number,
  told: Partial<Receipt> & Pick<Receipt, 'status'>,
): Receipt {
  return {
    ...changeSince({ before, startedAt }, after, nowMs),
    operation: step.operation.kind,
    engine: step.engine,
    ...(step.decision === undefined ? {} : { planned: plannedOf(step.operation, step.decision) }),
    sequenceAfter: after === null ? null : headSequence(after),
    ...told,
  };
}

/** The figures of a table before and now; what nobody has told counts as nothing. */
export function changeSince(
  { before, startedAt }: Pick<StartedOperation, 'before' | 'startedAt'>,
  after: TableHealth | null,
  nowMs: number,
): Omit<Receipt, 'operation' | 'engine' | 'status'> {
  return {
    startedAt,
    finishedAt: new Date(nowMs).toISOString(),
    snapshotBefore: before.snapshotId,
    snapshotAfter: after === null ? null : after.snapshotId,
    filesBefore: before.files,
    filesAfter: after?.dataFiles ?? before.files,
    bytesBefore: before.bytes,
    bytesAfter: after?.totalBytes ?? before.bytes,
    snapshotsBefore: before.snapshots,
    snapshotsAfter: after?.snapshots.length ?? before.snapshots,
    ...NOTHING_DONE,
  };
}

function plannedOf(operation: Operation, { estimate }: Decision): PlannedReceipt {
  const compact = operation.kind === 'compact' ? operation : null;
  return {
    estimate,
    strategy: compact?.strategy ?? null,
    columns: compact?.columns ?? [],
    rewriteAll: compact?.rewriteAll ?? false,
  };
}

function headSequence({ snapshots, snapshotId }: TableHealth): number | null {
  const head = snapshots.find((one) => one.snapshotId === snapshotId);
  return head === undefined || head.sequenceNumber === 0 ? null : head.sequenceNumber;
}

/** Whether an operation that went well has changed anything. */
export function statusOf(
  operation: Operation,
  { before }: StartedOperation,
  after: TableHealth,
): 'done' | 'noop' {
  switch (operation.kind) {
    case 'compact':
    case 'rewrite_deletes':
    case 'rewrite_manifests':
      return commitsSince(operation, before, after).ours.length > 0 ? 'done' : 'noop';
    case 'expire_snapshots': {
      const there = new Set(after.snapshots.map((one) => one.snapshotId));
      const gone = operation.snapshotIds.some((id) => !there.has(id));
      return gone ? 'done' : 'noop';
    }
    default:
      return hasChanged(operation, before, after) ? 'done' : 'noop';
  }
}

/** What the summaries of our snapshots say, where the engine told nothing. */
export function bytesReplaced(started: StartedOperation, after: TableHealth): number {
  return snapshotsSince(after, started.before.snapshotId)
    .filter((snapshot) => snapshot.operation === 'replace')
    .reduce((sum, { summary }) => sum + Number(summary['removed-files-size'] ?? 0), 0);
}
