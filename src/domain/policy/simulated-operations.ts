/** The operations that a recorded history can tell of: when they would be due and what they do. */
import type { OperationKind } from '../operation.ts';
import type { Receipt } from '../receipt.ts';
import type { MaintenanceSettings } from './policy.ts';
import type { ReplayState } from './replay.ts';
import { evaluateTrigger, type Measured, type Trigger } from './trigger.ts';

export const SIMULATED = [
  'rewrite_deletes',
  'compact',
  'rewrite_manifests',
  'expire_snapshots',
  'remove_orphans',
  'compute_statistics',
] as const satisfies readonly OperationKind[];

export interface Candidate {
  readonly kind: (typeof SIMULATED)[number];
  /** Rewritten; `null`: the history does not tell. */
  readonly bytes: number | null;
  readonly filesSaved: number;
  /** Oldest commits that would go; only of expiry. */
  readonly snapshots: number;
}

export interface CandidateInput {
  readonly settings: MaintenanceSettings;
  readonly receipts: readonly Receipt[];
  readonly nowMs: number;
  readonly bornAtMs: number | null;
}

/** Operations whose trigger is met and that would change something. */
export function candidatesOf(state: ReplayState, input: CandidateInput): readonly Candidate[] {
  const { settings } = input;
  const reduction = reductionOf(state, settings.compact);
  const expirable = expirableOf(state, settings.expire, input.nowMs);
  const measured = measuredOf(state, { reduction, expirable, nowMs: input.nowMs });
  const plain = { bytes: null, filesSaved: 0, snapshots: 0 };
  const found: readonly (Candidate & { readonly worth: boolean })[] = [
    { ...plain, kind: 'rewrite_deletes', worth: state.deleteFiles >= 2 },
    {
      ...plain,
      kind: 'compact',
      worth: (reduction ?? 0) > 0,
      bytes: state.smallBytes ?? meanBytes(state),
      filesSaved: reduction ?? 0,
    },
    { ...plain, kind: 'rewrite_manifests', worth: (state.manifests ?? 0) > 1 },
    { ...plain, kind: 'expire_snapshots', worth: expirable > 0, snapshots: expirable },
    { ...plain, kind: 'remove_orphans', worth: true },
    { ...plain, kind: 'compute_statistics', worth: committedSince(state, input) },
  ];
  return found.filter(({ kind, worth }) => {
    const policy = settingsOf(kind, settings);
    if (!worth || !policy.enabled) return false;
    const hours = hoursSince(kind, input);
    return evaluateTrigger(policy.trigger, { ...measured, hours_since_last_run: hours }).met;
  });
}

function settingsOf(
  kind: Candidate['kind'],
  settings: MaintenanceSettings,
): { readonly enabled: boolean; readonly trigger: Trigger } {
  const byKind = {
    rewrite_deletes: settings.rewriteDeletes,
    compact: settings.compact,
    rewrite_manifests: settings.rewriteManifests,
    expire_snapshots: settings.expire,
    remove_orphans: settings.orphans,
    compute_statistics: settings.statistics,
  };
  return byKind[kind];
}

/** The table after the operation. */
export function stateAfter(state: ReplayState, done: Candidate, nowMs: number): ReplayState {
  const committed = { ...state, commitsMs: [...state.commitsMs, nowMs] };
  switch (done.kind) {
    case 'compact': {
      const dataFiles = Math.max(0, state.dataFiles - done.filesSaved);
      // Files that came out too small stay small; they are no backlog any more.
      const smallFiles =
        state.smallFiles === null ? null : Math.max(0, state.smallFiles - done.filesSaved);
      return { ...committed, dataFiles, smallFiles, backlogFiles: zeroOf(state.backlogFiles) };
    }
    case 'rewrite_deletes':
      return { ...committed, deleteFiles: 0, deleteRatio: zeroOf(state.deleteRatio) };
    case 'rewrite_manifests':
      return { ...committed, manifests: state.manifests === null ? null : 1 };
    case 'expire_snapshots':
      return { ...state, commitsMs: state.commitsMs.slice(done.snapshots) };
    case 'remove_orphans':
    case 'compute_statistics':
      return state;
  }
}

function zeroOf(value: number | null): number | null {
  return value === null ? null : 0;
}

/**
 * Files that a compaction would save. Recorded is the backlog over all partitions, at the target of
 * the time; without it the bound that the totals give, as if the table were one partition.
 */
function reductionOf(
  state: ReplayState,
  { targetFileSizeBytes, minInputFiles }: MaintenanceSettings['compact'],
): number | null {
  if (state.smallFiles === null) return null;
  if (state.smallFiles < minInputFiles) return 0;
  const bytes = state.smallBytes ?? meanBytes(state) ?? 0;
  const bound = state.smallFiles - Math.max(1, Math.ceil(bytes / targetFileSizeBytes));
  return Math.max(0, Math.min(bound, state.backlogFiles ?? bound));
}

/** Small files as if they were as large as all others: too much rather than too little. */
function meanBytes({ smallFiles, dataFiles, totalBytes }: ReplayState): number | null {
  if (smallFiles === null || dataFiles === 0) return null;
  return Math.round((totalBytes * Math.min(smallFiles, dataFiles)) / dataFiles);
}

function expirableOf(
  { commitsMs }: ReplayState,
  { olderThanMs, keepLast }: MaintenanceSettings['expire'],
  nowMs: number,
): number {
  const old = commitsMs.filter((atMs) => nowMs - atMs > olderThanMs).length;
  return Math.max(0, Math.min(old, commitsMs.length - keepLast));
}

function hoursSince(kind: OperationKind, { receipts, nowMs }: CandidateInput): number {
  const last = receipts.find(({ operation }) => operation === kind);
  if (last === undefined) return Number.POSITIVE_INFINITY;
  return (nowMs - Date.parse(last.finishedAt)) / 3_600_000;
}

function committedSince({ commitsMs }: ReplayState, { receipts }: CandidateInput): boolean {
  const last = receipts.find(({ operation }) => operation === 'compute_statistics');
  return last === undefined || (commitsMs.at(-1) ?? 0) > Date.parse(last.finishedAt);
}

const WEEK_MS = 7 * 86_400_000;

function measuredOf(
  state: ReplayState,
  told: { readonly reduction: number | null; readonly expirable: number; readonly nowMs: number },
): Omit<Measured, 'hours_since_last_run'> {
  const { commitsMs, smallFiles, dataFiles } = state;
  const age = (atMs: number | undefined) =>
    atMs === undefined ? null : (told.nowMs - atMs) / 3_600_000;
  return {
    small_files: smallFiles,
    small_files_ratio: smallFiles === null ? null : smallFiles / Math.max(1, dataFiles),
    file_reduction: told.reduction,
    data_files: dataFiles,
    total_bytes: state.totalBytes,
    delete_files: state.deleteFiles,
    delete_ratio: state.deleteRatio,
    manifests: state.manifests,
    snapshots: commitsMs.length,
    expirable_snapshots: told.expirable,
    oldest_snapshot_age_hours: age(commitsMs[0]),
    last_commit_age_hours: age(commitsMs.at(-1)),
    commits_per_day: commitsMs.filter((atMs) => atMs > told.nowMs - WEEK_MS).length / 7,
    // Of single partitions nothing is kept.
    files_per_partition_max: null,
    clustering_depth: null,
    partition_skew: null,
  };
}
