import type { BeforeOperation } from '../domain/before-operation.ts';
import type { TableReport } from '../domain/health/health.ts';
import type { HistoryCutoffs } from '../domain/health/history.ts';
import type { JobOutcome } from '../domain/job.ts';
import type { Plan, TablePlan } from '../domain/operation.ts';
import type { OrphanLook } from '../domain/orphans/look-record.ts';
import type { PauseEvent } from '../domain/policy/pause.ts';
import type { HistoryPoint } from '../domain/policy/replay.ts';
import type { Receipt } from '../domain/receipt.ts';

export type RunKind = 'nightly' | 'transform' | 'maintenance';
export type RunState = 'queued' | 'running' | 'done' | 'failed' | 'refused' | 'cancelled';

export interface RunRow {
  readonly runId: string;
  readonly kind: RunKind;
  /** Table key, or `null` for a nightly. */
  readonly table: string | null;
  /** Model name or operation list, for people. */
  readonly title: string;
  readonly parentRunId: string | null;
  readonly workflowId: string;
  readonly planId: string | null;
  readonly state: RunState;
  /** `schedule:<name>`, `cli:<user>`, `nightly:<runId>`. */
  readonly requestedBy: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** What the run came to, `null` while it has not ended (and always for a nightly). */
  readonly outcome: JobOutcome | null;
}

/** An operation that was begun. The row exists before the engine hears of it. */
export interface StartedOperation {
  readonly runId: string;
  readonly ordinal: number;
  readonly table: string;
  readonly operation: Receipt['operation'];
  readonly engine: Receipt['engine'];
  /** What the table was before; kept from the first attempt. */
  readonly before: BeforeOperation;
  readonly startedAt: string;
}

export interface Ledger {
  savePlan(plan: Plan, digest: string): Promise<Plan>;
  /** The digest that was stored with a plan; `null`: there is no such plan. */
  readPlanDigest(planId: string): Promise<string | null>;
  readPlan(planId: string): Promise<Plan | null>;
  /** Inserts, or updates state, times and error of the row that is there. */
  saveRun(run: RunRow): Promise<void>;
  readRun(runId: string): Promise<RunRow | null>;
  listRuns(filter: RunFilter): Promise<readonly RunRow[]>;
  /** Runs of a table that have begun and not told their end. */
  runningRuns(
    table: string,
  ): Promise<readonly { readonly runId: string; readonly workflowId: string }[]>;
  /** Returns the row of the first attempt when there is one. */
  startOperation(started: StartedOperation): Promise<StartedOperation>;
  /** The row of an earlier attempt, if there was one. */
  readStartedOperation(runId: string, ordinal: number): Promise<StartedOperation | null>;
  /**
   * Writes once; a second receipt for the same run and ordinal is ignored and the first returned.
   */
  saveReceipt(runId: string, ordinal: number, table: string, receipt: Receipt): Promise<Receipt>;
  readReceipt(runId: string, ordinal: number): Promise<Receipt | null>;
  listReceipts(runId: string): Promise<readonly (Receipt & { readonly table: string })[]>;
  /** The last receipts of a table whatever they are of, newest first. */
  recentReceipts(table: string, limit: number): Promise<readonly Receipt[]>;
  /**
   * The last `limit` receipts of each operation, and of each way in which it ended; newest first.
   * For cadence and breaker: many of one kind never hide those of another.
   */
  receiptsOfEach(table: string, limit: number): Promise<readonly Receipt[]>;
  /** Everything that ended in a span of time, whatever its table; oldest first. */
  receiptsBetween(
    since: string,
    until: string,
  ): Promise<readonly (Receipt & { readonly table: string })[]>;
  recordPause(event: PauseEvent): Promise<void>;
  /** The log of pauses and resumes, oldest first. */
  pauseEvents(): Promise<readonly PauseEvent[]>;
  /** Records policies that take effect; answers whether they differ from those before. */
  recordPolicies(version: PolicyVersion): Promise<boolean>;
  /** The policies that took effect last; `null`: none were recorded yet. */
  appliedPolicies(): Promise<PolicyVersion | null>;
  /** A run pins the snapshots it reads; expiry honours live pins. */
  pinSnapshots(runId: string, pins: readonly SnapshotPin[], expiresAt: string): Promise<void>;
  unpinSnapshots(runId: string): Promise<void>;
  /** Snapshot ids of a table that a live run reads. */
  livePins(table: string, now: string): Promise<readonly string[]>;
  /** The last report of each table of a catalog, with the tag of the metadata it is true of. */
  latestReports(catalog: string): Promise<readonly StoredReport[]>;
  /** What was saved since an earlier answer; `mark` of that answer, `null`: everything. */
  reportsSince(catalog: string, mark: string | null): Promise<ReportsSince>;
  /** Becomes the latest of its table and, unless it failed, one point of its history. */
  saveReports(reports: readonly StoredReport[]): Promise<void>;
  /** Forgets tables that the catalog no longer lists. */
  forgetReports(catalog: string, tables: readonly string[]): Promise<void>;
  /** Points of a table, oldest first; the first one is what held at `sinceMs`. */
  healthHistory(table: string, sinceMs: number): Promise<readonly HealthPoint[]>;
  /** The same of many tables at once; a table without a point is left out. */
  healthHistories(
    tables: readonly string[],
    sinceMs: number,
  ): Promise<ReadonlyMap<string, readonly HealthPoint[]>>;
  /** Thins the history out by hour and by day; answers how many points are gone. */
  rollUpHistory(cutoffs: HistoryCutoffs): Promise<number>;
  /** Written once: answers the look that stands under its id. */
  saveLook(look: OrphanLook): Promise<OrphanLook>;
  readLook(lookId: string): Promise<OrphanLook | null>;
  /** Id of the newest list of a table with this digest that was kept for a person's consent. */
  approvalLook(table: string, digest: string): Promise<string | null>;
  /** The newest first look of a table that was taken at `until` or before. */
  lastLook(table: string, until: string): Promise<OrphanLook | null>;
  /** What the last sweep concluded; a table that none has looked at is left out. */
  sweepNotes(tables: readonly string[]): Promise<ReadonlyMap<string, SweepNote>>;
  saveSweepNotes(notes: readonly SweepNote[]): Promise<void>;
  /** Kept until the sweep has chosen; a plan of the same table is replaced. */
  saveSweepPlans(sweepId: string, plans: readonly SweepPlan[]): Promise<void>;
  sweepPlans(sweepId: string): Promise<readonly SweepPlan[]>;
  forgetSweepPlans(sweepId: string): Promise<void>;
  /** Of the last compactions, by engine. */
  engineWork(limit: number): Promise<readonly EngineWork[]>;
}

/** What a sweep concluded of a table. */
export interface SweepNote {
  readonly table: string;
  /** Of the metadata that it is true of; `null`: the catalog sends none. */
  readonly etag: string | null;
  /** Digest of all rules under which it is true. */
  readonly rules: string;
  /** Nothing to do before then; `null`: something is to be done. */
  readonly quietUntilMs: number | null;
  /** Since when it was not chosen, though it had something to do. */
  readonly waitingSinceMs: number | null;
}

/** A table among which a sweep chooses. */
export interface SweepPlan {
  readonly plan: TablePlan;
  readonly correction: number;
  readonly waitingSinceMs: number | null;
}

export interface EngineWork {
  readonly engine: string;
  readonly bytes: number;
  readonly seconds: number;
}

/** The policies that took effect at some time, as they were written. */
export interface PolicyVersion {
  /** SHA-256 over names and texts. */
  readonly digest: string;
  /** File name, without its folder → its text. */
  readonly documents: Readonly<Record<string, string>>;
  /** `worker`, `cli:<user>` */
  readonly appliedBy: string;
  readonly appliedAt: string;
}

export interface ReportsSince {
  readonly reports: readonly StoredReport[];
  /** What the next question begins with. */
  readonly mark: string;
}

export interface StoredReport extends TableReport {
  /** `null`: the catalog sends none, or the table could not be measured. */
  readonly etag: string | null;
  /** Where the table lies; `null`: it was never measured. */
  readonly location: string | null;
  /**
   * All places where it keeps files, as last measured; absent: not measured since they are kept.
   */
  readonly places?: readonly string[];
}

/** One point of a table's history. */
export interface HealthPoint extends HistoryPoint {
  readonly score: number | null;
}

export interface SnapshotPin {
  readonly table: string;
  readonly snapshotId: string;
}

export interface RunFilter {
  readonly table?: string;
  readonly kind?: RunKind;
  readonly parentRunId?: string;
  readonly states?: readonly RunState[];
  readonly limit: number;
}
