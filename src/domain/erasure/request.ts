/** A request to forget one subject, from its intake to its end. Holds no personal data. */
import type { ErrorCode } from '../errors.ts';

export const ERASURE_STATES = [
  'requested',
  'found',
  'awaiting_approval',
  'forgetting',
  'verifying',
  'done',
  'refused',
  'cancelled',
  'failed',
] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];

/** A request in one of these has come to its end; its subject's values are destroyed. */
export const ENDED_STATES: readonly ErasureState[] = ['done', 'refused', 'cancelled'];

export interface ErasureRequest {
  readonly requestId: string;
  /** Kind of subject: `customer`. */
  readonly subject: string;
  /** HMAC-SHA-256 of the subject's key, hex: equal for equal subjects of one installation. */
  readonly subjectHash: string;
  readonly state: ErasureState;
  readonly ground: string;
  /** `cli:<user>`, `api:<user>` */
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly deadlineAt: string;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  /** The account by which it was approved, whatever name was given with it. */
  readonly approvedAccount: string | null;
  /** Nothing is forgotten while a legal hold stands. */
  readonly hold: { readonly by: string; readonly at: string; readonly because: string } | null;
  readonly pausedBy: string | null;
  /** What was found, table by table and ref by ref. */
  readonly found: readonly FoundInTable[];
  /** Tables that were there whenever it was looked for: none of them may get out of sight. */
  readonly seen: readonly SeenTable[];
  /** Identifiers of which a value was left out, because rows of other people hold it as well. */
  readonly sharedIdentifiers: readonly string[];
  /** What keeps it from going on, with what to do about each. */
  readonly blockers: readonly Blocker[];
  /** When forgetting first began, after which there is no way back; `null`: not yet. */
  readonly forgettingAt: string | null;
  /** The batch of requests that it is forgotten with. */
  readonly batchId: string | null;
  /** All that it was ever put into, in order: what earlier tries did and met still counts. */
  readonly batches: readonly string[];
  readonly certificateId: string | null;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  readonly updatedAt: string;
}

export interface FoundInTable {
  readonly table: string;
  readonly refs: readonly FoundInRef[];
}

export interface FoundInRef {
  readonly name: string;
  readonly type: 'branch' | 'tag';
  readonly rows: number;
  /** Data files that hold them. */
  readonly files: number;
  readonly bytes: number;
  /** What was looked at: as long as the ref stays there, it is not looked at again. */
  readonly snapshotId?: string;
}

/** A table as it was when the subject was looked for. */
export interface SeenTable {
  readonly table: string;
  /** `null`: it could not be read. */
  readonly tableUuid: string | null;
  /** Folders with its files; none: not known. */
  readonly places: readonly string[];
  /** Rows of the subject in main, and in all other refs: the most that were found at a time. */
  readonly rows: number;
  readonly rowsElsewhere: number;
}

/** In a ref the subject is still reached; the others forbid forgetting in a table altogether. */
export const BLOCKER_KINDS = [
  'tag',
  'branch',
  'gc_disabled',
  'object_lock',
  'unreachable',
  'retention',
  'shared_place',
  'vanished',
] as const;
export type BlockerKind = (typeof BLOCKER_KINDS)[number];

/** Whether it blocks the end of a request only, and not its beginning. */
export function isRefKind(kind: BlockerKind): boolean {
  return kind === 'tag' || kind === 'branch';
}

/** Whether the exception of such a blocker lets a table's old files stay. */
export function keepsFiles(kind: BlockerKind): boolean {
  return !isRefKind(kind) && kind !== 'vanished';
}

/** A ref that still reaches the subject, or anything else that only a person may settle. */
export interface Blocker {
  readonly table: string;
  readonly kind: BlockerKind;
  readonly name: string;
  readonly because: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
  /** Recorded as a legal exception, by whom and why: then it blocks no longer. */
  readonly exception: { readonly by: string; readonly because: string } | null;
}
