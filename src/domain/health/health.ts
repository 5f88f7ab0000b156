import type { CatalogTraits } from '../catalog-traits.ts';

/** What was measured of one table at one snapshot. Counts are of the main branch's head. */
import type { PartitionKey } from '../operation.ts';

export interface SnapshotRef {
  readonly name: string;
  readonly type: 'branch' | 'tag';
  readonly snapshotId: string;
  /** The ref's own retention, where it has one: an engine's expiry obeys it unasked. */
  readonly maxRefAgeMs?: number;
  readonly maxSnapshotAgeMs?: number;
  readonly minSnapshotsToKeep?: number;
  /** What its snapshot was written with, where that is not the table's schema of today. */
  readonly schema?: RefSchema;
}

/** An older schema: engines read a ref's rows with it. */
export interface RefSchema {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Every dotted name of today → what the same column is called there; `null`: it is not there. */
  readonly names: Readonly<Record<string, string | null>>;
}

/** One snapshot as the catalog's metadata tells it. Ids are decimal strings: they exceed 2^53. */
export interface SnapshotInfo {
  readonly snapshotId: string;
  readonly parentSnapshotId: string | null;
  readonly sequenceNumber: number;
  readonly committedAtMs: number;
  /** `append`, `overwrite`, `replace` or `delete`. */
  readonly operation: string;
  readonly summary: Readonly<Record<string, string>>;
}

/** Files of one partition, as the manifests of the head snapshot list them. */
export interface PartitionHealth {
  /** Partition values by field name, printed for people; `{}` of an unpartitioned table. */
  readonly partition: Readonly<Record<string, string | null>>;
  readonly dataFiles: number;
  readonly totalBytes: number;
  readonly smallFiles: number;
  readonly smallBytes: number;
  readonly deleteFiles: number;
  /** Spec that its files were written with: values of another one may look alike. */
  readonly specId: number;
  /** The same values as an operation names them. */
  readonly key: PartitionKey;
  /** By each column that was measured and has bounds here. */
  readonly clustering: readonly Clustering[];
  /** Sequence number of the snapshot that added the newest file; `null`: format 1 tells none. */
  readonly newestSequence: number | null;
  /**
   * When a snapshot last added files here that is neither a rewrite nor a commit of one of our
   * models; `null`: none of the snapshots that are still there.
   */
  readonly writtenByOthersAtMs: number | null;
}

/** Data files of one size class. */
export interface SizeBucket {
  /** Files smaller than this, and not smaller than the bucket before; `null`: all larger ones. */
  readonly belowBytes: number | null;
  readonly files: number;
  readonly bytes: number;
}

/** Live delete files by kind; a deletion vector counts as one file. */
export interface DeleteCounts {
  readonly positionFiles: number;
  readonly positionRecords: number;
  readonly equalityFiles: number;
  readonly equalityRecords: number;
  readonly vectors: number;
  readonly vectorRecords: number;
}

/** How much the value ranges of files overlap in one column of the table's sort order. */
export interface Clustering {
  readonly column: string;
  /**
   * Files of a partition that may hold the value of a row, on average over the data files and the
   * range of each; 1: no overlap.
   */
  readonly depth: number;
}

/** What only the manifests of the head tell. */
export interface FileDetail {
  /** Ascending; bounds are powers of two from 1 MB to 1 GB. */
  readonly sizes: readonly SizeBucket[];
  readonly deletes: DeleteCounts;
  /** Bytes of the largest partition over the mean of all partitions; 1: even. */
  readonly partitionSkew: number;
  /** Data files beyond what the target size needs, summed over the partitions. */
  readonly backlogFiles: number;
  /** Empty: the table has no sort order, or its files carry no bounds. */
  readonly clustering: readonly Clustering[];
}

/** Something about a table that a person should know. */
export interface Finding {
  /** `metadata_grows`, `location_shared`, `totals_drifted`, `unreadable`, … */
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'critical';
  /** What is wrong and what to do about it. */
  readonly message: string;
}

/** 100: nothing to improve. Each part says what it took off and why. */
export interface HealthScore {
  readonly value: number;
  readonly parts: readonly {
    readonly name: string;
    readonly penalty: number;
    readonly because: string;
  }[];
}

/** What is kept of a measurement: true of one version of the table's metadata, whenever asked. */
export interface TableFigures {
  readonly tableUuid: string;
  readonly snapshotId: string | null;
  readonly formatVersion: number;
  readonly records: number;
  readonly dataFiles: number;
  readonly totalBytes: number;
  readonly smallFiles: number | null;
  readonly deleteFiles: number;
  readonly deleteRatio: number;
  readonly manifests: number | null;
  readonly partitions: number | null;
  readonly filesPerPartitionMax: number | null;
  readonly clusteringDepth: number | null;
  readonly targetFileSizeBytes: number;
  readonly snapshots: number;
  readonly oldestSnapshotAtMs: number | null;
  readonly lastCommitAtMs: number | null;
  readonly commitsPerDay: number;
  readonly metadataBytes: number | null;
  readonly refs: readonly SnapshotRef[];
  readonly detail: FileDetail | null;
}

/** One table in a sweep: what was measured, or why it could not be. */
export interface TableReport {
  readonly table: string;
  readonly measuredAtMs: number;
  /** Of the last measurement that succeeded; `null`: there was none. */
  readonly figures: TableFigures | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly findings: readonly Finding[];
  readonly score: HealthScore | null;
}

/** Ids of what files are written by: each change of it makes a new one. */
export interface TableDefinition {
  readonly schemaId: number;
  readonly specId: number;
  readonly sortOrderId: number;
}

export interface TableHealth {
  /** `lake.bronze.raw_orders` */
  readonly table: string;
  readonly tableUuid: string;
  readonly location: string;
  readonly formatVersion: number;
  /** `null`: the table has no snapshot yet. */
  readonly snapshotId: string | null;
  readonly measuredAtMs: number;
  readonly records: number;
  readonly dataFiles: number;
  readonly totalBytes: number;
  readonly deleteFiles: number;
  readonly deleteRatio: number;
  readonly manifests: number | null;
  /** Data files smaller than 75 % of `targetFileSizeBytes`. `null`: manifests were not read. */
  readonly smallFiles: number | null;
  readonly targetFileSizeBytes: number;
  readonly partitions: number | null;
  readonly filesPerPartitionMax: number | null;
  readonly partitionHealth: readonly PartitionHealth[] | null;
  /** The deepest of `detail.clustering`. */
  readonly clusteringDepth: number | null;
  /** `null`: manifests were not read. */
  readonly detail: FileDetail | null;
  /** Mean over the last seven days. */
  readonly commitsPerDay: number;
  /** Length of the metadata as the catalog sends them; `null`: not known. */
  readonly metadataBytes: number | null;
  /** Earlier metadata files that the table still names. */
  readonly metadataLogEntries: number;
  readonly snapshots: readonly SnapshotInfo[];
  readonly oldestSnapshotAgeMs: number | null;
  readonly lastCommitAgeMs: number | null;
  readonly refs: readonly SnapshotRef[];
  readonly properties: Readonly<Record<string, string>>;
  /** Absent where only figures are known. */
  readonly definition?: TableDefinition;
  /** Columns of the current schema in order, and the current partition spec's fields. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly partitionFields: readonly {
    readonly name: string;
    readonly source: string;
    readonly transform: string;
  }[];
  /** Paths of column statistics, of any snapshot; absent: not looked at. */
  readonly statisticsFiles?: readonly string[];
  /** Paths of figures per partition, of any snapshot; absent: not looked at. */
  readonly partitionStatisticsFiles?: readonly string[];
  /** What the catalog that holds it allows; absent: not looked at. */
  readonly traits?: CatalogTraits;
}
