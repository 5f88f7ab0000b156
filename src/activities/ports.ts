/**
 * What activities need from the outside world. Drivers implement these; `worker/` joins the two.
 * Types only, so that workflows and drivers may see them.
 */
import type { Compiled, EngineRow, Statement } from '../domain/engine.ts';
import type { TableHealth, TableReport } from '../domain/health/health.ts';
import type { Job, Requester } from '../domain/job.ts';
import type { CompiledModel, Model, ModelContext } from '../domain/model/model.ts';
import type { Operation, TablePlan } from '../domain/operation.ts';
import type { Policy } from '../domain/policy/policy.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { TableRef } from '../domain/table.ts';
import type { RunKind, RunState } from './ledger-port.ts';
import type { OrphanVote, OrphanVoteInput } from './table-files.ts';

/** Reads tables from the Iceberg catalog; never changes one. */
export interface Catalog {
  /** All tables whose `namespace.name` matches; sorted. */
  listTables(): Promise<readonly TableRef[]>;
  /** Rejects with `TableNotFound`. */
  measureTable(table: TableRef, options: MeasureOptions): Promise<TableHealth>;
  /** One conditional request when nothing changed. `etag`: from the last measurement. */
  remeasureTable(
    table: TableRef,
    options: MeasureOptions & { readonly etag: string | null },
  ): Promise<Remeasured>;
  tableExists(table: TableRef): Promise<boolean>;
}

/** A table that is as it was at `etag`, or its health now. */
export type Remeasured =
  | { readonly changed: false }
  | { readonly changed: true; readonly etag: string | null; readonly health: TableHealth };

/**
 * Digests of manifests by path, kept for good: a manifest never changes, so none is decoded twice.
 * Without it, only memory remembers.
 */
export interface ManifestCache {
  /** Those that are there. */
  load(paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** Replaces what is there. */
  save(entries: ReadonlyMap<string, Buffer>): Promise<void>;
}

export interface MeasureOptions {
  readonly nowMs: number;
  /** `metadata`: metadata.json only. `files`: also the manifests of the head snapshot. */
  readonly depth: 'metadata' | 'files';
  /**
   * Files below 75 % of this are small. Default: the table's own target, else 128 MB where commits
   * come more than hourly, else 512 MB.
   */
  readonly targetFileSizeBytes?: number;
  /** Columns (dotted) whose clustering is wanted besides that of the table's sort order. */
  readonly clusteringColumns?: readonly string[];
}

export interface OperationOutcome {
  readonly filesRewritten: number;
  readonly filesAdded: number;
  readonly bytesRewritten?: number;
  /** Objects that were deleted from storage. */
  readonly filesRemoved?: number;
}

/** The pure half of an engine: operations and models become statements of its dialect. */
export interface Compiler {
  compileOperation(table: TableRef, operation: Operation): Compiled;
  /** What the last statement's rows say was done; `null`: the engine does not tell. */
  readOutcome(operation: Operation, rows: readonly EngineRow[]): OperationOutcome | null;
  compileModel(model: Model, context: ModelContext): CompiledModel;
  /** A statement whose one row has the live rows of a snapshot as `rows`. */
  compileRowCount(table: TableRef, snapshotId: string): Statement;
  /** Asks the engine which of these files it calls orphans; absent: it cannot be asked. */
  compileOrphanVote?(input: OrphanVoteInput): OrphanVote;
}

/** What the user wrote: policies and models, read from disk and checked. */
export interface Project {
  /** In topological order. Rejects with `ModelInvalid`, naming every fault. */
  models(): Promise<readonly Model[]>;
  /** Rejects with `PolicyInvalid`, naming every fault. */
  policies(): Promise<readonly Policy[]>;
}

/** Jobs as activities reach them; implemented over Temporal. */
export interface Jobs {
  /** Puts a job into its table's queue. */
  submit(table: string, job: Job, requester: Requester | null): Promise<void>;
  /** Whether the workflow of a run is still going on. */
  isRunning(workflowId: string): Promise<boolean>;
}

/** Counts for Prometheus; labels never hold personal data. */
export interface Meter {
  operationEnded(receipt: Receipt, table: string): void;
  runEnded(kind: RunKind, state: RunState): void;
  /**
   * After each sweep, and from the ledger when a worker starts: the gauges follow. `reports` are
   * those of all tables of the catalog; one that is not among them has no gauges any more.
   */
  healthSwept(reports: readonly TableReport[], sweep?: HealthSweep): void;
  /** What a night decided, whether or not it is done: from it is known what is due and paused. */
  maintenancePlanned(tables: readonly TablePlan[], atMs: number): void;
  /** The sweep policies as they stand; one that is not among them has no gauges any more. */
  sweepsRead(turns: readonly MaintenanceTurn[]): void;
  /** What a maintenance sweep chose of what was due. */
  sweepChose(choice: MaintenanceChoice): void;
}

/** A sweep policy in time. */
export interface MaintenanceTurn {
  readonly policy: string;
  readonly everyMs: number;
  /** A sweep may begin: its window is open, and it is not paused. */
  readonly open: boolean;
  /** `null`: never yet. */
  readonly lastStartMs: number | null;
}

/** Tables, and what the window's budget has seen before them. */
export interface MaintenanceChoice {
  readonly policy: string;
  readonly chosen: number;
  readonly left: number;
  readonly spent: { readonly bytes: number; readonly engineSeconds: number };
  /** `null`: no limit. */
  readonly budget: { readonly bytes: number | null; readonly engineSeconds: number | null };
}

/** One pass over all tables of a catalog. */
export interface HealthSweep {
  readonly catalog: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** Until the start of the next one. */
  readonly intervalMs: number;
}

export type { TablePlan };
