/** What each operation would be on a table, and what speaks for and against it. */

import type { TableHealth } from '../health/health.ts';
import type { Estimate, Operation, OperationKind, Reason, Receipt } from '../operation.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import type { Trigger } from '../policy/trigger.ts';
import { ancestry, type Consumers } from '../watermark.ts';
import { capabilityOf, type Route, route } from './capability.ts';
import { estimateBinpack } from './estimate.ts';
import type { ExpiryPlan } from './expiry.ts';
import { expiryReasons, refusalReason, unknownColumns } from './reasons.ts';

export interface PlanTableInput {
  readonly health: TableHealth;
  readonly policy: EffectivePolicy;
  /** Of this table, newest first; 50 are plenty. */
  readonly recentReceipts: readonly Receipt[];
  /** Snapshot ids that live runs read. */
  readonly pinned: readonly string[];
  readonly consumers: Consumers;
  readonly nowMs: number;
}

/** What one operation adds to the common rules. */
export interface Proposal {
  readonly kind: OperationKind;
  readonly enabled: boolean;
  readonly trigger: Trigger;
  /** Why it must not run whatever the trigger says: shown as a refusal. */
  readonly refusals: readonly Reason[];
  /** Conditions besides the trigger: would it change anything? */
  readonly worth: readonly Reason[];
  readonly route: Route;
  readonly operation: Operation;
  readonly estimate: Estimate | null;
}

export function propose(kind: OperationKind, input: PlanTableInput, expiry: ExpiryPlan): Proposal {
  switch (kind) {
    case 'compact':
      return proposeCompact(input);
    case 'rewrite_manifests':
      return proposeManifests(input);
    case 'expire_snapshots':
      return proposeExpiry(input, expiry);
  }
}

function proposeCompact({ health, policy, recentReceipts }: PlanTableInput): Proposal {
  const { engine, strategy, columns, targetFileSizeBytes, minInputFiles, ...rest } =
    policy.settings.compact;
  const estimate = estimateBinpack(health, { targetFileSizeBytes, minInputFiles });
  const wanting =
    strategy !== 'binpack' && columns.length === 0
      ? refusalReason('columns', `${strategy} needs columns, and no policy names any`)
      : unknownColumns(health, columns);
  return {
    kind: 'compact',
    enabled: rest.enabled,
    trigger: rest.trigger,
    refusals: wanting === null ? [] : [wanting],
    worth: [worthCompacting(estimate?.reduction ?? null), freshToCompact(health, recentReceipts)],
    route: route(capabilityOf('compact', strategy), engine, health.formatVersion),
    operation: {
      kind: 'compact',
      strategy,
      columns: strategy === 'binpack' ? [] : columns,
      where: null,
      targetFileSizeBytes,
      minInputFiles,
      rewriteAll: false,
    },
    estimate: estimate === null ? null : pickEstimate(estimate),
  };
}

function pickEstimate({ filesBefore, filesAfter, bytesRewritten }: Estimate): Estimate {
  return { filesBefore, filesAfter, bytesRewritten };
}

function worthCompacting(reduction: number | null): Reason {
  return {
    metric: 'file_reduction',
    value: reduction,
    threshold: 1,
    met: reduction !== null && reduction > 0,
    because:
      reduction === null
        ? 'the manifests were not read, so what a compaction would gain is not known'
        : `a compaction would leave ${reduction} files fewer`,
  };
}

/** The last compaction found nothing to gain, and no rows were written since: nor will this one. */
function freshToCompact(health: TableHealth, receipts: readonly Receipt[]): Reason {
  const last = receipts.find((receipt) => receipt.operation === 'compact');
  const vain =
    last !== undefined &&
    (last.status === 'noop' || (last.status === 'done' && last.filesAfter >= last.filesBefore));
  const same = vain && holdsSameRows(health, last.snapshotAfter);
  return {
    metric: 'written_since_vain_compaction',
    value: !same,
    threshold: true,
    met: !same,
    because: same
      ? `the compaction of ${last.finishedAt} gained nothing, and nothing was written since`
      : 'no earlier compaction of the same files was in vain',
  };
}

/** Only snapshots that rearrange files lie between the head and `snapshotId`. */
function holdsSameRows(health: TableHealth, snapshotId: string | null): boolean {
  for (const snapshot of ancestry(health.snapshots, health.snapshotId)) {
    if (snapshot.snapshotId === snapshotId) return true;
    if (snapshot.operation !== 'replace') return false;
  }
  return false;
}

function proposeManifests({ health, policy, recentReceipts }: PlanTableInput): Proposal {
  const { enabled, engine, trigger } = policy.settings.rewriteManifests;
  const last = recentReceipts.find(
    (receipt) =>
      receipt.operation === 'rewrite_manifests' &&
      (receipt.status === 'done' || receipt.status === 'noop'),
  );
  const same = last !== undefined && last.snapshotAfter === health.snapshotId;
  return {
    kind: 'rewrite_manifests',
    enabled,
    trigger,
    refusals: [],
    worth: [
      {
        metric: 'committed_since_last_rewrite',
        value: !same,
        threshold: true,
        met: !same,
        because: same
          ? `nothing was committed since the manifests were rewritten at ${last.finishedAt}`
          : 'the manifests of this snapshot were not rewritten yet',
      },
    ],
    route: route('rewrite_manifests', engine, health.formatVersion),
    operation: { kind: 'rewrite_manifests' },
    estimate: null,
  };
}

function proposeExpiry({ health, policy }: PlanTableInput, expiry: ExpiryPlan): Proposal {
  const { enabled, trigger } = policy.settings.expire;
  const ids = expiry.kind === 'expire' ? expiry.snapshotIds : [];
  return {
    kind: 'expire_snapshots',
    enabled,
    trigger,
    refusals: expiry.kind === 'refuse' ? [refusalReason(expiry.metric, expiry.because)] : [],
    worth: expiry.kind === 'refuse' ? [] : expiryReasons(expiry),
    route: route('expire_snapshots', 'auto', health.formatVersion),
    operation: { kind: 'expire_snapshots', snapshotIds: ids },
    estimate: null,
  };
}
