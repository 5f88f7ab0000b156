/** Compaction: worth it where it leaves fewer files, or better clustered ones. */
import type { PartitionHealth, TableHealth } from '../../health/health.ts';
import type { CompactOperation, PartGain, Reason } from '../../operation.ts';
import { PARTITIONS_MAX } from '../../partition-bound.ts';
import type { CompactPolicy } from '../../policy/policy.ts';
import type { Receipt } from '../../receipt.ts';
import { ancestry } from '../../watermark.ts';
import { capabilityOf, type Route, route } from '../capability.ts';
import {
  type CompactionEstimate,
  estimateBinpack,
  estimateOfParts,
  estimateRecluster,
} from '../estimate.ts';
import { type Heat, judgeHeat } from '../hot.ts';
import { refusalReason, unknownColumns } from '../reasons.ts';
import { judgeClustering } from '../recluster.ts';
import { canName } from '../scope.ts';
import { targetReason } from '../target.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

/** What a compaction would look at: shared by the trigger's figures and by the proposal. */
export function lookAtCompaction(input: Omit<ProposalInput, 'expiry'>) {
  const { health, policy, recentReceipts, nowMs } = input;
  const { compact } = policy.settings;
  const { engine, strategy } = compact;
  const chosen = route(capabilityOf('compact', strategy), engine, health);
  const heat = heatOf(health, nowMs, chosen);
  const packing =
    health.partitionHealth === null ? null : estimateBinpack(health, compact, heat.cold);
  const clustering = judgeClustering(heat.cold, compact, recentReceipts);
  return { heat, packing, clustering, chosen };
}

/** Where partitions cannot be named in a predicate, none can be left out. */
function heatOf(health: TableHealth, nowMs: number, { engine }: Route): Heat {
  const heat = judgeHeat(health, nowMs);
  const all = (health.partitionHealth ?? []).filter((one) => one.dataFiles > 0);
  if (heat.cold.length === all.length || heat.waits || canName(keysOf(all), engine)) return heat;
  const because = 'some are being written, but partitions of this kind cannot be left out';
  const kept: Reason = { metric: 'hot_partitions', value: 0, threshold: null, met: true, because };
  return { cold: all, reasons: [kept], waits: false, coolAtMs: [] };
}

const keysOf = (all: readonly PartitionHealth[]) => all.map(({ key }) => key);

export function proposeCompact(input: ProposalInput): Proposal {
  const { health, policy, recentReceipts } = input;
  const { compact } = policy.settings;
  const { enabled, strategy, columns, trigger } = compact;
  const { heat, packing, clustering, chosen } = lookAtCompaction(input);
  const deep = clustering?.partitions ?? [];
  const mayCluster = canName(keysOf(deep), chosen.engine) || coversMost(health, deep);
  const reclusters = deep.length > 0 && mayCluster;
  const wanting =
    strategy !== 'binpack' && columns.length === 0
      ? refusalReason('columns', `${strategy} needs columns, and no policy names any`)
      : unknownColumns(health, columns);
  const estimate = reclusters ? estimateRecluster(health, compact, deep) : packing;
  const scope = estimate === null ? null : scopeOf(health, { heat, chosen }, estimate, reclusters);
  const worth = reclusters
    ? worthClustering(deep.length)
    : worthPacking(packing?.reduction ?? null);
  return {
    kind: 'compact',
    enabled,
    trigger,
    refusals: wanting === null ? [] : [wanting],
    worth: [
      targetReason(policy, health),
      ...heat.reasons,
      ...(clustering?.reasons ?? []),
      worth,
      freshToCompact(health, recentReceipts, reclusters ? deep : null),
    ],
    route: chosen,
    operation: { ...operationOf(compact, reclusters), ...scope?.named },
    estimate: estimate === null || scope === null ? null : estimateOfParts(estimate, scope.parts),
    ...(scope === null ? {} : { parts: scope.parts }),
  };
}

function operationOf(compact: CompactPolicy, rewriteAll: boolean): CompactOperation {
  const { strategy, columns, targetFileSizeBytes, minInputFiles } = compact;
  return {
    kind: 'compact',
    strategy,
    columns: strategy === 'binpack' ? [] : columns,
    where: null,
    targetFileSizeBytes,
    minInputFiles,
    rewriteAll,
  };
}

/** The partitions to name, where not simply all of the table is meant. */
function scopeOf(
  health: TableHealth,
  { heat, chosen }: { readonly heat: Heat; readonly chosen: Route },
  { parts }: CompactionEstimate,
  reclusters: boolean,
): { readonly parts: readonly PartGain[]; readonly named: Pick<CompactOperation, 'partitions'> } {
  const all = (health.partitionHealth ?? []).filter((one) => one.dataFiles > 0);
  const whole = reclusters ? parts.length === all.length : heat.cold.length === all.length;
  const keys = parts.map(({ key }) => key);
  if (whole || !canName(keys, chosen.engine)) return { parts, named: {} };
  const first = parts.slice(0, PARTITIONS_MAX);
  return { parts: first, named: { partitions: first.map(({ key }) => key) } };
}

/** Half of the table's bytes: then all of it is rewritten where its parts cannot be named. */
function coversMost(health: TableHealth, deep: readonly PartitionHealth[]): boolean {
  return 2 * deep.reduce((sum, one) => sum + one.totalBytes, 0) >= health.totalBytes;
}

function worthPacking(reduction: number | null): Reason {
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

function worthClustering(count: number): Reason {
  return {
    metric: 'badly_clustered_partitions',
    value: count,
    threshold: 1,
    met: true,
    because: `${count} partitions overlap as deeply as the trigger says: all of their files are rewritten`,
  };
}

/**
 * The last compaction found nothing to gain, and no rows were written since: nor will this one.
 * @param deep partitions to be clustered again, each of which mostly knows by itself
 */
function freshToCompact(
  health: TableHealth,
  receipts: readonly Receipt[],
  deep: readonly PartitionHealth[] | null,
): Reason {
  const last = receipts.find(({ operation, planned }) => {
    return operation === 'compact' && (planned?.rewriteAll === true) === (deep !== null);
  });
  const known = deep?.every((one) => one.newestSequence !== null) ?? false;
  const vain =
    last !== undefined &&
    !known &&
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
