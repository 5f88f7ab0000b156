/** The erasure's activities as workflows see them. Types only; ids and counts, no personal data. */
import type { TableStep } from '../../domain/erasure/table-steps.ts';
import type { Receipt } from '../../domain/receipt.ts';

/** What a request's workflow is to do next, as the ledger stands. */
export type ErasureStep =
  /** Look for the subject in every ref of every table that is mapped. */
  | { readonly kind: 'find' }
  /** Nothing but a change by a person, or time, moves it on. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Approved: to be forgotten together with others. */
  | { readonly kind: 'join' }
  | { readonly kind: 'end' };

/** Requests that are forgotten together. */
export interface ClosedBatch {
  readonly batchId: string;
  readonly requestIds: readonly string[];
  /** In the order in which they are worked through: what others are made from first. */
  readonly tables: readonly string[];
  /** Also where nothing had to be forgotten. */
  readonly verified: readonly string[];
  /** Models that run again afterwards, in order, with the table that each writes. */
  readonly models: readonly { readonly model: string; readonly table: string }[];
}

export interface TableStepInput {
  readonly table: string;
  readonly runId: string;
  readonly batchId: string;
  readonly step: TableStep;
  /** Of the step within the run. */
  readonly ordinal: number;
}

export interface VerifiedTable {
  readonly table: string;
  /** Requests whose subject was met. */
  readonly failed: readonly string[];
  /** What cannot be certified yet but may be later, as a sentence; `null`: nothing. */
  readonly waitingFor: string | null;
  /** Traces that it waits to meet again: hashes. */
  readonly suspects?: readonly string[];
}

export interface ErasureActivities {
  nextErasureStep(input: { readonly requestId: string }): Promise<ErasureStep>;
  /** Puts the request into the batch that is open, which starts when it is the first. */
  joinBatch(input: { readonly requestId: string }): Promise<void>;
  /** Milliseconds since 1970 at which the batch takes no further request. */
  batchClosesAt(input: { readonly batchId: string }): Promise<number>;
  /** From now on they are being forgotten; those that are held or paused drop out. */
  closeBatch(input: { readonly batchId: string }): Promise<ClosedBatch>;
  forgetSources(input: { readonly batchId: string }): Promise<void>;
  /** Tells the requests what their batch waits for; `null`: nothing any more. */
  noteBatch(input: {
    readonly batchId: string;
    readonly waitingFor: { readonly code: string; readonly message: string } | null;
  }): Promise<void>;
  /** A check of what was done came out wrong: the requests have failed, with this error. */
  failBatch(input: {
    readonly batchId: string;
    readonly error: { readonly code: string; readonly message: string };
  }): Promise<void>;
  /** The same as `noteBatch`, for one request that is in no batch. */
  noteRequest(input: {
    readonly requestId: string;
    readonly waitingFor: { readonly code: string; readonly message: string } | null;
  }): Promise<void>;
  /** All tables are done: from now on it is verified. */
  beginVerification(input: { readonly batchId: string }): Promise<void>;
  /** Certificates for those without a trace; the others fail. Wakes their workflows. */
  finishBatch(input: { readonly batchId: string }): Promise<void>;
}

export interface ErasureEngineActivities {
  findSubject(input: { readonly requestId: string }): Promise<void>;
  /**
   * After the sources have forgotten: what came into the lake meanwhile is found as well, and refs
   * are looked at again. Rejects while an ingestion that began before is under way.
   */
  lookAgain(input: { readonly batchId: string }): Promise<void>;
  /** Tables of which a ref still reaches old files, and nobody took that on themselves. */
  findBlocked(input: { readonly batchId: string }): Promise<readonly string[]>;
  eraseStep(input: TableStepInput): Promise<Receipt>;
  verifyTable(input: {
    readonly batchId: string;
    readonly table: string;
    /** What the reading before told: met twice, it is a trace whoever else wrote meanwhile. */
    readonly suspects?: readonly string[];
  }): Promise<VerifiedTable>;
}
