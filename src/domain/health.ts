/** What was measured of one table at one snapshot. Counts are of the main branch's head. */

export interface SnapshotRef {
  readonly name: string;
  readonly type: 'branch' | 'tag';
  readonly snapshotId: string;
  /** The ref's own retention, where it has one: an engine's expiry obeys it unasked. */
  readonly maxRefAgeMs?: number;
  readonly maxSnapshotAgeMs?: number;
  readonly minSnapshotsToKeep?: number;
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
  readonly clusteringDepth: number | null;
  readonly snapshots: readonly SnapshotInfo[];
  readonly oldestSnapshotAgeMs: number | null;
  readonly lastCommitAgeMs: number | null;
  readonly refs: readonly SnapshotRef[];
  readonly properties: Readonly<Record<string, string>>;
  /** Columns of the current schema in order, and the current partition spec's fields. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly partitionFields: readonly {
    readonly name: string;
    readonly source: string;
    readonly transform: string;
  }[];
}
