/** What can be done to a table, the decision whether to do it, and what came of it. */
import type { EngineName } from './engine.ts';
import type { ErrorCode } from './errors.ts';

export type CompactStrategy = 'binpack' | 'sort' | 'zorder';

/** Rewrites data files into fewer, larger or better ordered ones. */
export interface CompactOperation {
  readonly kind: 'compact';
  readonly strategy: CompactStrategy;
  /** Sort or Z-order columns, in order; empty for bin-pack. */
  readonly columns: readonly string[];
  /** Only files that may hold rows of this predicate; `null`: the whole table. */
  readonly where: string | null;
  readonly targetFileSizeBytes: number;
  /** Fewest small files of a partition that are worth a rewrite. Iceberg's own default is 5. */
  readonly minInputFiles: number;
  /** `true`: rewrite also well-sized files (needed for sort and Z-order to re-cluster). */
  readonly rewriteAll: boolean;
}

/** Expires exactly these snapshots and nothing else. */
export interface ExpireSnapshotsOperation {
  readonly kind: 'expire_snapshots';
  readonly snapshotIds: readonly string[];
}

export interface RewriteManifestsOperation {
  readonly kind: 'rewrite_manifests';
}

export type Operation = CompactOperation | ExpireSnapshotsOperation | RewriteManifestsOperation;
export type OperationKind = Operation['kind'];

/** The order in which operations of one table run (design §5). */
export const OPERATION_ORDER: readonly OperationKind[] = [
  'compact',
  'rewrite_manifests',
  'expire_snapshots',
];

/** One measured condition: also recorded when it is not met, so that "why not" has an answer. */
export interface Reason {
  readonly metric: string;
  readonly value: number | string | boolean | null;
  readonly threshold: number | string | boolean | null;
  readonly met: boolean;
  /** A sentence for people. */
  readonly because: string;
}

export interface Estimate {
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly bytesRewritten: number;
}

export interface Decision {
  readonly kind: OperationKind;
  readonly action: 'run' | 'skip' | 'refuse';
  /** The engine that would run it; `null` when none can or it is skipped before routing. */
  readonly engine: EngineName | null;
  /** The operation exactly as it would run; `null` when skipped or refused. */
  readonly operation: Operation | null;
  readonly reasons: readonly Reason[];
  /** ISO time from which it may run; `null`: when its conditions are met. */
  readonly nextEligibleAt: string | null;
  readonly estimate: Estimate | null;
}

/** The decisions for one table, pinned to what was seen when they were taken. */
export interface TablePlan {
  readonly table: string;
  readonly tableUuid: string;
  readonly snapshotId: string | null;
  readonly decisions: readonly Decision[];
}

export interface Plan {
  readonly planId: string;
  readonly createdAt: string;
  readonly tables: readonly TablePlan[];
}

export type ReceiptStatus = 'done' | 'noop' | 'failed' | 'refused';

export interface InvariantCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What one executed operation did. Written once to the ledger, never changed. */
export interface Receipt {
  readonly operation: OperationKind | 'transform';
  readonly engine: EngineName;
  readonly status: ReceiptStatus;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly snapshotBefore: string | null;
  readonly snapshotAfter: string | null;
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly snapshotsBefore: number;
  readonly snapshotsAfter: number;
  readonly bytesRewritten: number;
  readonly filesRemoved: number;
  readonly rowsWritten: number;
  readonly engineOperationId: string | null;
  /** `true`: the execution was taken over from a worker that died. */
  readonly reattached: boolean;
  readonly invariants: readonly InvariantCheck[];
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}
