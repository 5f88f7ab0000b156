import type { PartitionHealth } from '../domain/health.ts';
import type { TypeCache } from './avro-file.ts';
import {
  type FileEntry,
  type ManifestFile,
  type ReadObject,
  readManifest,
  readManifestList,
} from './manifests.ts';
import type { PartitionSpec, SnapshotFiles, TableMetadata } from './metadata.ts';
import { partitionText } from './partition-text.ts';

/** What the manifests of one snapshot hold. */
export interface FileCounts {
  readonly manifests: number;
  readonly records: number;
  readonly dataFiles: number;
  /** Data and delete files together, as snapshot summaries count them. */
  readonly totalBytes: number;
  readonly deleteFiles: number;
  readonly smallFiles: number;
  /** `null`: more partitions than are kept apart. */
  readonly partitions: readonly PartitionHealth[] | null;
}

/** A file counts as small below this share of the target (design: defaults). */
export const SMALL_SHARE = 0.75;
/** Manifests in memory at once; each is some 8 MB. */
const CONCURRENT_READS = 4;
/** About 300 bytes each: beyond, only the table as a whole is counted. */
const MAX_PARTITIONS = 100_000;

type Partition = { -readonly [Key in keyof PartitionHealth]: PartitionHealth[Key] };

interface Tally {
  readonly smallBelowBytes: number;
  readonly partitions: Map<string, Partition>;
  records: number;
  dataFiles: number;
  totalBytes: number;
  deleteFiles: number;
  smallFiles: number;
  overflow: boolean;
}

/** Reads a snapshot's manifest list and manifests and counts their live files by partition. */
export async function countFiles(
  metadata: TableMetadata,
  files: SnapshotFiles,
  targetFileSizeBytes: number,
  readObject: ReadObject,
): Promise<FileCounts> {
  const manifests = await readManifestList(files, readObject);
  const types: TypeCache = new Map();
  const tally: Tally = {
    smallBelowBytes: targetFileSizeBytes * SMALL_SHARE,
    partitions: new Map(),
    records: 0,
    dataFiles: 0,
    totalBytes: 0,
    deleteFiles: 0,
    smallFiles: 0,
    overflow: false,
  };
  await forEachAtOnce(manifests, CONCURRENT_READS, async (manifest) => {
    const spec = specOf(metadata, manifest);
    for await (const entry of readManifest(manifest, readObject, types)) add(tally, spec, entry);
  });
  const { records, dataFiles, totalBytes, deleteFiles, smallFiles } = tally;
  const partitions = tally.overflow ? null : sortedPartitions(tally);
  return {
    manifests: manifests.length,
    records,
    dataFiles,
    totalBytes,
    deleteFiles,
    smallFiles,
    partitions,
  };
}

function specOf(metadata: TableMetadata, manifest: ManifestFile): PartitionSpec {
  return metadata.specs.get(manifest.specId) ?? { specId: manifest.specId, fields: [] };
}

function add(tally: Tally, spec: PartitionSpec, entry: FileEntry): void {
  const isData = entry.content === 'data';
  const isSmall = isData && entry.bytes < tally.smallBelowBytes;
  tally.totalBytes += entry.bytes;
  tally.records += isData ? entry.records : 0;
  tally.dataFiles += isData ? 1 : 0;
  tally.deleteFiles += isData ? 0 : 1;
  tally.smallFiles += isSmall ? 1 : 0;
  const partition = partitionOf(tally, spec, entry.partition);
  if (partition === null) return;
  partition.dataFiles += isData ? 1 : 0;
  partition.totalBytes += isData ? entry.bytes : 0;
  partition.deleteFiles += isData ? 0 : 1;
  partition.smallFiles += isSmall ? 1 : 0;
  partition.smallBytes += isSmall ? entry.bytes : 0;
}

/** Partitions of different specs stay apart, also where their values look alike. */
function partitionOf(
  tally: Tally,
  spec: PartitionSpec,
  values: readonly unknown[],
): Partition | null {
  const named = spec.fields.map((field, index) => {
    return [field.name, partitionText(field, values[index])] as const;
  });
  const key = JSON.stringify([spec.specId, ...named.map(([, value]) => value)]);
  const known = tally.partitions.get(key);
  if (known !== undefined) return known;
  if (tally.partitions.size >= MAX_PARTITIONS) {
    tally.overflow = true;
    return null;
  }
  const made: Partition = {
    partition: Object.fromEntries(named),
    dataFiles: 0,
    totalBytes: 0,
    smallFiles: 0,
    smallBytes: 0,
    deleteFiles: 0,
  };
  tally.partitions.set(key, made);
  return made;
}

function sortedPartitions(tally: Tally): readonly PartitionHealth[] {
  return [...tally.partitions.entries()]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, partition]) => partition);
}

async function forEachAtOnce<T>(
  items: readonly T[],
  width: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
