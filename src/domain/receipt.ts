/** What came of an operation. */
import type { EngineName } from './engine.ts';
import type { ErrorCode } from './errors.ts';
import type { CompactStrategy, Estimate, OperationKind } from './operation.ts';
import type { OrphanCounts } from './orphans/operation.ts';

export type ReceiptStatus = 'done' | 'noop' | 'failed' | 'refused';

export interface InvariantCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What later plans want to know of how an operation was planned. */
export interface PlannedReceipt {
  readonly estimate: Estimate | null;
  readonly strategy: CompactStrategy | null;
  readonly columns: readonly string[];
  readonly rewriteAll: boolean;
}

/** What one executed operation did. Written once to the ledger, never changed. */
export interface Receipt {
  readonly operation: OperationKind | 'transform' | 'erase';
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
  /** The snapshot that main was moved back to, because an invariant was broken. */
  readonly rolledBackTo?: string;
  /** What a person should know besides: a lost answer, somebody else's commit meanwhile. */
  readonly notes?: readonly string[];
  /** What the plan expected of it; absent: it was not planned, or by an older version. */
  readonly planned?: PlannedReceipt;
  /** Sequence number of the head after it; `null`: the table tells none. */
  readonly sequenceAfter?: number | null;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** Only of `remove_orphans`. */
  readonly orphans?: OrphanCounts;
}

/** What a receipt says where nothing was done, or nobody has told. */
export const NOTHING_DONE = {
  bytesRewritten: 0,
  filesRemoved: 0,
  rowsWritten: 0,
  engineOperationId: null,
  reattached: false,
  invariants: [],
  error: null,
} as const satisfies Partial<Receipt>;
