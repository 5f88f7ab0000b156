/** What can be done to a table, and the decision whether to do it. */
import type { EngineName } from './engine.ts';
import type { OrphanLooks } from './orphans/operation.ts';

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
  /** Only these partitions; absent: all that `where` leaves. */
  readonly partitions?: readonly PartitionKey[];
  /** How the engine is to go about it; absent: the engine's own defaults. */
  readonly tuning?: CompactTuning;
  /** Files that are rewritten for their deletes, whatever their size; absent: Iceberg's defaults. */
  readonly deletes?: CompactDeletes;
}

/** When deletes are reason enough to rewrite a data file (Spark only). */
export interface CompactDeletes {
  /** Delete files on one data file. Iceberg's default: never. */
  readonly minDeleteFiles?: number;
  /** Share of its rows that file-scoped deletes delete, 0 to 1. Iceberg's default 0.3. */
  readonly minDeleteRatio?: number;
  /** `true`: a second commit drops delete files that no data file needs. Default `false`. */
  readonly removeDangling?: boolean;
}

/** One partition: a value for each field of the spec that its files were written with. */
export type PartitionKey = readonly PartitionValue[];

export interface PartitionValue {
  /** Column that the field is derived from, and its type. */
  readonly source: string;
  readonly sourceType: string;
  /** `identity`, `day`, `bucket[16]`, … */
  readonly transform: string;
  /** The partition's value, printed as Iceberg prints it (a day as `2026-11-20`). */
  readonly value: string | null;
}

/** Chosen from the table and the engine's cores, so that no core idles; absent: its defaults. */
export interface CompactTuning {
  /** Size of the files written, where it is not the target; at most the target. */
  readonly outputFileSizeBytes?: number;
  /** Input bytes that one task group rewrites at most. */
  readonly maxFileGroupSizeBytes?: number;
  /** File groups rewritten at the same time. */
  readonly concurrentFileGroups?: number;
  /** `true`: file groups begin in the order of their bytes, so that none is left for the end. */
  readonly largestFirst?: boolean;
  /** Tasks that shuffle for each output file (sort and Z-order). */
  readonly shufflePartitionsPerFile?: number;
  /** Level of zstd, 1 to 22; the codec itself is the table's. */
  readonly zstdLevel?: number;
}

/** Rewrites position delete files, and drops those that no longer delete anything. */
export interface RewriteDeletesOperation {
  readonly kind: 'rewrite_deletes';
  /** Only delete files of rows that this predicate may match; `null`: the whole table. */
  readonly where: string | null;
  /** Fewest delete files of a partition that are joined. Iceberg's default 5. */
  readonly minInputFiles?: number;
  /** Iceberg's default: the table's `write.delete.target-file-size-bytes`, else 64 MB. */
  readonly targetFileSizeBytes?: number;
  /** `true`: also well-sized ones, which finds every row that is gone already. Default `false`. */
  readonly rewriteAll?: boolean;
  readonly tuning?: Pick<CompactTuning, 'maxFileGroupSizeBytes' | 'concurrentFileGroups'>;
}

/** Expires exactly these snapshots and nothing else. */
export interface ExpireSnapshotsOperation {
  readonly kind: 'expire_snapshots';
  readonly snapshotIds: readonly string[];
  /** `true`: schemas and partition specs that no snapshot uses any more go, too. */
  readonly cleanExpiredMetadata?: boolean;
}

export interface RewriteManifestsOperation {
  readonly kind: 'rewrite_manifests';
  /** Only manifests of this partition spec (Spark). Default: the current one. */
  readonly specId?: number;
  /** Partition fields by which entries are laid together (Spark). Default: all, in order. */
  readonly sortBy?: readonly string[];
}

/** Removes files under the table's location that nothing reaches, by an exact list. */
export interface RemoveOrphansOperation {
  readonly kind: 'remove_orphans';
  /** Younger files stay whatever they are. At least 72 hours. */
  readonly olderThanMs: number;
  /** More candidates than this are refused unless a person applies the plan. */
  readonly maxFiles: number;
  readonly looks: OrphanLooks;
}

/** Computes statistics of the head: distinct values per column, and figures per partition. */
export interface ComputeStatisticsOperation {
  readonly kind: 'compute_statistics';
  /** Empty: all columns that the engine can. */
  readonly columns: readonly string[];
  /** `true`: also figures of each partition (Spark, and only of a partitioned table). */
  readonly perPartition?: boolean;
}

/** Drops statistics that no longer tell the truth. */
export interface DropStatisticsOperation {
  readonly kind: 'drop_statistics';
}

/** Sets and removes table properties, nothing else. */
export interface SetPropertiesOperation {
  readonly kind: 'set_properties';
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

export type Operation =
  | SetPropertiesOperation
  | RewriteDeletesOperation
  | CompactOperation
  | RewriteManifestsOperation
  | ExpireSnapshotsOperation
  | RemoveOrphansOperation
  | DropStatisticsOperation
  | ComputeStatisticsOperation;
export type OperationKind = Operation['kind'];

/**
 * The order in which operations of one table run (design §5): what writes files first, then what
 * those leave behind, and statistics of what is there at the end.
 */
export const OPERATION_ORDER: readonly OperationKind[] = [
  'set_properties',
  'rewrite_deletes',
  'compact',
  'rewrite_manifests',
  'expire_snapshots',
  'remove_orphans',
  'drop_statistics',
  'compute_statistics',
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
  /** What would be lost or freed; only of operations that delete. */
  readonly preview?: Preview;
  /** It has not run for longer than its policy bears: it goes before all others. */
  readonly overdue?: boolean;
  /** What each partition would gain: for choosing across tables, and not stored with a plan. */
  readonly parts?: readonly PartGain[];
}

/** What a rewrite of one partition would gain, and cost. */
export interface PartGain {
  readonly key: PartitionKey;
  /** Files, data and deletes, that a reader no longer opens. */
  readonly gain: number;
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly bytes: number;
}

/** What an operation that deletes would take, from metadata alone. */
export interface Preview {
  readonly snapshots?: number;
  readonly files?: number;
  /** Of data and delete files; metadata files are not counted. */
  readonly bytesFreed?: number;
  /** At most: older snapshots may hold some of it; at least: some is not told; about: both. */
  readonly bytesFreedIs?: 'exact' | 'at_most' | 'at_least' | 'about';
  /** Times that can no longer be queried: ISO, both ends included. */
  readonly rangeLost?: { readonly from: string; readonly to: string };
}

/** The decisions for one table, pinned to what was seen when they were taken. */
export interface TablePlan {
  readonly table: string;
  readonly tableUuid: string;
  readonly snapshotId: string | null;
  readonly decisions: readonly Decision[];
  /** What else the decisions rely on; only of a table with something to run. */
  readonly seen?: TableFacts;
}

/** What of a table only its owner may change: no maintenance does, but the one that is for it. */
export interface TableFacts {
  readonly location: string;
  readonly formatVersion: number;
  /** `3: id long, note string` */
  readonly schema: string;
  /** `0: day(ts)` */
  readonly partitionSpec: string;
  readonly sortOrderId: number;
  readonly properties: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly planId: string;
  readonly createdAt: string;
  readonly tables: readonly TablePlan[];
}
