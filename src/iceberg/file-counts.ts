import type {
  DeleteCounts,
  FileDetail,
  PartitionHealth,
  SizeBucket,
} from '../domain/health/health.ts';
import { FILE_KINDS, type ManifestDigest } from './manifest-digest.ts';
import type { ManifestStore } from './manifest-store.ts';
import { type ManifestFile, type ReadObject, readManifestList } from './manifests.ts';
import type { SnapshotFiles, SortColumn, TableMetadata } from './metadata.ts';
import {
  type Chunk,
  newPartition,
  noteClustering,
  noteFile,
  type Partition,
  type Writes,
  writesOf,
} from './partition-tally.ts';

/** What the manifests of one snapshot hold. */
export interface FileCounts {
  readonly manifests: number;
  readonly records: number;
  readonly dataFiles: number;
  /** Data and delete files together, as snapshot summaries count them. */
  readonly totalBytes: number;
  readonly deleteFiles: number;
  readonly smallFiles: number;
  readonly partitionCount: number;
  readonly filesPerPartitionMax: number;
  /** `null`: more partitions than are kept apart. */
  readonly partitions: readonly PartitionHealth[] | null;
  readonly detail: FileDetail;
}

/** A file counts as small below this share of the target (design: defaults). */
export const SMALL_SHARE = 0.75;
/** About 300 bytes each: beyond, they are counted, not shown. */
const MAX_PARTITIONS = 100_000;
const MB = 2 ** 20;
/** 1 MB, 2 MB, … 1 GB, and what is larger. */
const SIZE_BOUNDS: readonly number[] = Array.from({ length: 11 }, (_, power) => MB * 2 ** power);
const [DATA, POSITION, EQUALITY, VECTOR] = FILE_KINDS.keys();

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Tally {
  readonly metadata: TableMetadata;
  readonly targetBytes: number;
  /** Whose bounds are looked at: those of the sort order, and those that are asked for. */
  readonly columns: readonly SortColumn[];
  readonly writes: Writes;
  readonly places: Map<string, number>;
  readonly partitions: Partition[];
  readonly sizes: Writable<SizeBucket>[];
  readonly deletes: Writable<DeleteCounts>;
  readonly chunks: Chunk[];
  records: number;
  totalBytes: number;
}

export interface CountOptions {
  readonly targetFileSizeBytes: number;
  /** Dotted names of columns whose clustering is wanted besides the sort order's. */
  readonly clusteringColumns: readonly string[];
}

/** Counts the live files of a snapshot by partition; what is known of a manifest is not read. */
export async function countFiles(
  metadata: TableMetadata,
  files: SnapshotFiles,
  wanted: CountOptions,
  readObject: ReadObject,
  store: ManifestStore,
): Promise<FileCounts> {
  const manifests = await readManifestList(files, readObject);
  const tally = newTally(metadata, wanted);
  const { specs } = metadata;
  await store.visit(manifests, { specs, columns: tally.columns }, (digest, manifest) =>
    addDigest(tally, digest, manifest),
  );
  return finish(tally, manifests.length);
}

/** What a table without a snapshot has. */
export function countNothing(metadata: TableMetadata, wanted: CountOptions): FileCounts {
  return finish(newTally(metadata, wanted), 0);
}

function newTally(metadata: TableMetadata, wanted: CountOptions): Tally {
  return {
    metadata,
    targetBytes: wanted.targetFileSizeBytes,
    columns: columnsOf(metadata, wanted.clusteringColumns),
    writes: writesOf(metadata),
    places: new Map(),
    partitions: [],
    sizes: [...SIZE_BOUNDS, null].map((belowBytes) => ({ belowBytes, files: 0, bytes: 0 })),
    deletes: {
      positionFiles: 0,
      positionRecords: 0,
      equalityFiles: 0,
      equalityRecords: 0,
      vectors: 0,
      vectorRecords: 0,
    },
    chunks: [],
    records: 0,
    totalBytes: 0,
  };
}

/** Those of the sort order always: digests that hold more than is asked for need not be remade. */
function columnsOf(metadata: TableMetadata, names: readonly string[]): readonly SortColumn[] {
  const asked = names.flatMap((name) => metadata.columnsByName.get(name) ?? []);
  const byId = new Map([...metadata.sortColumns, ...asked].map((one) => [one.fieldId, one]));
  return [...byId.values()];
}

function addDigest(tally: Tally, digest: ManifestDigest, manifest: ManifestFile): void {
  const places = digest.partitions.map((values) => placeOf(tally, digest.specId, values));
  const { kinds, bytes, records, addedIn, partitionOf } = digest;
  for (let file = 0; file < kinds.length; file += 1) {
    const size = bytes[file] as number;
    const rows = records[file] as number;
    const partition = tally.partitions[places[partitionOf[file] as number] as number] as Partition;
    tally.totalBytes += size;
    noteFile(partition, addedIn[file] as number, manifest.sequenceNumber, tally.writes);
    if (kinds[file] === DATA) addData(tally, partition, size, rows);
    else addDelete(tally, partition, kinds[file] as number, rows);
  }
  if (tally.columns.length === 0) return;
  const places32 = Uint32Array.from(partitionOf, (index) => places[index] as number);
  tally.chunks.push({ digest, partitionOf: places32 });
}

function addData(tally: Tally, partition: Partition, size: number, rows: number): void {
  const isSmall = size < tally.targetBytes * SMALL_SHARE;
  tally.records += rows;
  partition.dataFiles += 1;
  partition.totalBytes += size;
  partition.smallFiles += isSmall ? 1 : 0;
  partition.smallBytes += isSmall ? size : 0;
  const bucket = tally.sizes[sizeClass(size)] as Writable<SizeBucket>;
  bucket.files += 1;
  bucket.bytes += size;
}

function sizeClass(size: number): number {
  if (size < MB) return 0;
  return Math.min(SIZE_BOUNDS.length, Math.floor(Math.log2(size / MB)) + 1);
}

function addDelete(tally: Tally, partition: Partition, kind: number, rows: number): void {
  const { deletes } = tally;
  partition.deleteFiles += 1;
  switch (kind) {
    case POSITION:
      deletes.positionFiles += 1;
      deletes.positionRecords += rows;
      break;
    case EQUALITY:
      deletes.equalityFiles += 1;
      deletes.equalityRecords += rows;
      break;
    case VECTOR:
      deletes.vectors += 1;
      deletes.vectorRecords += rows;
      break;
  }
}

/** Partitions of different specs stay apart, also where their values look alike. */
function placeOf(tally: Tally, specId: number, values: readonly (string | null)[]): number {
  const key = JSON.stringify([specId, ...values]);
  const known = tally.places.get(key);
  if (known !== undefined) return known;
  const place = tally.partitions.length;
  tally.places.set(key, place);
  tally.partitions.push(newPartition(tally.metadata, specId, values));
  return place;
}

function finish(tally: Tally, manifests: number): FileCounts {
  const { partitions, records, totalBytes, deletes } = tally;
  const shown = partitions.length <= MAX_PARTITIONS ? sortedPartitions(tally) : null;
  return {
    manifests,
    records,
    totalBytes,
    dataFiles: sum(partitions, (one) => one.dataFiles),
    deleteFiles: deletes.positionFiles + deletes.equalityFiles + deletes.vectors,
    smallFiles: sum(partitions, (one) => one.smallFiles),
    partitionCount: partitions.length,
    filesPerPartitionMax: partitions.reduce((most, one) => Math.max(most, one.dataFiles), 0),
    partitions: shown,
    detail: detailOf(tally),
  };
}

function detailOf(tally: Tally): FileDetail {
  const shown = tally.metadata.sortColumns;
  const withData = tally.partitions.filter((one) => one.dataFiles > 0);
  const most = withData.reduce((largest, one) => Math.max(largest, one.totalBytes), 0);
  const mean = sum(withData, (one) => one.totalBytes) / Math.max(1, withData.length);
  return {
    sizes: tally.sizes,
    deletes: tally.deletes,
    partitionSkew: mean === 0 ? 1 : most / mean,
    backlogFiles: sum(withData, ({ dataFiles, totalBytes }) =>
      Math.max(0, dataFiles - Math.max(1, Math.ceil(totalBytes / tally.targetBytes))),
    ),
    clustering: noteClustering(tally.chunks, tally.partitions, tally.columns, shown),
  };
}

function sortedPartitions({ places, partitions }: Tally): readonly PartitionHealth[] {
  return [...places]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, place]) => partitions[place] as Partition);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
