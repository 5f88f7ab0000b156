/** The activities as workflows see them: names, arguments and results. Types only. */
import type { EngineName } from '../domain/engine.ts';
import type { Job, JobOutcome, Requester, TransformOutcome } from '../domain/job.ts';
import type { NightModel } from '../domain/model/graph.ts';
import type { OperationKind } from '../domain/operation.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { TableStepInput } from './erasure/types.ts';

export interface OpenRunInput {
  readonly table: string;
  readonly job: Job;
  readonly workflowId: string;
}

/** What a maintenance run will walk. Kept small: the plan itself stays in the ledger. */
export interface OpenedRun {
  readonly planId: string;
  readonly steps: readonly PlannedStep[];
  /** The receipts of decisions that were refused: nothing runs for them. */
  readonly refused: readonly Receipt[];
}

export interface PlannedStep {
  /** Index of the decision within the table's plan. */
  readonly ordinal: number;
  readonly kind: OperationKind;
  readonly engine: EngineName;
  /** Of its statements in the engine; runs that began without it use that of the kind. */
  readonly session?: string;
}

export interface OperateInput {
  readonly table: string;
  readonly runId: string;
  readonly planId: string;
  readonly ordinal: number;
  /** The snapshot that must still be the head; `undefined`: as the plan pinned it. */
  readonly expectedSnapshotId?: string | null;
  /** Rows may have been added since: nobody has approved of exactly this plan. */
  readonly appendsAllowed?: boolean;
}

export interface OpenedTransform {
  readonly engine: EngineName;
  readonly outcome: TransformOutcome | null;
  /** Input table → snapshot id, pinned in the ledger for the length of the run. */
  readonly inputs: Readonly<Record<string, string>>;
}

export interface TransformInput {
  readonly table: string;
  readonly runId: string;
  readonly model: string;
  readonly inputs: Readonly<Record<string, string>>;
}

export interface TransformResult {
  readonly outcome: TransformOutcome;
  readonly receipt: Receipt;
}

export interface PlannedNight {
  /** In topological order. */
  readonly models: readonly NightModel[];
}

export interface PlannedMaintenance {
  readonly planId: string;
  /** Tables for which the plan has something to run. */
  readonly tables: readonly string[];
}

export interface ControlActivities {
  /** Puts a job into the queue of its table; the table's workflow signals the requester. */
  submitTableJob(input: {
    readonly table: string;
    readonly job: Job;
    readonly requester: Requester;
  }): Promise<void>;
  /** The outcome of a run that has ended, `null` while it has not. */
  readOutcome(runId: string): Promise<JobOutcome | null>;
  planNight(input: { readonly models: readonly string[] }): Promise<PlannedNight>;
  planMaintenance(input: {
    readonly tables: readonly string[];
    readonly runId: string;
  }): Promise<PlannedMaintenance>;
  openRun(input: OpenRunInput): Promise<OpenedRun>;
  openTransform(input: OpenRunInput): Promise<OpenedTransform>;
  openErasure(input: OpenRunInput): Promise<void>;
  recordQueued(input: OpenRunInput): Promise<void>;
  closeRun(input: OpenRunInput & { readonly outcome: JobOutcome }): Promise<void>;
  openNight(input: {
    readonly runId: string;
    readonly workflowId: string;
    readonly kind: 'nightly' | 'transform';
    readonly requestedBy: string;
  }): Promise<void>;
  closeNight(input: {
    readonly runId: string;
    readonly state: JobOutcome['state'];
    readonly message: string | null;
  }): Promise<void>;
}

export interface EndInput {
  readonly engine: EngineName;
  /** Of the activity's last statement, as the activity derived it. */
  readonly key: string;
  readonly session: string;
  /** That the activity may have begun; absent: as many as an operation has. */
  readonly statements?: number;
}

export interface EngineActivities {
  /** Ends what an activity without an answer may have left running in the engine. */
  endStatement(input: EndInput): Promise<void>;
  runOperation(input: OperateInput): Promise<Receipt>;
  runModel(input: TransformInput): Promise<TransformResult>;
  /** One step of an erasure in one table. */
  eraseStep(input: TableStepInput): Promise<Receipt>;
}

export interface SweepTablesInput {
  readonly catalog: string;
  readonly tables: readonly string[];
  /** `true`: everything is read anew, also where the catalog would say that nothing changed. */
  readonly full: boolean;
}

export interface SweptTables {
  readonly measured: number;
  readonly unchanged: number;
  /** Tables that could not be measured; each carries the finding `unreadable`. */
  readonly failed: readonly string[];
}

export interface CloseSweepInput {
  readonly catalog: string;
  readonly sweep: number;
  /** `null`: asked for by hand. */
  readonly dueAt: string | null;
  /** Due times that it made up for. */
  readonly missed: number;
  readonly startedAtMs: number;
  readonly intervalMs: number;
}

/** The state of a catalog after a sweep, small enough for a workflow's history. */
export interface ClosedSweep {
  readonly tables: number;
  readonly failing: number;
  readonly findings: number;
  /** At most ten. */
  readonly worst: readonly WorstTable[];
}

export interface WorstTable {
  readonly table: string;
  /** 0 to 100; `null`: it was never measured. */
  readonly score: number | null;
  /** Codes of its findings, at most five. */
  readonly findings: readonly string[];
}

export interface HealthPage {
  readonly tables: readonly string[];
  /** The page was full, and there are more. */
  readonly more: boolean;
}

export interface HealthActivities {
  /** Names of tables behind `after`, in order. */
  listHealthTables(input: {
    readonly catalog: string;
    readonly after: string | null;
  }): Promise<HealthPage>;
  /** Measures what changed and stores the reports. */
  sweepTables(input: SweepTablesInput): Promise<SweptTables>;
  /** What needs all tables: those that are gone, shared locations, the gauges. */
  closeSweep(input: CloseSweepInput): Promise<ClosedSweep>;
  /** Thins the history out. */
  rollUpHealth(input: { readonly catalog: string }): Promise<{ readonly removed: number }>;
}
